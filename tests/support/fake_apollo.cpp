#include "support/fake_apollo.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "taskbarge/core/json_text.hpp"

namespace taskbarge::testing {

namespace asio = boost::asio;
using client::exchange;

namespace {

std::string shown(const client::seen_task& t) {
    std::string out;
    core::json_object o(out);
    o.text("id", t.id);
    o.text("contact_id", t.contact_id);
    o.text("user_id", t.user_id);
    o.text("type", t.type);
    o.text("priority", t.priority);
    o.text("status", t.status);
    o.text("note", t.note);
    if (t.due_at) o.time_or_null("due_at", t.due_at);
    if (t.created_at) o.time_or_null("created_at", t.created_at);
    o.close();
    return out;
}

std::string shown_in_short(const client::seen_task& t) {
    std::string out;
    core::json_object o(out);
    o.text("id", t.id);
    o.text("contact_id", t.contact_id);
    o.close();
    return out;
}

std::string list_of(const std::vector<std::string>& items) {
    return core::json_list(items, [](std::string& out, const std::string& item) { out += item; });
}

std::string text_of(const simdjson::dom::element& o, std::string_view key, std::string_view otherwise) {
    std::string_view value = otherwise;
    if (o[key].get(value) != simdjson::SUCCESS) value = otherwise;
    return std::string(value);
}

client::seen_task details_in(const simdjson::dom::element& request) {
    client::seen_task t;
    t.user_id = text_of(request, "user_id", "");
    t.type = text_of(request, "type", "");
    t.priority = text_of(request, "priority", "medium");
    t.status = text_of(request, "status", "");
    t.note = text_of(request, "note", "");
    t.due_at = core::parse_rfc3339(text_of(request, "due_at", ""));
    return t;
}

}  // namespace

// Ids ascend with time, as Apollo's do.
std::string fake_apollo::make_id() {
    return fmt::format("6a{:022x}", ++made_);
}

std::string fake_apollo::add(client::seen_task task) {
    if (task.id.empty()) task.id = make_id();
    tasks_.push_back({std::move(task), {}});
    return tasks_.back().task.id;
}

void fake_apollo::remove(std::string_view id) {
    std::erase_if(tasks_, [&](const stored& s) { return s.task.id == id; });
}

std::uint64_t fake_apollo::count_of(std::string_view contact_id) const {
    return static_cast<std::uint64_t>(
        std::count_if(tasks_.begin(), tasks_.end(), [&](const stored& s) { return s.task.contact_id == contact_id; }));
}

exchange fake_apollo::answer(int status, std::string body) const {
    exchange x;
    x.reach = client::reach::answered;
    x.status = status;
    x.content_type = "application/json";
    x.request_id = fmt::format("req-{}-{}", create_requests_, search_requests_);
    x.server_date = std::chrono::floor<std::chrono::seconds>(its_time());
    x.bytes_sent = x.bytes_received = body.size();
    x.body = std::move(body);
    for (auto& w : x.rates.windows) {
        w.present = true;
        w.unlimited = true;
    }
    if (day_limit) {
        const auto used = create_requests_ - day_began;
        x.rates.windows[static_cast<std::size_t>(core::window_kind::day)] = {true, false, day_limit, used,
                                                                             *day_limit - used};
    }
    return x;
}

asio::awaitable<client::creation> fake_apollo::bulk_create(const std::string& body, const core::task_view& asked) {
    client::creation made;
    made.http = co_await create(body);
    made.answer = client::classify_bulk_create(made.http, asked);
    co_return made;
}

asio::awaitable<exchange> fake_apollo::create(const std::string& body) {
    creation how;
    if (!creations.empty()) {
        how = creations.front();
        creations.pop_front();
    }
    exchange lost;
    if (!how.connects) {
        (void)co_await say_nothing();
        lost.error_code = "stopped";
        co_return lost;
    }
    if (!how.sent) {
        lost.error_code = "connect_failed";
        lost.error_text = "connection refused";
        co_return lost;
    }
    ++create_requests_;
    simdjson::dom::parser parser;
    const simdjson::dom::element request = parser.parse(body);
    std::vector<std::string> contacts;
    for (const auto contact : request["contact_ids"].get_array())
        contacts.emplace_back(std::string_view(contact));
    if (refuses)
        if (auto words = refuses(contacts)) co_return answer(422, std::move(*words));
    std::vector<std::string> named;
    for (const auto& contact : contacts) {
        if (!how.applied) break;
        auto task = details_in(request);
        task.id = make_id();
        task.contact_id = contact;
        task.created_at = its_time();
        if (named.size() < how.named) named.push_back(shows_details ? shown(task) : shown_in_short(task));
        tasks_.push_back({std::move(task), clock_.now() + how.lag});
    }
    if (how.status == 0) {
        lost.reach = client::reach::no_answer;
        lost.error_code = "connection_lost";
        lost.error_text = "the connection was lost";
        co_return lost;
    }
    if (how.status != 200) {
        auto x = answer(how.status, R"({"error":"as the test wanted it"})");
        x.retry_after = how.retry_after;
        auto& minute = x.rates.windows[static_cast<std::size_t>(core::window_kind::minute)];
        minute.present = minute.present || how.minute_limit;
        if (how.minute_limit) minute.unlimited = false;
        if (how.minute_limit) minute.limit = how.minute_limit;
        co_return x;
    }
    auto text = fmt::format(R"({{"success":true,"tasks":{}}})", list_of(named));
    const auto again = how.answers_again ? std::exchange(last_answer_, text) : std::string();
    last_answer_ = text;
    if (!again.empty() || left_over_) {
        auto late = left_over_ ? std::move(*left_over_) : again;
        left_over_.reset();
        if (keeps_connection) left_over_ = std::move(text);
        text = std::move(late);
    }
    auto x = answer(200, std::move(text));
    x.connection = connection_;
    co_return x;
}

void fake_apollo::close() {
    ++closings_;
    ++connection_;
    left_over_.reset();
}

const client::seen_task& fake_apollo::task(std::string_view id) const {
    return std::find_if(tasks_.begin(), tasks_.end(), [&](const stored& s) { return s.task.id == id; })->task;
}

std::vector<const fake_apollo::stored*> fake_apollo::listed(const std::string& contact_filter) const {
    std::vector<const stored*> out;
    for (const auto& s : tasks_)
        if (s.visible_from <= clock_.now() && (contact_filter.empty() || s.task.contact_id == contact_filter))
            out.push_back(&s);
    const auto due = [](const stored* s) { return s->task.due_at.value_or(core::instant::min()); };
    if (sorted == order::by_due_date)
        std::stable_sort(out.begin(), out.end(), [&](auto* a, auto* b) { return due(a) > due(b); });
    if (sorted == order::oldest_due_first)
        std::stable_sort(out.begin(), out.end(), [&](auto* a, auto* b) { return due(a) < due(b); });
    return out;
}

// Counts a search in its window; false: there is no place.
bool fake_apollo::count_search(exchange& x) {
    if (search_limit == 0) return true;
    const auto now = clock_.now();
    if (!window_opened_ || now >= *window_opened_ + search_window) {
        window_opened_ = now;
        in_window_ = 0;
    }
    const bool place = in_window_ < search_limit;
    in_window_ += place ? 1 : 0;
    auto& minute = x.rates.windows[static_cast<std::size_t>(core::window_kind::minute)];
    minute.unlimited = false;
    minute.limit = search_limit;
    minute.used = in_window_;
    minute.left = search_limit - in_window_;
    return place;
}

asio::awaitable<exchange> fake_apollo::search_tasks(std::uint32_t page, std::uint32_t per_page,
                                                    const std::vector<std::pair<std::string, std::string>>& filters) {
    ++search_requests_;
    if (on_search) on_search(search_requests_);
    if (silent) co_return co_await say_nothing();
    if (search_status != 0) co_return answer(search_status, R"({"error":"as the test wanted it"})");
    auto x = answer(200, "");
    if (!count_search(x)) {
        ++search_refusals_;
        x.status = 429;
        x.body =
            R"({"message":"The maximum number of api calls allowed for api/v1/tasks/search is 3 times per minute."})";
        x.retry_after = "1";
        co_return x;
    }
    std::string contact;
    for (const auto& [key, value] : filters)
        if (honours_contact_filter && key == "contact_id") contact = value;
    const auto all = listed(contact);
    const std::uint64_t begin = std::uint64_t{page - 1} * per_page;
    if (begin >= visible && page > 1) co_return answer(422, R"({"error":"Page not supported"})");
    const auto end = std::min<std::uint64_t>({begin + per_page, all.size(), visible});
    std::vector<std::string> tasks;
    for (auto i = begin; i < end; ++i)
        if (!hides || !hides(all[i]->task)) tasks.push_back(shown(all[i]->task));
    x.body =
        fmt::format(R"({{"tasks":{},"pagination":{{"page":{},"per_page":{},"total_entries":{},"total_pages":{}}}}})",
                    list_of(tasks), page, per_page, all.size(), (all.size() + per_page - 1) / per_page);
    co_return x;
}

asio::awaitable<exchange> fake_apollo::search_users(std::uint32_t, std::uint32_t) {
    co_return answer(404, "{}");
}

asio::awaitable<exchange> fake_apollo::search_contacts(const client::contact_search&) {
    co_return answer(404, "{}");
}
asio::awaitable<exchange> fake_apollo::contact(const std::string&) {
    co_return answer(404, "{}");
}
asio::awaitable<exchange> fake_apollo::create_contacts(const std::string&) {
    co_return answer(404, "{}");
}
asio::awaitable<exchange> fake_apollo::contact_stages() {
    co_return answer(404, "{}");
}
asio::awaitable<exchange> fake_apollo::labels() {
    co_return answer(404, "{}");
}

// Bounded, for a test that fails.
asio::awaitable<exchange> fake_apollo::say_nothing() {
    if (on_silence) on_silence();
    asio::steady_timer patience(co_await asio::this_coro::executor, std::chrono::seconds(20));
    co_await asio::this_coro::throw_if_cancelled(false);
    boost::system::error_code cut_off;
    co_await patience.async_wait(asio::redirect_error(asio::use_awaitable, cut_off));
    if (cut_off) ++left_off;
    exchange x;
    x.reach = client::reach::no_answer;
    co_return x;
}

asio::awaitable<exchange> fake_apollo::usage_stats() {
    if (silent) co_return co_await say_nothing();
    if (counted_today == 0) co_return answer(403, R"({"error":"no","error_code":"API_INACCESSIBLE"})");
    co_return answer(
        200, fmt::format(
                 R"({{"[\"api/v1/tasks\", \"bulk_create\"]":{{"day":{{"limit":6000,"consumed":{},"left_over":{}}}}}}})",
                 counted_today, 6000 - counted_today));
}

}  // namespace taskbarge::testing
