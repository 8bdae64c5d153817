#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "service/api/answers.hpp"
#include "service/api/routes.hpp"

namespace taskbarge::service {

using http::problem;
using http::request;
using http::response;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t most_event_streams = 64;

// They stay for ever and are not cut for others: they must leave places.
std::size_t most_streams(std::size_t connections) {
    return std::clamp<std::size_t>(connections / 2, 1, most_event_streams);
}

}  // namespace

awaitable<void> event_route::stream(request& x, const path_values&) {
    constexpr auto heartbeat = 15s;
    std::optional<core::job_id> only;
    std::optional<response> bad;
    if (const auto job = x.head().parameter("job")) {
        only = parse_job(*job);
        if (!only) bad = bad_parameter("job", "must be a job's number");
    }
    if (parts_.events.listeners() >= most_streams(parts_.configuration.get()->settings.serve.connections))
        bad = in_a_minute(
            problem(503, "too-many-streams", "Too many event streams are open", "Close one, or try again later."));
    if (bad) {
        co_await x.reply(std::move(*bad));
        co_return;
    }
    const auto last = x.head().header("last-event-id");
    event_hub::listener ear(parts_.events, parse_number<std::uint64_t>(last));
    http::header_list headers;
    co_await x.begin(200, "text/event-stream", std::move(headers));
    bool wanted = co_await x.write("retry: 2000\n\n");
    using steady = std::chrono::steady_clock;
    auto beat = steady::now() + heartbeat;
    while (wanted && !x.stopping()) {
        const auto left = std::max(steady::duration::zero(), beat - steady::now());
        const auto next = co_await ear.next(std::chrono::ceil<std::chrono::milliseconds>(left));
        std::string text = ": still here\n\n";
        if (const auto lost = ear.take_lost()) {
            text = fmt::format("event: lost\ndata: {{\"events\":{}}}\n\n", lost);
            wanted = co_await x.write(text);
            text.clear();
        }
        if (next) {
            // Others' events do not tell whether the client is still there.
            const bool others = only && next->job != *only;
            if (others && steady::now() < beat) continue;
            if (!others) text = fmt::format("id: {}\nevent: {}\ndata: {}\n\n", next->id, next->type, next->data);
        }
        if (wanted && !text.empty()) wanted = co_await x.write(text);
        beat = steady::now() + heartbeat;
    }
    co_await x.end();
}

}  // namespace taskbarge::service
