#include "job/online/session.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

namespace taskbarge::job {

namespace asio = boost::asio;
using core::result;

namespace {

std::chrono::milliseconds since_zero(std::chrono::steady_clock::time_point t) {
    return std::chrono::floor<std::chrono::milliseconds>(t.time_since_epoch());
}

}  // namespace

namespace {

template <std::size_t... Route>
std::array<route_windows, route_count> windows_of_all_routes(const environment& env, std::index_sequence<Route...>) {
    return {route_windows(static_cast<route>(Route), env.settings, env.clock)...};
}

}  // namespace

session::session(const environment& env, asio::any_io_executor ex, ledger_writer& writer, client::apollo_client& client)
    : env_(env),
      executor_(std::move(ex)),
      writer_(writer),
      client_(client),
      windows_(windows_of_all_routes(env, std::make_index_sequence<route_count>())),
      bell_(executor_, env.waits) {
    const auto on_loop = [this] {
        for (auto* one : under_way_)
            one->stop();
        bell_.ring();
    };
    env_.stop.listen([ex = executor_, on_loop](stop_level) { asio::post(ex, on_loop); });
}

session::~session() {
    env_.stop.listen({});
}

asio::awaitable<bool> session::pause_until(std::chrono::steady_clock::time_point until) {
    while (env_.stop.level() == stop_level::none && env_.clock.steady_now() < until)
        co_await bell_.sleep_until(until);
    co_return env_.stop.level() == stop_level::none;
}

std::optional<core::instant> session::server_time() const {
    if (!least_server_time_) return std::nullopt;
    return core::instant(*least_server_time_ + since_zero(env_.clock.steady_now()));
}

void session::note_server_clock(std::optional<core::instant> shown) {
    if (!shown) return;
    const auto at_zero = shown->time_since_epoch() - since_zero(env_.clock.steady_now());
    least_server_time_ = std::min(least_server_time_.value_or(at_zero), at_zero);
}

namespace {

// As a child that a stop may end before it has a value.
asio::awaitable<void> put(asio::awaitable<client::exchange> request, client::exchange& x) {
    x.reach = client::reach::no_answer;
    x = co_await std::move(request);
}

asio::awaitable<client::exchange> take_apart(asio::awaitable<client::creation> request,
                                             std::optional<client::create_answer>& answer) {
    auto made = co_await std::move(request);
    answer = std::move(made.answer);
    co_return std::move(made.http);
}

// Apollo can only refuse it.
asio::awaitable<client::exchange> ask_for_nothing(client::apollo_client& client) {
    const std::string body = "{}";
    const core::task_view nothing;
    auto made = co_await client.bulk_create(body, nothing);
    co_return std::move(made.http);
}

// In a list for as long as it lives.
class listed {
 public:
    listed(std::list<async::task_group*>& list, async::task_group& group)
        : list_(list), at_(list.insert(list.end(), &group)) {}
    listed(const listed&) = delete;
    listed& operator=(const listed&) = delete;
    ~listed() { list_.erase(at_); }

