#include "taskbarge/core/inflater.hpp"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

namespace taskbarge::core {

inflater::inflater() : stream_(std::make_unique<z_stream_s>()) {
    constexpr int gzip_only = 15 + 16;
    if (inflateInit2(stream_.get(), gzip_only) != Z_OK) throw std::bad_alloc();
}

inflater::~inflater() {
    inflateEnd(stream_.get());
}

inflater::outcome inflater::step(std::string_view& in, char*& out, std::size_t& room) {
    constexpr std::size_t most = std::numeric_limits<uInt>::max();
    const auto offered = static_cast<uInt>(std::min(in.size(), most));
    const auto space = static_cast<uInt>(std::min(room, most));
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
    stream_->avail_in = offered;
    stream_->next_out = reinterpret_cast<Bytef*>(out);
    stream_->avail_out = space;
    const int status = inflate(stream_.get(), Z_NO_FLUSH);
    in.remove_prefix(offered - stream_->avail_in);
    out += space - stream_->avail_out;
    room -= space - stream_->avail_out;
    switch (status) {
        case Z_OK:
            return outcome::going;
        case Z_STREAM_END:
            return outcome::member_end;
        case Z_BUF_ERROR:
            return outcome::stuck;
        case Z_MEM_ERROR:
            throw std::bad_alloc();
        default:
            return outcome::broken;
    }
}

void inflater::begin_member() {
    inflateReset(stream_.get());
}

std::string_view inflater::trouble() const {
    return stream_->msg ? std::string_view(stream_->msg) : std::string_view();
}

}  // namespace taskbarge::core
