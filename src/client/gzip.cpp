#include "client/gzip.hpp"

#include <algorithm>

#include "client/text.hpp"
#include "taskbarge/core/inflater.hpp"

namespace taskbarge::client {

namespace {

// The output begins with what the data says that it unpacks to, where that is likely, and grows by halves of itself.
constexpr std::size_t least_room = 16U << 10U, usual_ratio = 8, largest_ratio = 64;
// gzip makes nothing much larger than it was. Data that is longer than twice what came of it, and this, is none that
// anybody packed: it would keep the thread busy for nothing.
constexpr std::size_t slice = 64U << 10U;
constexpr int most_empty_members = 8;  // in a row

// The last four bytes of a member: the length of what it holds. Only a hint, and of the last member only.
std::size_t likely_size(std::string_view data) {
    constexpr std::size_t bytes = 4;
    std::size_t told = 0;
    for (std::size_t i = 0; i < bytes && data.size() > bytes; ++i)
        told |= std::size_t{static_cast<unsigned char>(data[data.size() - bytes + i])} << (8 * i);
    const bool likely = told >= data.size() / 2 && told <= data.size() * largest_ratio;
    return std::max(likely ? told : data.size() * usual_ratio, least_room);
}

}  // namespace

gunzip_result gunzip(std::string_view data, std::uint64_t limit, std::string& out, std::size_t spare) {
    using outcome = core::inflater::outcome;
    core::inflater z;
    out.clear();
    const std::size_t whole = data.size();
    // One byte beyond the limit tells "too large" from "just fits".
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(limit, out.max_size() / 2)) + 1;
    std::size_t next_size = std::min(most, likely_size(data) + 1);
    std::size_t made = 0, made_before_member = 0;
    int empty_members = 0;
    for (;;) {  // each step uses input up or makes output, else it is stuck
        if (made > limit) return gunzip_result::too_large;
        if (made == out.size()) {
            reserve_exactly(out, next_size + spare);
            out.resize(next_size);
            next_size = std::min(most, next_size + next_size / 2);
        }
        char* to = out.data() + made;
        std::size_t room = out.size() - made;
        std::string_view some = data.substr(0, slice);
        const auto offered = some.size();
        const auto status = z.step(some, to, room);
        data.remove_prefix(offered - some.size());
        made = out.size() - room;
        if (whole - data.size() > 2 * made + 2 * slice) return gunzip_result::broken;
        if (status == outcome::going) continue;
        if (status != outcome::member_end) return gunzip_result::broken;
        if (made > limit) return gunzip_result::too_large;
        if (data.empty()) break;
        empty_members = made == made_before_member ? empty_members + 1 : 0;
        made_before_member = made;
        if (empty_members > most_empty_members) return gunzip_result::broken;
        z.begin_member();
    }
    out.resize(made);
    return gunzip_result::done;
}

}  // namespace taskbarge::client