 private:
    std::list<async::task_group*>& list_;
    std::list<async::task_group*>::iterator at_;
};

}  // namespace

asio::awaitable<client::exchange> session::answer_or_stop(asio::awaitable<client::exchange> request) {
    client::exchange x;
    x.reach = client::reach::not_sent;  // and stays so if the stop was there before
    x.error_code = "stopped";
    x.error_text = "stopped on request";
    if (env_.stop.level() != stop_level::none) co_return x;
    async::task_group one(executor_);
    const listed here(under_way_, one);
    one.spawn(put(std::move(request), x));
    co_await one.wait();
    co_return x;
}

asio::awaitable<client::creation> session::create(const std::string& body, const core::task_view& details) {
    client::creation made;
    std::optional<client::create_answer> answer;
    made.http = co_await answer_or_stop(take_apart(client_.bulk_create(body, details), answer));
    // Without a word of the client's it is what the exchange says: not sent, or without an answer.
    made.answer = answer ? std::move(*answer) : client::classify_bulk_create(made.http, details);
    co_return made;
}

template <class Call>
asio::awaitable<result<asked>> session::ask(route r, Call call) {
    auto& gate = windows(r);
    auto place = co_await writer_.ask<placed>([&gate](ledger::ledger& l) { return gate.take(l); });
    if (!place) co_return place.error();
    gate.set_seen(place->book);
    asked out;
    if (!place->decision.granted) {
        out.wait_until = place->decision.wait_until;
        out.after_answer = place->decision.after_answer;
        co_return out;
    }
    out.answer = co_await answer_or_stop(call());
    note_server_clock(out.answer->server_date);
    auto learnt = co_await writer_.ask<core::rate_book>([&gate, &x = *out.answer, taken_at = place->taken_at](
                                                            ledger::ledger& l) { return gate.learn(l, x, taken_at); });
    if (!learnt) co_return learnt.error();
    gate.set_seen(*learnt);
    if (out.answer->status == 429) out.wait_until = gate.peek().wait_until;
    co_return out;
}

asio::awaitable<result<asked>> session::search_page(std::uint32_t page, std::uint32_t per_page,
                                                    const std::vector<std::pair<std::string, std::string>>& filters) {
    auto call = [this, page, per_page, &filters] { return client_.search_tasks(page, per_page, filters); };
    co_return co_await ask(route::search, call);
}

asio::awaitable<result<asked>> session::users_page(std::uint32_t page) {
    auto call = [this, page] { return client_.search_users(page, users_per_page); };
    co_return co_await ask(route::users, call);
}

asio::awaitable<result<asked>> session::contacts_page(client::contact_search what) {
    auto call = [this, &what] { return client_.search_contacts(what); };
    co_return co_await ask(route::contacts_search, call);
}

asio::awaitable<result<asked>> session::contact(std::string id) {
    auto call = [this, &id] { return client_.contact(id); };
    co_return co_await ask(route::contact, call);
}

asio::awaitable<result<asked>> session::list(route r) {
    auto call = [this, r] { return r == route::labels ? client_.labels() : client_.contact_stages(); };
    co_return co_await ask(r, call);
}

asio::awaitable<result<asked>> session::create_contacts(std::string body) {
    auto call = [this, &body] { return client_.create_contacts(body); };
    co_return co_await ask(route::contacts_create, call);
}

asio::awaitable<result<asked>> session::create_nothing() {
    auto call = [this] { return ask_for_nothing(client_); };
    co_return co_await ask(route::bulk_create, call);
}

asio::awaitable<result<std::optional<client::exchange>>> session::learn_limits() {
    const auto asked_at = env_.clock.now();
    auto call = [this] { return client_.usage_stats(); };
    auto got = co_await ask(route::usage_stats, call);
    if (!got) co_return got.error();
    auto& answer = got->answer;
    if (!answer || answer->status != 200) co_return std::move(answer);
    auto stats = client::read_usage_stats(*answer);
    if (!stats) co_return std::move(answer);  // the headers of the first answer will do
    for (const auto& usage : *stats) {
        for (std::size_t i = 0; i < route_count; ++i) {
            const auto r = static_cast<route>(i);
            if (usage.controller + "/" + usage.action != "api/v1/" + std::string(to_string(r))) continue;
            auto& gate = windows(r);
            auto learnt = co_await writer_.ask<core::rate_book>([&](ledger::ledger& l) {
                return gate.change(l, [&](core::rate_book& book) {
                    client::observe_usage(book, env_.settings.limits, usage.usage, asked_at, env_.clock.now());
                });
            });
            if (!learnt) co_return learnt.error();
            gate.set_seen(*learnt);
        }
    }
    co_return std::move(answer);
}

}  // namespace taskbarge::job
