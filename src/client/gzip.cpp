#include "client/gzip.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>

namespace taskbarge::client {

namespace {

// A step is about what the data unpacks to: room that is not needed is cleared all the same.
constexpr std::size_t least_step = 16U << 10U, largest_step = 1U << 20U, usual_ratio = 8;

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

    // One call of inflate() on as much as fits; takes what it used off `in` and appends what came out.
    int step(std::string_view& in, std::string& out, std::size_t room) {
        const std::size_t before = out.size();
        const std::size_t offered = std::min<std::size_t>(in.size(), std::numeric_limits<uInt>::max());
        out.resize(before + room);
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
        stream_.avail_in = static_cast<uInt>(offered);
        stream_.next_out = reinterpret_cast<Bytef*>(out.data() + before);
        stream_.avail_out = static_cast<uInt>(room);
        const int status = inflate(&stream_, Z_NO_FLUSH);
        in.remove_prefix(offered - stream_.avail_in);
        out.resize(before + room - stream_.avail_out);
        return status;
    }

 private:
    z_stream stream_{};
    bool ready_ = false;
};

}  // namespace

gunzip_result gunzip(std::string_view data, std::uint64_t limit, std::string& out) {
    inflater z;
    if (!z.ready()) return gunzip_result::broken;
    const std::size_t start = out.size();
    const std::size_t step = std::clamp(data.size() * usual_ratio, least_step, largest_step);
    for (;;) {  // each step uses input up or makes output, else it is Z_BUF_ERROR
        const std::uint64_t made = out.size() - start;
        if (made > limit) return gunzip_result::too_large;
        // One byte beyond the limit tells "too large" from "just fits".
        const auto room = static_cast<std::size_t>(std::min<std::uint64_t>(limit - made + 1, step));
        const int status = z.step(data, out, room);
        if (status == Z_OK) continue;
        if (status != Z_STREAM_END || out.size() - start > limit)
            return status == Z_STREAM_END ? gunzip_result::too_large : gunzip_result::broken;
        if (data.empty()) return gunzip_result::done;
        if (!z.next_member()) return gunzip_result::broken;
    }
}

}  // namespace taskbarge::client
