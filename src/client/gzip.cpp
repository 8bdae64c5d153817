#include "client/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "client/text.hpp"

namespace taskbarge::client {

namespace {

// The output begins with what the data says that it unpacks to, where that is likely, and grows by halves of itself.
constexpr std::size_t least_room = 16U << 10U, usual_ratio = 8, largest_ratio = 64;
// gzip makes nothing much larger than it was. Data that is longer than twice what came of it, and this, is none that
// anybody packed: it would keep the thread busy for nothing.
constexpr std::size_t slice = 64U << 10U;
constexpr int most_empty_members = 8;  // in a row

class inflater {
 public:
    inflater() {
        constexpr int gzip_only = 15 + 16;
        ready_ = inflateInit2(&stream_, gzip_only) == Z_OK;
    }
    inflater(const inflater&) = delete;
    inflater& operator=(const inflater&) = delete;
    ~inflater() {
        if (ready_) inflateEnd(&stream_);
    }

    bool ready() const { return ready_; }
    bool next_member() { return inflateReset(&stream_) == Z_OK; }

    // One call of inflate(); takes what it used off `in` and `room`.
    int step(std::string_view& in, char*& out, std::size_t& room) {
        const auto offered = static_cast<uInt>(std::min(in.size(), slice));
        const auto space = static_cast<uInt>(std::min<std::size_t>(room, std::numeric_limits<uInt>::max()));
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream_.avail_in = offered;
        stream_.next_out = reinterpret_cast<Bytef*>(out);
        stream_.avail_out = space;
        const int status = inflate(&stream_, Z_NO_FLUSH);
        in.remove_prefix(offered - stream_.avail_in);
        out += space - stream_.avail_out;
        room -= space - stream_.avail_out;
        return status;
    }

 private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

namespace {

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
    inflater z;
    if (!z.ready()) return gunzip_result::broken;
    out.clear();
    const std::size_t whole = data.size();
    // One byte beyond the limit tells "too large" from "just fits".
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(limit, out.max_size() / 2)) + 1;
    std::size_t next_size = std::min(most, likely_size(data) + 1);
    std::size_t made = 0, made_before_member = 0;
    int empty_members = 0;
    for (;;) {  // each step uses input up or makes output, else it is Z_BUF_ERROR
        if (made > limit) return gunzip_result::too_large;
        if (made == out.size()) {
            reserve_exactly(out, next_size + spare);
            out.resize(next_size);
            next_size = std::min(most, next_size + next_size / 2);
        }
        char* to = out.data() + made;
        std::size_t room = out.size() - made;
        const int status = z.step(data, to, room);
        made = out.size() - room;
        if (whole - data.size() > 2 * made + 2 * slice) return gunzip_result::broken;
        if (status == Z_OK) continue;
        if (status != Z_STREAM_END) return gunzip_result::broken;
        if (made > limit) return gunzip_result::too_large;
        if (data.empty()) break;
        empty_members = made == made_before_member ? empty_members + 1 : 0;
        made_before_member = made;
        if (empty_members > most_empty_members || !z.next_member()) return gunzip_result::broken;
    }
    out.resize(made);
    return gunzip_result::done;
}

}  // namespace taskbarge::client
