// Undoing gzip, with a bound.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace taskbarge::client {

enum class gunzip_result : std::uint8_t {
    done,
    too_large,  // more than `limit` bytes come out
    broken      // no gzip, cut off, with something behind it, or long with nothing in it
};

// Puts what `data`, one or more whole gzip members, holds into `out`, with room for `spare` bytes behind it. Memory
// stays near `limit` and time near what that much takes, whatever the data. `out` is of no use unless it is done.
gunzip_result gunzip(std::string_view data, std::uint64_t limit, std::string& out, std::size_t spare = 0);

}  // namespace taskbarge::client
