#include "service/http/request_reader.hpp"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/none.hpp>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "service/http/ascii.hpp"
#include "service/http/target.hpp"

namespace taskbarge::service::http {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t head_room = 16UL * 1024;
constexpr std::size_t body_room = 64UL * 1024;
constexpr std::string_view shortest_chunk = "0\r\n\r\n";

// Whether a request's line is one of some version, whichever.
bool names_version(std::string_view line) {
    constexpr std::string_view form = " HTTP/";
    if (line.size() < form.size() + 3 || std::ranges::count(line, ' ') != 2) return false;
    line.remove_prefix(line.size() - form.size() - 3);
    return line.starts_with(form) && is_digit(line[6]) && line[7] == '.' && is_digit(line[8]);
}

std::ptrdiff_t count(const request_head& head, std::string_view name) {
    return std::ranges::count_if(head.headers, [&](const auto& h) { return h.first == name; });
}

}  // namespace

// Beast's parser, with what it finds kept the way this module needs it.
class request_reader::parser final : public bhttp::basic_parser<true> {
 public:
    explicit parser(std::uint64_t body_limit_bytes) : chunks_left_(body_limit_bytes) {
        // The limits are the reader's: Beast would end a request that is too large before its head is known, and
        // counts a chunk again each time it looks at an unfinished line.
        header_limit(std::numeric_limits<std::uint32_t>::max());
        body_limit(boost::none);
    }

    request_head head;
    std::string target;
    int version = 11;
    bool expects_continue = false;
    std::string* piece = nullptr;  // of the body, while it is read

 private:
    using text = beast::string_view;

    void on_request_impl(bhttp::verb, text method, text target_text, int v, error_code&) override {
        head.method = std::string(method);
        target = std::string(target_text);
        version = v;
    }
    void on_response_impl(int, text, int, error_code&) override {}
    void on_field_impl(bhttp::field, text name, text value, error_code&) override {
        if (head_done_) return;  // a trailer
        head.headers.emplace_back(core::lower_case(name), std::string(value));
    }
    void on_header_impl(error_code&) override { head_done_ = true; }
    void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
    std::size_t on_body_impl(text body, error_code&) override { return keep(body); }
    void on_chunk_header_impl(std::uint64_t size, text extensions, error_code& ec) override {
        if (std::ranges::any_of(extensions, is_control)) ec = bhttp::error::bad_chunk_extension;
        if (size > chunks_left_) ec = bhttp::error::body_limit;
        if (!ec) chunks_left_ -= size;
    }
    std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override { return keep(body); }
    void on_finish_impl(error_code&) override {}

    std::size_t keep(text body) {
        piece->append(body.data(), body.size());
        return body.size();
    }

    bool head_done_ = false;
    std::uint64_t chunks_left_;  // bytes that they may still have
};

request_reader::request_reader(read_limits limits) : limits_(limits), parser_(std::make_unique<parser>(limits_.body)) {}
request_reader::~request_reader() = default;

asio::mutable_buffer request_reader::prepare() {
    return buffer_.prepare(head_read_ ? body_room : head_room);
}

void request_reader::commit(std::size_t count) {
    buffer_.commit(count);
}

void request_reader::append(std::string_view text) {
    const asio::mutable_buffer room = buffer_.prepare(text.size());
    std::memcpy(room.data(), text.data(), text.size());
    buffer_.commit(text.size());
}

std::string_view request_reader::bytes() const {
    const asio::const_buffer data = buffer_.cdata();
    return {static_cast<const char*>(data.data()), data.size()};
}

void request_reader::consume(std::size_t count) {
    buffer_.consume(count);
    taken_ += count;
}

bool request_reader::begun() const {
    return head_read_ || buffer_.size() > 0;
}

request_head& request_reader::head() {
    return parser_->head;
}

const request_head& request_reader::head() const {
    return parser_->head;
}

bool request_reader::keep_alive() const {
    return parser_->keep_alive();
}

bool request_reader::is_http_1_0() const {
    return parser_->version == 10;
}

bool request_reader::awaits_continue() const {
    return parser_->expects_continue && !parser_->is_done() && buffer_.size() == 0 && body_bytes_ == 0 && !wants_more_;
}

const response& request_reader::refusal() const {
    return refusal_;
}

bool request_reader::body_ended() const {
    return head_read_ && parser_->is_done();
}

body_error request_reader::body_failure() const {
    return body_failure_;
}

std::uint64_t request_reader::taken() const {
    return taken_;
}

progress request_reader::refuse(int status, std::string_view type, std::string_view title, std::string_view detail) {
    refusal_ = problem(status, type, title, detail);
    return progress::refused;
}

progress request_reader::malformed(std::string_view detail) {
    return refuse(400, "malformed-request", "The request is malformed", detail);
}

progress request_reader::read_head() {
    if (refusal_.status >= 400) return progress::refused;
    if (head_read_) return progress::ready;
    return scan();
}

