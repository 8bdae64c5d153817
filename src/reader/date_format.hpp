// One of dates.formats: a way of writing dates, in the manner of strptime.
#pragma once

#include <optional>
#include <string>

#include "reader/iso_date.hpp"
#include "taskbarge/core/error.hpp"

namespace taskbarge::reader {

class date_format {
 public:
    // Fails with errc::settings, saying why, when texts of this form would leave something open: no whole day, half of
    // the day without an hour, a zone by its name, a conversion that is not understood.
    static core::result<date_format> make(const std::string& format);

    // Nothing when the text as a whole is not of this form or names a day that does not exist.
    std::optional<written_date> parse(const std::string& text) const;

 private:
    date_format() = default;
    // The fraction of a second that stands in the text behind the seconds, taken out of it.
    std::chrono::milliseconds take_fraction(std::string& text) const;
    static std::optional<written_date> parse_unix_time(const std::string& text);

    std::string format_;
    std::string up_to_seconds_;  // the format as far as a fraction of a second may follow; empty: nowhere
    bool unix_time_ = false;     // seconds since 1970
    bool in_utc_ = false;        // ends with Z, UTC or GMT
};

}  // namespace taskbarge::reader
