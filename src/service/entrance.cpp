#include "service/entrance.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

namespace taskbarge::service {

using core::errc;
using core::result;

result<void> check_entrance(const configuration& c) {
    if (!c.read_token.empty()) {
        if (c.token.empty())
            return core::failure{errc::settings,
                                 "serve.read_token_file (or TASKBARGE_READ_TOKEN) is set, and there is no token for "
                                 "anything else: set serve.token_file (or TASKBARGE_TOKEN) as well"};
        if (auto fit = http::check_token(c.read_token); !fit) return fit;
        if (c.read_token.reveal() == c.token.reveal())
            return core::failure{
                errc::settings,
                "the token for reading is the same as the other one; make one of its own with: openssl "
                "rand -hex 32"};
    }
    if (!c.token.empty()) return http::check_token(c.token);
    if (!http::is_loopback(c.settings.serve.listen))
        return core::failure{
            errc::settings,
            fmt::format("serve.listen = {} can be reached from other machines, and there is no token: set "
                        "serve.token_file (or TASKBARGE_TOKEN), or listen on 127.0.0.1",
                        c.settings.serve.listen)};
    return {};
}

result<void> entrance::open(http::router routes) {
    router_ = std::move(routes);
    const auto configuration = parts_.configuration.get();
    const auto& s = configuration->settings.serve;
    http::server_options o;
    o.listen = s.listen;
    o.most_connections = s.connections;
    o.body_limit = s.upload_limit;
    auto handle = [this](http::request& x) { return answer(x); };
    auto noted = [this](const http::served& one) { note(one); };
    auto opened = http::server::open(parts_.executor, o, handle, noted);
    if (!opened) return opened.error();
    server_ = std::move(*opened);
    reloaded();
    return {};
}

void entrance::reloaded() {
    const auto configuration = parts_.configuration.get();
    guard_ = std::make_unique<http::guard>(http::guard_options{configuration->token, server_->where(),
                                                               configuration->settings.serve.allowed_hosts,
                                                               configuration->read_token});
    parts_.tickets.forget();
}

boost::asio::awaitable<void> entrance::answer(http::request& x) {
    const auto ticket = x.head().method == "GET" ? x.head().parameter("ticket") : std::nullopt;
    auto refused = guard_->refuse(x.head(), ticket && parts_.tickets.redeem(*ticket, x.head().path));
    if (refused)
        co_await x.reply(std::move(*refused));
    else
        co_await router_.handle(x);
}

void entrance::note(const http::served& one) {
    const auto name = one.path.empty() ? std::string() : router_.name_of(one.method, one.path);
    parts_.counts.http_served(name.empty() ? "other" : name, one.status, one.took);
    const auto level = !one.error.empty()                     ? log_level::error
                       : one.status >= 500 || one.status == 0 ? log_level::warning
                       : one.method == "GET"                  ? log_level::debug
                                                              : log_level::info;
    parts_.lines.write(level, "request",
                       {{"id", one.id},
                        {"client", one.client},
                        {"method", one.method},
                        {"path", one.path},
                        {"status", static_cast<std::int64_t>(one.status)},
                        {"bytes_in", one.bytes_in},
                        {"bytes_out", one.bytes_out},
                        {"microseconds", static_cast<std::int64_t>(one.took.count())}},
                       one.error);
}

}  // namespace taskbarge::service