// Beast lets some things pass by which two programs may see different requests in the same bytes; and it would wait
// for the head's end before it tells that there will be none.
progress request_reader::scan() {
    constexpr std::string_view line_end = "\r\n";
    if (scanned_ == 0 && !blank_line_seen_) {
        if (bytes() == line_end.substr(0, 1)) return progress::more;
        // Some old clients send one after a body (RFC 9112, 2.2).
        blank_line_seen_ = bytes().starts_with(line_end);
        if (blank_line_seen_) consume(line_end.size());
    }
    const std::string_view text = bytes();
    for (; scanned_ < std::min(text.size(), limits_.header); ++scanned_) {
        const char c = text[scanned_];
        const char before = scanned_ > 0 ? text[scanned_ - 1] : '\0';
        if ((c == '\n') != (before == '\r')) return malformed("A line ends with CR or LF alone; write CR LF.");
        if (c == '\n') {
            if (scanned_ == line_start_ + 1) return parse(scanned_ + 1);
            line_start_ = scanned_ + 1;
        } else if ((c == ' ' || c == '\t') && scanned_ == line_start_) {
            return malformed("A header goes on over several lines, which HTTP does not allow any more.");
        } else if (is_control(c) && c != '\r') {
            return malformed("There is a control character before the request's body.");
        }
    }
    if (text.size() < limits_.header) return progress::more;
    if (line_start_ == 0)
        return refuse(414, "target-too-long", "The request's target is too long", "Send long texts in the body.");
    return refuse(431, "headers-too-large", "The request's headers are too large",
                  "All headers together may have " + std::to_string(limits_.header) + " bytes.");
}

progress request_reader::parse(std::size_t head_size) {
    error_code ec;
    const std::size_t used = parser_->put(asio::const_buffer(buffer_.cdata().data(), head_size), ec);
    if (ec == bhttp::error::bad_version && names_version(bytes().substr(0, bytes().find('\r')))) {
        return refuse(505, "unsupported-version", "The HTTP version is not served", "Use HTTP/1.1.");
    }
    if (ec) return malformed("It is no HTTP/1.1 request: " + ec.message() + ".");
    if (used != head_size) return malformed("Its headers end early.");
    consume(used);
    if (const progress p = check_framing(); p != progress::ready) return p;
    if (const progress p = check_target(); p != progress::ready) return p;
    head_read_ = true;
    return progress::ready;
}

// How long the body is must be said once, in one way, or a proxy before us may see it end elsewhere.
progress request_reader::check_framing() {
    request_head& head = parser_->head;
    for (const std::string_view once : {"host", "content-length", "transfer-encoding", "authorization", "origin"}) {
        if (count(head, once) > 1) return malformed("The header " + std::string(once) + " is there more than once.");
    }
    if (!std::ranges::all_of(head.header("content-length"), is_digit))
        return malformed("The Content-Length is no plain number.");
    if (count(head, "transfer-encoding") > 0) {
        if (is_http_1_0()) return malformed("HTTP/1.0 has no Transfer-Encoding.");
        if (!equal_ignoring_case(head.header("transfer-encoding"), "chunked")) {
            return refuse(501, "unsupported-coding", "The transfer coding is not served",
                          "Send the body with a Content-Length, or with Transfer-Encoding: chunked alone.");
        }
    }
    if (const std::string_view expect = head.header("expect"); !expect.empty() && !is_http_1_0()) {
        if (!equal_ignoring_case(expect, "100-continue"))
            return refuse(417, "unsupported-expectation", "The expectation cannot be met", "Use 100-continue or none.");
        parser_->expects_continue = true;
    }
    if (const auto length = parser_->content_length()) head.content_length = *length;
    return progress::ready;
}

progress request_reader::check_target() {
    request_head& head = parser_->head;
    if (head.method == "CONNECT")
        return refuse(501, "unsupported-method", "The method is not served", "This is no proxy.");
    auto target = parse_target(parser_->target);
    if (!target) return refuse(400, "bad-target", "The request's target is not allowed", target.error().text);
    head.path = std::move(target->path);
    head.query = std::move(target->query);
    if (target->host.empty()) return progress::ready;
    // A target that names the host counts for more than the header (RFC 9112, 3.2.2), which must be there all the same.
    const auto host = std::ranges::find(head.headers, "host", [](const auto& h) { return std::string_view(h.first); });
    if (host != head.headers.end()) host->second = target->host;
    return progress::ready;
}

progress request_reader::fail_body(body_error why) {
    body_failure_ = why;
    return progress::refused;
}

progress request_reader::read_body(std::string& piece) {
    piece.clear();
    if (body_failure_ != body_error::none) return progress::refused;
    if (parser_->head.content_length.value_or(0) > limits_.body) return fail_body(body_error::too_large);
    parser_->piece = &piece;
    while (piece.empty() && !parser_->is_done()) {
        const std::string_view text = bytes();
        // Beast looks at an unfinished last chunk again only when it can be whole, or an assertion of its own fails.
        if (text.empty() || (wants_more_ && text.front() == '0' && text.size() < shortest_chunk.size()))
            return progress::more;
        error_code ec;
        const std::size_t used = parser_->put(asio::const_buffer(text.data(), text.size()), ec);
        consume(used);
        wants_more_ = ec == bhttp::error::need_more;
        if (wants_more_) return text.size() < limits_.header ? progress::more : fail_body(body_error::malformed);
        // However the network cuts the bytes, the line of a chunk, or the trailers, may have as many as a head.
        if (piece.empty() && used > limits_.header) return fail_body(body_error::malformed);
        if (ec) return fail_body(ec == bhttp::error::body_limit ? body_error::too_large : body_error::malformed);
    }
    body_bytes_ += piece.size();
    return progress::ready;
}

void request_reader::next() {
    if (!body_ended()) throw std::logic_error("the body of the request was not read");
    parser_ = std::make_unique<parser>(limits_.body);
    if (buffer_.capacity() > 2 * head_room) buffer_.shrink_to_fit();  // after an upload, for a wait that may be long
    taken_ = body_bytes_ = 0;
    scanned_ = line_start_ = 0;
    blank_line_seen_ = head_read_ = wants_more_ = false;
}

}  // namespace taskbarge::service::http
