#include "raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

namespace taskbarge::testing {

namespace {

constexpr int patience = 10'000;  // milliseconds
constexpr int blocked = 300;      // milliseconds

}  // namespace

std::string received::header(std::string_view name) const {
    for (const auto& [n, value] : headers)
        if (n == name) return value;
    return {};
}

raw_client::raw_client() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (socket_ < 0) throw std::runtime_error("no socket");
    const timeval limit{patience / 1000, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

raw_client::raw_client(std::uint16_t port) : raw_client() {
    connect(port);
}

raw_client::raw_client(raw_client&& o) noexcept
    : socket_(std::exchange(o.socket_, -1)), buffer_(std::move(o.buffer_)), ended_(o.ended_), reset_(o.reset_) {}

raw_client::~raw_client() {
    close();
}

void raw_client::connect(std::uint16_t port) {
    if (!try_connect(port)) throw std::runtime_error("cannot connect");
}

bool raw_client::try_connect(std::uint16_t port) {
    sockaddr_in there{};
    there.sin_family = AF_INET;
    there.sin_port = htons(port);
    there.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket_, reinterpret_cast<const sockaddr*>(&there), sizeof(there)) == 0;
}

void raw_client::take_little() {
    const int bytes = 4096;
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

bool raw_client::send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

std::size_t raw_client::send_until_blocked(std::string_view bytes) {
    std::size_t all = 0;
    while (all < bytes.size()) {
        pollfd look{socket_, POLLOUT, 0};
        if (::poll(&look, 1, blocked) <= 0) break;
        const ssize_t sent = ::send(socket_, bytes.data() + all, bytes.size() - all, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && errno == EAGAIN) continue;
        if (sent <= 0) break;
        all += static_cast<std::size_t>(sent);
    }
    return all;
}

bool raw_client::fill() {
    char bytes[16 * 1024];
    const ssize_t got = ::recv(socket_, bytes, sizeof(bytes), 0);
    if (got > 0) {
        buffer_.append(bytes, static_cast<std::size_t>(got));
        return true;
    }
    reset_ = got < 0 && errno == ECONNRESET;
    ended_ = got == 0 || reset_;
    return false;
}

std::string raw_client::take_line() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n")) == std::string::npos)
        if (!fill()) return {};
    std::string line = buffer_.substr(0, end);
    buffer_.erase(0, end + 2);
    return line;
}

received raw_client::read(body_of what) {
    received r;
    const std::string first = take_line();
    if (!first.starts_with("HTTP/1.1 ")) return r;
    r.status = std::stoi(first.substr(9, 3));
    for (std::string line = take_line(); !line.empty(); line = take_line()) {
        const std::size_t colon = line.find(": ");
        if (colon == std::string::npos) throw std::runtime_error("no header: " + line);
        r.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    }
    const auto take = [&](std::size_t count) {
        while (buffer_.size() < count)
            if (!fill()) return false;
        r.body += buffer_.substr(0, count);
        buffer_.erase(0, count);
        return true;
    };
    if (what == body_of::head || r.status == 204 || r.status == 100) {
        r.whole = true;
    } else if (const std::string length = r.header("Content-Length"); !length.empty()) {
        r.whole = take(std::stoul(length));
    } else if (r.header("Transfer-Encoding") == "chunked") {
        for (;;) {
            const std::string line = take_line();
            if (line.empty()) break;
            const std::size_t size = std::stoul(line, nullptr, 16);
            if (size > 0 && !take(size)) break;
            if (!take_line().empty()) throw std::runtime_error("a chunk is longer than it says");
            r.whole = size == 0 && !ended_;
            if (size == 0) break;
        }
    } else {
        while (fill()) {
        }
        r.whole = ended_ && !reset_;
        r.body = std::exchange(buffer_, {});
    }
    return r;
}

std::string raw_client::read_some() {
    if (buffer_.empty()) fill();
    return std::exchange(buffer_, {});
}

bool raw_client::readable(int milliseconds) {
    pollfd look{socket_, POLLIN, 0};
    return !buffer_.empty() || ::poll(&look, 1, milliseconds) > 0;
}

std::string raw_client::read_to_end() {
    while (fill()) {
    }
    return std::exchange(buffer_, {});
}

void raw_client::end_sending() {
    ::shutdown(socket_, SHUT_WR);
}

void raw_client::close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace taskbarge::testing
