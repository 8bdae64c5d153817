// How a text is shown to the one who reads it: how wide, in which colours, in whose time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"

namespace taskbarge::cli {

// A plain one is right for a file: no colour, lines as long as they are, UTC alone.
struct style {
    std::size_t columns = 0;  // of the terminal; 0: no bound
    bool colours = false;
    std::string zone;  // IANA name, whose time is shown beside UTC; empty: UTC alone

    // What went wrong: red where there are colours.
    std::string bad(std::string_view text) const;
    // The same for a text that tells of so many: nothing is wrong with none.
    std::string bad_if(std::uint64_t count, std::string_view text) const;

    // "07:31:22 UTC (02:31:22 America/New_York)"; with the date where it is not that of `now`.
    std::string time(core::instant t, core::instant now) const;
    // "2026-11-23T07:31:22Z (02:31:22 America/New_York)".
    std::string stamp(core::instant t) const;
    // "2026-11-23 02:31:22", the time of the zone alone; empty without a zone.
    std::string local_stamp(core::instant t) const;

    // "HEAD  MESSAGE" with its line end; where there is no room for it the message goes below, between two columns.
    // `width`: of the head as it is seen.
    std::string explained(std::string_view head, std::size_t width, std::string_view message) const;

    // The line, cut where it would go past the last column.
    std::string fitted(std::string_view line) const;
};

// The style that fits what is behind a descriptor. `zone` is dates.timezone. Colours need a terminal that knows them,
// and NO_COLOR unset (https://no-color.org).
style style_of(int descriptor, const std::string& zone);

// Whether it is a terminal on which what was written can be drawn over.
bool can_redraw(int descriptor);

// Its columns; 0 where it is no terminal, 80 where that does not say.
std::size_t columns_of(int descriptor);

}  // namespace taskbarge::cli
