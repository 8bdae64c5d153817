// Due dates: from the ways people write them to one instant, or a reason why not.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reader/date_format.hpp"
#include "reader/fields.hpp"
#include "reader/iso_date.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/settings.hpp"

namespace date {
class time_zone;
}

namespace taskbarge::reader {

// Understands, in this order: RFC 3339; ISO 8601, local to dates.timezone where it names no zone, at dates.time where
// it names no time; "+3d", whole days from the local day of `now`; dates.formats; milliseconds since 1970. Nothing is
// guessed: what needs a
// setting that is not there is a fault that names it, and so is a local time that the clocks skip or repeat.
class due_dates {
 public:
    // Fails with errc::settings: unknown zone, no time of day, a format that leaves something open.
    static core::result<due_dates> make(const core::date_settings& settings, core::instant now);

    // The instant goes to `out`.
    std::optional<fault> read(std::string_view text, core::instant& out);
    // A relative date was resolved.
    bool used_relative() const { return used_relative_; }

 private:
    due_dates() = default;
    std::optional<fault> read_uncached(std::string_view text, core::instant& out);
    static bool read_milliseconds(std::string_view text, core::instant& out);
    std::optional<fault> place(std::string_view text, const written_date& date, core::instant& out) const;
    std::optional<fault> place_local(std::string_view text, std::chrono::local_days day, std::chrono::milliseconds time,
                                     core::instant& out) const;
    std::optional<fault> read_relative(std::string_view text, core::instant& out);
    std::optional<written_date> read_by_formats(const std::string& text) const;

    core::date_settings settings_;
    std::vector<date_format> formats_;
    const date::time_zone* zone_ = nullptr;
    std::optional<std::chrono::milliseconds> time_;
    core::instant now_{};
    bool used_relative_ = false;

    // Files repeat their due dates; good ones are kept by a hash of their text. 32 bytes hold any RFC 3339 text with
    // milliseconds.
    struct remembered {
        std::array<char, 32> text{};
        std::size_t size = 0;
        core::instant at{};
    };
    static constexpr std::size_t remembered_count = 1024;
    std::unique_ptr<std::array<remembered, remembered_count>> memory_ =
        std::make_unique<std::array<remembered, remembered_count>>();
};

}  // namespace taskbarge::reader
