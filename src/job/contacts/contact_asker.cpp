#include "job/contacts/contact_asker.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "taskbarge/async/task_group.hpp"
#include "taskbarge/ledger/contact_lock.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::errc;
using core::failure;
using core::result;

namespace {

constexpr std::uint32_t most_troubles = 6;  // one after the other

asio::awaitable<void> put_answer(contact_asker::call ask, std::optional<result<asked>>& out) {
    out = co_await ask();
}

failure interrupted() {
    return {errc::interrupted, "stopped while contacts were looked up; run the same command again"};
}

}  // namespace

failure cannot_find_contacts(errc code, route r, const std::string& why) {
    return {code, fmt::format("contacts could not be looked up in Apollo ({}): {}", to_string(r), why)};
}

std::vector<ledger::contact_record> records_of(const std::vector<client::seen_contact>& contacts) {
    std::vector<ledger::contact_record> out;
    out.reserve(contacts.size());
    for (const auto& c : contacts) {
        auto& record = out.emplace_back();
        record.id = c.id;
        record.owner_id = c.owner_id;
        record.created_at = c.created_at;
        record.active_at = c.active_at;
        for (const auto& key : c.keys)
            record.keys.push_back({key.kind, key.text, key.primary});
    }
    return out;
}

contact_asker::contact_asker(session& s, finding_end& end)
    : s_(s), end_(end), team_(contact_team_of(s.env().settings)) {}

asio::awaitable<result<ledger::contact_index>> contact_asker::load_index() {
    auto ask = [team = team_](ledger::ledger& l) { return l.contacts().index(team); };
    co_return co_await s_.writer().ask<ledger::contact_index>(ask);
}

asio::awaitable<result<std::unique_ptr<ledger::job_lock>>> contact_asker::turn() {
    constexpr auto pause = std::chrono::seconds(1);
    const auto begun = env().clock.now();
    while (true) {
        auto got = ledger::lock_contacts(env().settings.ledger.path);
        if (got || got.error().code != errc::job_held) co_return got;
        const auto then = env().clock.now() + pause;
        auto waited = co_await wait_until(then, "another run that asks for contacts", then - begun);
        if (!waited) co_return waited.error();
    }
}

// No waiting helps where this key may not ask; other sources do.
failure contact_asker::refused(const failure& why, route r) const {
    if (why.code == errc::forbidden)
        return {errc::input, cannot_find_contacts(why.code, r, why.text).text +
                                 fmt::format("; a key with the right to {} is needed, or a file of contacts that "
                                             "Apollo exported: taskbarge contacts load FILE",
                                             to_string(r))};
    // A wrong URL is no matter of this input: a service must not take it for one.
    return cannot_find_contacts(why.code == errc::settings ? errc::unreachable : why.code, r, why.text);
}

failure contact_asker::over_budget(std::uint64_t needed, const std::string& what) const {
    return {errc::input,
            fmt::format("{}: with these {} requests would be spent on finding contacts, contacts.budget allows {}; "
                        "raise it (--set contacts.budget={}), or load a file of contacts that Apollo exported: "
                        "taskbarge contacts load FILE",
                        what, end_.requests + needed, env().settings.contacts.budget, end_.requests + needed)};
}

bool contact_asker::fits(std::uint64_t needed) const {
    return needed <= left_to_spend();
}

std::uint64_t contact_asker::left_to_spend() const {
    const std::uint64_t budget = env().settings.contacts.budget;
    return budget - std::min(budget, end_.requests);
}

asio::awaitable<result<contact_asker::exchanges>> contact_asker::ask_together(std::vector<call> calls, route r) {
    if (env().stop.level() != stop_level::none) co_return interrupted();
    std::vector<std::optional<result<asked>>> got(calls.size());
    {
        async::task_group group(s_.executor());
        for (std::size_t i = 0; i < calls.size(); ++i)
            group.spawn(put_answer(calls[i], got[i]));
        co_await group.wait();
    }
    exchanges out(calls.size());
    bool any = false, very_soon = false;
    std::optional<core::instant> wait;
    std::string trouble = "no answer";
    for (std::size_t i = 0; i < got.size(); ++i) {
        if (!got[i]) continue;
        if (!*got[i]) co_return got[i]->error();
        auto& one = **got[i];
        if (one.answer && one.answer->reach != client::reach::not_sent) ++end_.requests;
        if (one.wait_until) {
            wait = std::max(wait.value_or(*one.wait_until), *one.wait_until);
            very_soon = very_soon || one.after_answer;
            continue;
        }
        const auto& x = *one.answer;
        if (x.reach != client::reach::answered || x.status >= 500 || x.status == 408) {
            trouble = x.reach == client::reach::answered ? fmt::format("status {}", x.status) : x.error_text;
            continue;
        }
        any = true;
        out[i] = std::move(one.answer);
    }
    if (any) {
        troubles_ = 0;
        co_return out;
    }
    if (wait && very_soon) wait = std::min(*wait, env().clock.now() + std::chrono::milliseconds(100));
    if (!wait) {
        // An outage is no window: nobody knows when it ends.
        const auto pause = env().settings.send.backoff_base * (1u << ++troubles_);
        if (troubles_ >= most_troubles || pause > env().settings.send.max_wait)
            co_return cannot_find_contacts(errc::unreachable, r, trouble);
        wait = env().clock.now() + pause;
    }
    auto waited = co_await wait_for_window(r, *wait);
    if (!waited) co_return waited.error();
    co_return out;
}

// A coroutine of its own, so that the text lives as long as the wait.
asio::awaitable<result<void>> contact_asker::wait_for_window(route r, core::instant then) {
    const auto window = fmt::format("the {} window of {}", core::to_string(s_.windows(r).peek().binding), to_string(r));
    auto waited = co_await wait_until(then, window);
    co_return waited;
}

asio::awaitable<result<void>> contact_asker::wait_until(core::instant then, const std::string& what,
                                                        std::optional<std::chrono::milliseconds> all) {
    const auto now = env().clock.now();
    if (all.value_or(then - now) > env().settings.send.max_wait) {
        end_.resume_at = then;
        co_return failure{errc::waiting,
                          fmt::format("contacts are looked up in Apollo, which has to wait for {} until {}; what was "
                                      "read is kept: run the same command again then (the service does by itself)",
                                      what, core::to_rfc3339_seconds(then))};
    }
    auto p = so_far();
    p.waiting_for = what;
    p.waiting_until = then;
    env().watch.on_progress(p);
    const bool waited = co_await s_.pause_until(env().clock.steady_now() + (then - now));
    co_return waited ? result<void>() : result<void>(interrupted());
}

asio::awaitable<result<void>> contact_asker::unusable(failure why, route r) {
    const auto pause = env().settings.send.backoff_base * (1u << ++unusable_);
    if (why.code != errc::waiting || unusable_ >= most_troubles || pause > env().settings.send.max_wait)
        co_return refused(why, r);
    auto waited = co_await wait_until(env().clock.now() + pause, fmt::format("a usable answer of {}", to_string(r)));
    co_return waited;
}

void contact_asker::show(std::uint64_t read, std::uint64_t total) const {
    shown_read_ = read;
    shown_total_ = total;
    env().watch.on_progress(so_far());
}

progress contact_asker::so_far() const {
    progress p;
    p.phase = phase::finding;
    p.contacts_read = shown_read_;
    p.contacts_total = shown_total_;
    return p;
}

}  // namespace taskbarge::job
