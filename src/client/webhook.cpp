#include "taskbarge/client/webhook.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>

#include "client/connection.hpp"
#include "client/text.hpp"
#include "taskbarge/async/deadline.hpp"

namespace taskbarge::client {

namespace asio = boost::asio;

namespace {

// Receivers answer a word or two; what is longer is not waited for.
constexpr std::uint64_t answer_limit = 1U << 20U;

asio::awaitable<std::optional<connect_problem>> open_by_value(connection& link) {
    co_await asio::this_coro::throw_if_cancelled(false);
    co_return co_await link.open();
}

asio::awaitable<void> deliver(connection_plan& plan, std::chrono::milliseconds limit, std::string_view request,
                              exchange& x) {
    const auto began = connection::clock::now();
    const auto until = began + limit;
    connection link(co_await asio::this_coro::executor, plan, 1);
    const auto opened = co_await async::with_deadline(open_by_value(link), limit);
    const auto out_of_time = [&] {
        return connect_problem{"connect_timeout",
                               fmt::format("no connection to {} within {} ms", plan.to.host_header, limit.count())};
    };
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - connection::clock::now());
    if (opened && *opened && (*opened)->code != "stopped") {
        not_sent(x, **opened);
    } else if (!opened || *opened || left.count() <= 0) {
        not_sent(x, out_of_time());
    } else {
        plan.request_timeout = left;
        co_await link.exchange_once(request, async::outer_stop::held_back, x);
        // The status is all that is asked for: a body that broke off takes nothing from it. Nor is any text of the
        // receiver's kept, which may repeat the URL or what the headers hold.
        if (x.reach == reach::no_answer && link.head_status() != 0) {
            x.reach = reach::answered;
            x.status = link.head_status();
            x.error_code.clear();
            x.error_text.clear();
        }
        x.body.clear();
        x.content_type.clear();
        x.request_id.clear();
    }
    x.took = std::chrono::duration_cast<std::chrono::milliseconds>(connection::clock::now() - began);
}

}  // namespace

core::result<exchange> post(const webhook& to, const header_fields& headers, std::string_view body) {
    const auto where = parse_webhook_url(to.url, to.setting.c_str());
    if (!where) return where.error();
    const auto proxy = parse_proxy(to.proxy);
    if (!proxy) return proxy.error();
    const auto tls = tls_context::make(to.ca_file, where->ca_setting);
    if (!tls) return tls.error();

    const std::string agent = to.user_agent.empty() ? "taskbarge" : to.user_agent;
    std::string request = fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: */*\r\nConnection: close\r\n"
        "Content-Type: {}\r\nContent-Length: {}\r\n",
        where->path, where->host_header, agent, to.content_type, body.size());
    if (!fits_a_header(agent) || !fits_a_header(to.content_type))
        return core::failure{core::errc::settings, "the user agent holds a character that no header may have"};
    for (const auto& [name, value] : headers) {
        if (!fits_a_header(name) || !fits_a_header(value))
            return core::failure{core::errc::settings,
                                 "a header of the notification holds a character that none may have"};
        fmt::format_to(std::back_inserter(request), "{}: {}\r\n", name, value);
    }
    request += "\r\n";
    request += body;

    connection_plan plan;
    plan.to = *where;
    if (where->tls) plan.proxy = *proxy;
    plan.tls = *tls;
    plan.connect_timeout = to.timeout;
    plan.answer_limit = answer_limit;

    exchange x;
    std::exception_ptr bug;
    asio::io_context io(1);
    asio::co_spawn(io, deliver(plan, to.timeout, request, x), [&](const std::exception_ptr& e) {
        bug = e;
        io.stop();  // what a look-up that was left behind still finds is of no use
    });
    io.run();
    if (bug) std::rethrow_exception(bug);
    return x;
}

}  // namespace taskbarge::client
