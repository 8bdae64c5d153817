#include "job/contacts/contact_creator.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using client::new_contact;
using core::errc;
using core::failure;
using core::key_kind;
using core::result;

namespace {

constexpr int most_doubts = 3;

}  // namespace

std::vector<std::pair<key_kind, std::string>> keys_of(const new_contact& c) {
    std::vector<std::pair<key_kind, std::string>> out;
    const auto add = [&](key_kind kind, const std::string& key) {
        if (!key.empty()) out.emplace_back(kind, key);
    };
    add(key_kind::email, c.email);
    add(key_kind::salesforce_id, c.salesforce_contact_id);
    add(key_kind::salesforce_id, c.salesforce_lead_id);
    add(key_kind::hubspot_id, c.hubspot_id);
    return out;
}

result<bool> contact_creator::is_there(ledger::contact_store& store, const new_contact& contact) const {
    for (const auto& [kind, key] : keys_of(contact)) {
        auto found = store.find(ask_.team(), kind, key);
        if (!found) return found.error();
        for (const auto& match : *found)
            if (match.primary || ask_.env().settings.contacts.additional_emails) return true;
    }
    return false;
}

result<void> contact_creator::note(ledger::contact_store& store, const new_contact& contact, core::instant now,
                                   const std::string& refused) const {
    for (const auto& [kind, key] : keys_of(contact))
        if (auto r = store.note_creation(ask_.team(), kind, key, {now, refused}); !r) return r;
    return {};
}

result<void> contact_creator::forget(ledger::contact_store& store, const new_contact& contact) const {
    for (const auto& [kind, key] : keys_of(contact))
        if (auto r = store.forget_creation(ask_.team(), kind, key); !r) return r;
    return {};
}

asio::awaitable<result<void>> contact_creator::create(std::vector<new_contact> wanted, std::string label) {
    for (int doubts = 0;;) {
        auto left = co_await settle(std::move(wanted));
        if (!left) co_return left.error();
        std::vector<batch> queue;
        for (auto at = left->begin(); at != left->end();) {
            const auto end = at + std::min<std::ptrdiff_t>(most_together, left->end() - at);
            queue.emplace_back(at, end);
            at = end;
        }
        const auto all = left->size();
        std::size_t done = 0;
        bool doubt = false;
        while (!queue.empty() && !doubt) {
            const batch contacts = std::move(queue.back());
            queue.pop_back();
            if (!ask_.fits(1)) co_return ask_.over_budget(1 + queue.size(), "creating the contacts that are missing");
            auto sent = co_await send(contacts, label, queue);
            if (!sent) co_return sent.error();
            if (*sent == outcome::again) queue.push_back(contacts);
            doubt = *sent == outcome::in_doubt;
            done += *sent == outcome::settled ? contacts.size() : 0;
            ask_.show(std::min(done, all), all);
        }
        if (!doubt) co_return result<void>();
        if (++doubts == most_doubts)
            co_return cannot_find_contacts(errc::waiting, route::contacts_create,
                                           "several requests in a row were not answered, and may have been carried "
                                           "out; run again later");
        wanted = std::move(*left);
    }
}

// Those that are not there yet, and of which no request is open any more.
asio::awaitable<result<contact_creator::batch>> contact_creator::settle(batch wanted) {
    auto look = [this, &wanted](ledger::ledger& l) -> result<std::optional<core::instant>> {
        std::optional<core::instant> latest;
        for (const auto& one : wanted)
            for (const auto& [kind, key] : keys_of(one)) {
                auto open = l.contacts().creation_of(ask_.team(), kind, key);
                if (!open) return open.error();
                if (*open && (*open)->refused.empty())
                    latest = std::max(latest.value_or((*open)->begun_at), (*open)->begun_at);
            }
        return latest;
    };
    auto last = co_await ask_.run().writer().ask<std::optional<core::instant>>(look);
    if (!last) co_return last.error();
    if (*last) {
        // What was created may take a while to show.
        const auto then = **last + ask_.env().settings.send.settle_time;
        if (then > ask_.env().clock.now()) {
            auto waited = co_await ask_.wait_until(then, "contacts that may have been created to show");
            if (!waited) co_return waited.error();
        }
        auto read = co_await read_changes_();
        if (!read) co_return read.error();
    }
    auto sort = [this, &wanted](ledger::ledger& l) -> result<batch> {
        batch left;
        for (const auto& one : wanted) {
            auto there = is_there(l.contacts(), one);
            if (!there) return there.error();
            bool refused = false;
            for (const auto& [kind, key] : keys_of(one)) {
                auto open_one = l.contacts().creation_of(ask_.team(), kind, key);
                if (!open_one) return open_one.error();
                refused = refused || (*open_one && !(*open_one)->refused.empty() &&
                                      is_within((*open_one)->begun_at, ask_.env().clock.now(), absence_holds));
            }
            if (refused) continue;
            if (auto r = forget(l.contacts(), one); !r) return r.error();
            if (!*there) left.push_back(one);
        }
        return left;
    };
    auto left = co_await ask_.run().writer().ask<batch>(sort);
    co_return left;
}

