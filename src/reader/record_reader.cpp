#include "reader/record_reader.hpp"

#include <fmt/format.h>

namespace taskbarge::reader {
namespace {

constexpr std::size_t kept_of_long_record = 4096;  // enough to recognise it by

}  // namespace

core::result<bool> record_reader::fill(record_sink& sink) {
    while (!sink.full()) {
        if (window_.size() == 0) {
            if (window_.at_end()) return false;
            if (auto read = window_.extend(); !read) return read.error();
            continue;
        }
        if (skipping_) {
            if (auto skipped = skip_line(); !skipped) return skipped.error();
            continue;
        }
        if (auto done = step(sink); !done) return done.error();
    }
    return true;
}

void record_reader::reject_line(record_sink& sink, fault why) {
    const line_end e = find_line_end(window_.begin(), window_.end(), rest());
    const char* const end = e ? e.end : window_.end();
    sink.reject(here(), std::move(why), "", "", kept(text_up_to(end)));
    skipping_ = !e;
    if (e) move_on(e.next, 1);
}

core::result<void> record_reader::skip_line() {
    const line_end e = find_line_end(window_.begin(), window_.end(), rest());
    if (e) {
        skipping_ = false;
        move_on(e.next, 1);
        return {};
    }
    // A CR at the very end may be half of a CRLF: it stays until the next byte is there.
    const bool half = window_.end()[-1] == '\r';
    window_.use_up_to(half ? window_.end() - 1 : window_.end());
    return window_.extend();
}

std::string_view record_reader::kept(std::string_view raw) const {
    return too_long(raw.size()) ? raw.substr(0, kept_of_long_record) : raw;
}

fault record_reader::too_long_fault() const {
    return {
        "record_too_long",
        fmt::format("the record that begins here is longer than import.record_limit ({} bytes); look for a quote that "
                    "is never closed, else raise the limit",
                    limit_),
        {}};
}

}  // namespace taskbarge::reader
