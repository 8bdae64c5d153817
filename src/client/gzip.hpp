// Undoing gzip, with a bound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace taskbarge::client {

enum class gunzip_result : std::uint8_t {
    done,
    too_large,  // more than `limit` bytes come out
    broken      // no gzip, cut off, or with something behind it
};

// Appends what `data`, one or more whole gzip members, holds to `out`. Memory stays near `limit` whatever the data.
gunzip_result gunzip(std::string_view data, std::uint64_t limit, std::string& out);

}  // namespace taskbarge::client
