// Undoes gzip (RFC 1952) step by step, by zlib.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

struct z_stream_s;

namespace taskbarge::core {

// One member after the other; what may stand between and behind them is the caller's to say. Used by one thread.
class inflater {
 public:
    inflater();
    inflater(inflater&&) = delete;
    ~inflater();

    enum class outcome : std::uint8_t {
        going,       // something was used, or made
        member_end,  // the member is whole and its checksum right; begin_member() before the next step
        stuck,       // no input, or no room
        broken       // no gzip, or damaged: trouble() says how
    };
    // Takes what it used off the front of `in`, and what it made off `room` at `out`.
    outcome step(std::string_view& in, char*& out, std::size_t& room);
    void begin_member();
    // zlib's words; empty where it has none.
    std::string_view trouble() const;

 private:
    std::unique_ptr<z_stream_s> stream_;
};

}  // namespace taskbarge::core