asio::awaitable<result<contact_creator::outcome>> contact_creator::send(const batch& contacts, const std::string& label,
                                                                        std::vector<batch>& more) {
    const auto now = ask_.env().clock.now();
    auto note_all = [this, &contacts, now](ledger::ledger& l) -> result<void> {
        for (const auto& one : contacts)
            if (auto r = note(l.contacts(), one, now, {}); !r) return r;
        return {};
    };
    auto forget_all = [this, &contacts](ledger::ledger& l) -> result<void> {
        for (const auto& one : contacts)
            if (auto r = forget(l.contacts(), one); !r) return r;
        return {};
    };
    auto noted = co_await ask_.run().writer().write(note_all);
    if (!noted) co_return noted.error();
    core::fault_point("contacts_intent");
    auto got = co_await ask_.run().create_contacts(client::create_contacts_body(contacts, label));
    if (!got) co_return got.error();
    const bool nothing_sent = !got->answer || got->answer->reach == client::reach::not_sent;
    if (!nothing_sent) ask_.count_request();
    if (nothing_sent || got->answer->status == 429) {
        auto forgotten = co_await ask_.run().writer().write(forget_all);
        if (!forgotten) co_return forgotten.error();
        if (got->wait_until) {
            auto waited = co_await ask_.wait_for_window(route::contacts_create, *got->wait_until);
            if (!waited) co_return waited.error();
            co_return outcome::again;
        }
        auto again = co_await ask_.unusable({errc::waiting, got->answer->error_text}, route::contacts_create);
        if (!again) co_return again.error();
        co_return outcome::again;
    }
    const auto& x = *got->answer;
    if (x.reach == client::reach::answered && x.status / 100 == 4 && x.status != 408) {
        auto why = client::read_created_contacts(x);
        const bool of_contacts = x.status == 400 || x.status == 413 || x.status == 422;
        if (of_contacts && client::respondent_of(x) == client::respondent::apollo) {
            auto refused = co_await refuse(contacts, why.error().text, more);
            if (!refused) co_return refused.error();
            co_return outcome::settled;
        }
        auto forgotten = co_await ask_.run().writer().write(forget_all);
        if (!forgotten) co_return forgotten.error();
        co_return ask_.refused(why.error(), route::contacts_create);
    }
    auto made = client::read_created_contacts(x);
    if (!made) co_return outcome::in_doubt;
    ask_.was_usable();
    any_created_ = true;
    auto taken = co_await take(contacts, *made, more);
    if (!taken) co_return taken.error();
    core::fault_point("contacts_created");
    co_return outcome::settled;
}

// The answer does not say which is which. One that shows none of a contact's keys may have been found by another; only
// a request for it alone tells.
asio::awaitable<result<void>> contact_creator::take(const batch& contacts, const std::vector<client::seen_contact>& got,
                                                    std::vector<batch>& more) {
    const auto now = ask_.env().clock.now();
    auto work = [this, &contacts, &got, now](ledger::ledger& l) -> result<std::vector<batch>> {
        std::vector<batch> alone;
        auto& store = l.contacts();
        if (auto put = store.put(ask_.team(), records_of(got), now, {now, std::nullopt}); !put) return put.error();
        for (const auto& one : contacts) {
            const auto [kind, key] = keys_of(one).front();
            auto there = is_there(store, one);
            if (!there) return there.error();
            if (!*there && contacts.size() == 1 && got.size() == 1) {
                ledger::contact_record record;
                record.id = got.front().id;
                record.owner_id = got.front().owner_id;
                record.created_at = got.front().created_at;
                record.active_at = got.front().active_at;
                record.keys.push_back({kind, key, true});
                record.whole = false;
                if (auto put = store.put(ask_.team(), {&record, 1}, now, {now, std::nullopt}); !put) return put.error();
            } else if (!*there && contacts.size() == 1) {
                if (auto r = note(store, one, now, "the answer does not show which contact was created"); !r)
                    return r.error();
                continue;
            } else if (!*there) {
                alone.push_back({one});
            }
            if (auto r = forget(store, one); !r) return r.error();
        }
        return alone;
    };
    auto alone = co_await ask_.run().writer().ask<std::vector<batch>>(work);
    if (!alone) co_return alone.error();
    std::move(alone->begin(), alone->end(), std::back_inserter(more));
    co_return result<void>();
}

// Nothing was created. Which of them is why shows when they are parted.
asio::awaitable<result<void>> contact_creator::refuse(const batch& contacts, const std::string& why,
                                                      std::vector<batch>& more) {
    const auto now = ask_.env().clock.now();
    // Refused again and again with the same words, it is not about the contacts.
    refused_alike_ = why == refused_alike_with_ ? refused_alike_ + 1 : 1;
    refused_alike_with_ = why;
    const auto most = ask_.env().settings.send.refused_alike;
    const bool all_alike = most > 0 && !any_created_ && refused_alike_ >= most;
    auto work = [this, &contacts, &why, all_alike, now](ledger::ledger& l) -> result<void> {
        for (const auto& one : contacts) {
            auto done =
                contacts.size() == 1 && !all_alike ? note(l.contacts(), one, now, why) : forget(l.contacts(), one);
            if (!done) return done;
        }
        return {};
    };
    auto kept = co_await ask_.run().writer().write(work);
    if (!kept) co_return kept.error();
    if (all_alike)
        co_return failure{errc::input,
                          cannot_find_contacts(errc::input, route::contacts_create,
                                               fmt::format("Apollo refuses to create any contact, {} times with the "
                                                           "same words: {}",
                                                           refused_alike_, why))
                              .text};
    if (contacts.size() > 1) {
        const auto middle = contacts.begin() + static_cast<std::ptrdiff_t>(contacts.size() / 2);
        more.emplace_back(contacts.begin(), middle);
        more.emplace_back(middle, contacts.end());
    }
    co_return result<void>();
}

}  // namespace taskbarge::job
