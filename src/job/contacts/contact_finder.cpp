#include "job/contacts/contact_finder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "job/contacts/contact_asker.hpp"
#include "job/contacts/contact_creator.hpp"
#include "job/online/online.hpp"
#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using client::contact_search;
using core::errc;
using core::failure;
using core::result;
using ledger::contact_index;

namespace {

// Contacts that are asked for together: all of them are asked again where one has no answer.
constexpr std::size_t most_ids_at_once = 8;

constexpr std::size_t most_together = 4;  // pages are large
// Where additional addresses count, those that a search does not show take the whole list in the end.
constexpr std::uint64_t searches_for_a_page = 4;
constexpr std::uint64_t most_hits_pages = 5;  // of a search for one address
constexpr std::uint32_t most_tries = 3;       // of a search that does not show what it counts
constexpr int most_readings = 2;              // of a list that moved while it was read
constexpr auto any_age = core::instant::duration::max();

// What was seen in another way than by the reading that is under way counts there: its pages show nothing new of it.
result<void> take_in(ledger::contact_store& store, const ledger::contact_team& team,
                     const std::vector<client::seen_contact>& contacts, core::instant now) {
    auto index = store.index(team);
    if (!index) return index.error();
    auto reading = contact_reading::read(index->reading);
    if (!reading || reading->kind() != reading_kind::all) {
        const auto put = store.put(team, records_of(contacts), now, {now, std::nullopt});
        return put ? result<void>() : result<void>(put.error());
    }
    const auto fresh = store.put(team, records_of(contacts), std::max(now, reading->began()),
                                 {reading->began(), reading->began_there()});
    if (!fresh) return fresh.error();
    if (*fresh == 0) return {};
    reading->saw_elsewhere(*fresh);
    index->reading = reading->write();
    return store.save_index(team, *index);
}

}  // namespace

finding_way way_to(const wanted_contacts& wanted, const contact_index& index, const core::settings& settings,
                   core::instant now) {
    finding_way way;
    way.id_requests = wanted.ids.size();
    way.create_requests = (wanted.create.size() + contact_creator::most_together - 1) / contact_creator::most_together;
    const bool keys = !wanted.emails.empty() || wanted.other_keys > 0;
    const auto reading = contact_reading::read(index.reading);
    const auto pages_left = [&] {
        if (reading && reading->kind() == reading_kind::all) return reading->requests_left();
        return contact_reading::requests_for(index.total);
    };
    if (index.complete()) {
        const bool old = !is_within(*index.as_of, now, age_allowed(settings));
        if (!old && (!keys || is_within(*index.as_of, now, absence_holds))) return way;
        // What has changed since a time that is still to come cannot be asked for.
        const bool from_the_future = !is_within(*index.as_of, now, any_age);
        // One that was begun is gone on with: what was read of it stays read.
        const bool begun = reading && reading->kind() == reading_kind::all;
        const bool reread = begun || from_the_future || now - *index.read_at > settings.contacts.reread_after;
        way.what = reread ? finding_way::kind::whole_list : finding_way::kind::changes;
        way.requests = reread ? pages_left() : 1;
        return way;
    }
    if (!keys) return way;
    way.total_known = index.total > 0 || (reading && reading->total() > 0);
    const auto searches = wanted.emails.size();
    const bool may_search = wanted.other_keys == 0 && !wanted.more;
    const auto factor = settings.contacts.additional_emails ? searches_for_a_page : 1;
    const bool holed = index.read_at && now - *index.read_at <= settings.contacts.reread_after;
    // A list that was read and has a hole would have it again.
    if (may_search && (holed || (way.total_known && searches * factor <= pages_left()) || searches == 1)) {
        way.what = finding_way::kind::searches;
        way.requests = searches;
        return way;
    }
    way.what = finding_way::kind::whole_list;
    way.requests = way.total_known ? pages_left() : 1;
    return way;
}

std::string text_of(const finding_way& way, const wanted_contacts& wanted, std::uint64_t total) {
    const auto counted = [](std::uint64_t n, std::string_view one, std::string_view many) {
        return fmt::format("{} {}", n, n == 1 ? one : many);
    };
    const auto requests = [&](std::uint64_t n) { return counted(n, "request", "requests"); };
    std::string text;
    switch (way.what) {
        case finding_way::kind::nothing:
            break;
        case finding_way::kind::changes:
            text = "what has changed in Apollo's contacts is read: at least " + requests(way.requests);
            break;
        case finding_way::kind::whole_list:
            text = way.total_known
                       ? fmt::format("the list of all {} contacts is read: {}", total, requests(way.requests))
                       : std::string("the list of all contacts is read: a request for each hundred");
            break;
        case finding_way::kind::searches:
            text = fmt::format("{} searched for: {}", counted(wanted.emails.size(), "e-mail is", "e-mails are"),
                               requests(way.requests));
            break;
    }
    if (way.id_requests > 0) {
        if (!text.empty()) text += "; ";
        text += fmt::format("{} not in the index and asked for: {}", counted(way.id_requests, "id is", "ids are"),
                            requests(way.id_requests));
    }
    if (way.create_requests > 0) {
        if (!text.empty()) text += "; ";
        text += fmt::format("{} that Apollo does not have: {}",
                            counted(wanted.create.size(), "contact is created", "contacts are created"),
                            requests(way.create_requests));
    }
    return text;
}

namespace {

class finder {
 public:
    finder(session& s, finding_end& end) : s_(s), end_(end), ask_(s, end), team_(ask_.team()) {}

    asio::awaitable<result<std::unique_ptr<ledger::job_lock>>> turn() { return ask_.turn(); }

    asio::awaitable<result<void>> find(const wanted_contacts& wanted) { return find_all(wanted); }
    asio::awaitable<result<void>> refresh(bool all) {
        auto index = co_await ask_.load_index();
        if (!index) co_return index.error();
        const auto begun = contact_reading::read(index->reading);
        const bool may_add = index->complete() && is_within(*index->as_of, ask_.env().clock.now(), any_age);
        const bool changes = !all && may_add && !(begun && begun->kind() == reading_kind::all);
        co_return co_await read_list(changes ? reading_kind::changes : reading_kind::all);
    }
    asio::awaitable<result<void>> recheck(const std::vector<std::string>& ids) {
        auto done = co_await ask_for_ids({ids.begin(), ids.end()});
        if (!done) co_return done.error();
        auto index = co_await ask_.load_index();
        if (!index) co_return index.error();
        if (!index->complete()) co_return result<void>();
        co_return co_await read_list(reading_kind::changes);
    }
    asio::awaitable<result<void>> total(std::uint64_t& out) {
        contact_search one;
        one.per_page = 1;
        while (true) {
            std::vector<contact_asker::call> calls{[this, one] { return s_.contacts_page(one); }};
            auto answers = co_await ask_.ask_together(std::move(calls), route::contacts_search);
            if (!answers) co_return answers.error();
            if (!answers->front()) continue;
            auto page = client::read_contacts(*answers->front(), one);
            if (page) {
                out = page->total_entries;
                co_return result<void>();
            }
            auto again = co_await ask_.unusable(page.error(), route::contacts_search);
            if (!again) co_return again.error();
        }
    }

 private:
    asio::awaitable<result<void>> find_all(const wanted_contacts& wanted) {
        auto index = co_await ask_.load_index();
        if (!index) co_return index.error();
        const auto now = ask_.env().clock.now();
        auto way = way_to(wanted, *index, ask_.env().settings, now);
        if (!way.total_known && way.what == finding_way::kind::whole_list) {
            // Its first page tells how long the list is; then the other way may be the cheaper one.
            auto first = co_await read_list(reading_kind::all, 1);
            if (!first) co_return first.error();
            index = co_await ask_.load_index();
            if (!index) co_return index.error();
            if (!index->complete()) way = way_to(wanted, *index, ask_.env().settings, now);
        }
        auto needed = way.requests + way.create_requests;
        // A list that is known needs not be read anew now.
        if (index->complete() && way.what == finding_way::kind::whole_list && !ask_.fits(needed) &&
            is_within(*index->as_of, now, any_age)) {
            way.what = finding_way::kind::changes;
            way.requests = 1;
            needed = way.requests + way.create_requests;
        }
        tell(way, wanted, *index);
        if (!ask_.fits(needed)) co_return ask_.over_budget(needed, text_of(way, wanted, total_of(*index)));
        if (way.what == finding_way::kind::changes ||
            (index->complete() && way.what == finding_way::kind::whole_list)) {
            auto read =
                co_await read_list(way.what == finding_way::kind::changes ? reading_kind::changes : reading_kind::all);
            if (!read) co_return read.error();
        } else if (way.what == finding_way::kind::searches) {
            auto searched = co_await search_all(wanted, *index);
            if (!searched) co_return searched.error();
        } else if (way.what == finding_way::kind::whole_list) {
            auto read = co_await read_list(reading_kind::all);
            if (!read) co_return read.error();
            auto judged = co_await judge_gap(wanted);
            if (!judged) co_return judged.error();
        }
        auto checked = co_await check_ids(wanted);
        if (!checked || wanted.create.empty()) co_return checked;
        contact_creator creator(ask_, [this] { return read_list(reading_kind::changes); });
        co_return co_await creator.create(wanted.create, wanted.label);
    }

    static std::uint64_t total_of(const contact_index& index) {
        const auto reading = contact_reading::read(index.reading);
        return reading && reading->total() > 0 ? reading->total() : index.total;
    }

    void tell(const finding_way& way, const wanted_contacts& wanted, const contact_index& index) {
        const auto text = text_of(way, wanted, total_of(index));
        if (!text.empty()) ask_.env().watch.on_notice("finding contacts: " + text);
    }

    // What is left after a reading with a hole: e-mails may be searched for, other keys are nowhere else.
    asio::awaitable<result<void>> judge_gap(const wanted_contacts& wanted) {
        auto index = co_await ask_.load_index();
        if (!index) co_return index.error();
        if (index->complete()) co_return result<void>();
        if (wanted.other_keys > 0 || wanted.more) co_return undecidable(*index, wanted.other_keys);
        if (!ask_.fits(wanted.emails.size()))
            co_return ask_.over_budget(wanted.emails.size(), fmt::format("{}; {} e-mails are left to be searched for",
                                                                         index->gap, wanted.emails.size()));
        co_return co_await search_all(wanted, *index);
    }

    failure undecidable(const contact_index& index, std::uint64_t keys) const {
        return {errc::input,
                fmt::format("whether Apollo has {} of the contacts cannot be said: the index of its contacts is not "
                            "complete ({}); run `taskbarge contacts refresh --all` when the list is at rest, or load a "
                            "file of contacts that Apollo exported: taskbarge contacts load FILE",
                            keys, index.gap.empty() ? "it was not read" : index.gap)};
    }

    // Until it ends, or `most` pages were read.
    asio::awaitable<result<void>> read_list(reading_kind kind, std::uint64_t most = 0) {
        for (int tries = 1;; ++tries) {
            auto ended = co_await read_once(kind, most);
            if (!ended) co_return ended.error();
            if (!*ended) co_return result<void>();  // the pages that were wanted
            auto index = co_await ask_.load_index();
            if (!index) co_return index.error();
            const auto again = contact_reading::requests_for(index->total);
            if (index->complete() || tries == most_readings || again > contact_search::most_pages || !ask_.fits(again))
                co_return result<void>();
            kind = reading_kind::all;
        }
    }

    asio::awaitable<result<contact_reading>> begin_reading(reading_kind kind) {
        auto index = co_await ask_.load_index();
        if (!index) co_return index.error();
        const auto now = ask_.env().clock.now();
        kept_.reset();
        if (auto kept = contact_reading::read(index->reading); kept && kept->kind() == kind) {
            // Hardly begun and long ago: most of what has gone since would be missed.
            const bool worthless = kept->requests() <= most_together && now - kept->began() > absence_holds;
            if (!worthless || kept->wants() == contact_reading::wanted::nothing) {
                kept_ = index->reading;
                co_return *kept;
            }
        }
        co_return begin_anew(kind, index->as_of);
    }
    // Later than anything that was seen, for it counts what is seen from then on.
    contact_reading begin_anew(reading_kind kind, std::optional<core::instant> since = {}) {
        kept_.reset();
        return contact_reading::begin(kind, ask_.env().clock.now() + std::chrono::milliseconds(1), since);
    }

    // True: the reading came to its end.
    asio::awaitable<result<bool>> read_once(reading_kind kind, std::uint64_t most) {
        auto begun = co_await begin_reading(kind);
        if (!begun) co_return begun.error();
        contact_reading reading = *begun;
        for (std::uint64_t pages = 0; most == 0 || pages < most;) {
            if (reading.too_many_changes()) {
                const auto needed = contact_reading::requests_for(reading.total());
                if (!ask_.fits(needed)) co_return ask_.over_budget(needed, "the whole list has to be read");
                reading = begin_anew(reading_kind::all);
            }
            const auto wants = reading.wants();
            if (wants == contact_reading::wanted::nothing) break;
            if (wants != contact_reading::wanted::pages) {
                auto listed = co_await take_ids(reading);
                if (!listed) co_return listed.error();
                continue;
            }
            if (!ask_.fits(1)) co_return ask_.over_budget(reading.requests_left(), "reading the list of contacts");
            const auto left = ask_.left_to_spend();
            const auto asked = reading.next(std::min<std::size_t>(
                {most_together, static_cast<std::size_t>(left), most == 0 ? most_together : most - pages}));
            std::vector<contact_asker::call> calls;
            for (const auto& page : asked)
                calls.push_back([this, page] { return s_.contacts_page(page); });
            auto answers = co_await ask_.ask_together(std::move(calls), route::contacts_search);
            if (!answers) co_return answers.error();
            auto taken = co_await take_pages(reading, asked, *answers);
            if (!taken) co_return taken.error();
            if (!*taken) {
                // Another process has read it to its end, or has forgotten all contacts.
                auto index = co_await ask_.load_index();
                if (!index) co_return index.error();
                if (index->complete() && *index->as_of >= reading.began()) co_return true;
                reading = begin_anew(reading.kind(), index->as_of);
                continue;
            }
            pages += **taken;
            ask_.show(std::min(reading.seen(), reading.total()), reading.total());
        }
        if (reading.wants() != contact_reading::wanted::nothing) co_return false;
        auto ended = co_await end_reading(reading);
        if (!ended) co_return ended.error();
        co_return true;
    }

    // Takes in the pages that came, in their order; in one transaction with how far the reading is.
    // Where another process has taken some in meanwhile, its reading goes on; nothing: there is none any more.
    using pages_taken = std::optional<std::uint64_t>;
    asio::awaitable<result<pages_taken>> take_pages(contact_reading& reading, const std::vector<contact_search>& asked,
                                                    const std::vector<std::optional<client::exchange>>& answers) {
        struct taken_page {
            contact_search asked;
            client::contacts_page page;
            std::optional<core::instant> date;
        };
        std::vector<taken_page> pages;
        std::optional<failure> unreadable;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (!answers[i]) continue;
            auto page = client::read_contacts(*answers[i], asked[i]);
            if (!page) {
                unreadable = page.error();
                continue;
            }
            pages.push_back({asked[i], std::move(*page), answers[i]->server_date});
        }
        if (pages.empty()) {
            if (!unreadable) co_return pages_taken(0);
            auto again = co_await ask_.unusable(*unreadable, route::contacts_search);
            if (!again) co_return again.error();
            co_return pages_taken(0);
        }
        ask_.was_usable();
        const auto now = ask_.env().clock.now();
        using reading_or_none = std::optional<contact_reading>;
        auto work = [this, &pages, now, before = reading](ledger::ledger& l) -> result<reading_or_none> {
            contact_reading after = before;
            auto& store = l.contacts();
            auto index = store.index(team_);
            if (!index) return index.error();
            if (kept_ && index->reading != *kept_) {
                auto its_own = contact_reading::read(index->reading);
                if (!its_own || its_own->kind() != before.kind()) return reading_or_none();
                kept_ = index->reading;
                return its_own;
            }
            for (const auto& one : pages) {
                auto fresh = store.put(team_, records_of(one.page.contacts), std::max(now, after.began()),
                                       {after.began(), after.began_there()});
                if (!fresh) return fresh.error();
                after.take(one.asked, one.page, now, one.date, *fresh);
            }
            index->reading = after.write();
            if (auto saved = store.save_index(team_, *index); !saved) return saved.error();
            kept_ = index->reading;
            return reading_or_none(after);
        };
        auto after = co_await s_.writer().ask<reading_or_none>(work);
        if (!after) co_return after.error();
        core::fault_point("contacts_page");
        if (!*after) co_return pages_taken();
        reading = **after;
        co_return pages_taken(pages.size());
    }

    asio::awaitable<result<void>> take_ids(contact_reading& reading) {
        const bool labels = reading.wants() == contact_reading::wanted::labels;
        const auto r = labels ? route::labels : route::contact_stages;
        while (true) {
            std::vector<contact_asker::call> calls{[this, r] { return s_.list(r); }};
            auto answers = co_await ask_.ask_together(std::move(calls), r);
            if (!answers) co_return answers.error();
            if (!answers->front()) continue;
            auto ids = client::read_ids(*answers->front(), labels ? "labels" : "contact_stages");
            if (!ids) {
                auto again = co_await ask_.unusable(ids.error(), r);
                if (!again) co_return again.error();
                continue;
            }
            ask_.was_usable();
            if (labels)
                reading.take_labels(*ids);
            else
                reading.take_stages(*ids);
            co_return result<void>();
        }
    }

    asio::awaitable<result<void>> end_reading(const contact_reading& reading) {
        const bool whole = reading.kind() == reading_kind::all && reading.gap().empty();
        // What a whole reading has not shown is not there any more. It is gone before the index is called complete: an
        // end in between goes on here.
        for (bool more = whole; more;) {
            auto drop = [team = team_, since = reading.began()](ledger::ledger& l) {
                return l.contacts().drop_some_unseen(team, since);
            };
            auto dropped = co_await s_.writer().ask<bool>(drop);
            if (!dropped) co_return dropped.error();
            core::fault_point("contacts_dropped");
            more = *dropped;
        }
        auto work = [this, reading](ledger::ledger& l) -> result<contact_index> {
            auto index = l.contacts().index(team_);
            if (!index) return index.error();
            // Another process has ended it, or has forgotten all contacts.
            if (index->reading != kept_) return *index;
            index->reading.clear();
            index->as_of = reading.began();
            if (reading.kind() == reading_kind::changes && index->complete()) {
                // Contacts that have gone are known longer than they are counted, never the other way round.
                auto known = l.contacts().count(team_);
                if (!known) return known.error();
                if (*known < reading.total())
                    index->gap = fmt::format("Apollo counts {} contacts, {} are known", reading.total(), *known);
            }
            if (reading.kind() == reading_kind::all) {
                index->read_at = reading.began();
                index->total = reading.total();
                index->unseen = reading.unseen();
                index->gap = reading.gap();
            } else if (!reading.gap().empty()) {
                index->gap = reading.gap();
            }
            if (auto saved = l.contacts().save_index(team_, *index); !saved) return saved.error();
            return *index;
        };
        auto index = co_await s_.writer().ask<contact_index>(work);
        if (!index) co_return index.error();
        core::fault_point("contacts_read");
        if (!index->gap.empty())
            ask_.env().watch.on_notice("the index of Apollo's contacts is incomplete: " + index->gap);
        co_return result<void>();
    }

    struct search_state {
        std::string email;
        std::uint32_t page = 1;
        std::uint64_t shown = 0;  // contacts, of all pages
        std::uint32_t tries = 0;
        bool found = false;
    };

    asio::awaitable<result<void>> search_all(const wanted_contacts& wanted, const contact_index& index) {
        std::deque<search_state> queue;
        const auto now = ask_.env().clock.now();
        std::uint64_t not_shown = 0;
        for (const auto& email : wanted.emails) {
            auto ask = [team = team_, email](ledger::ledger& l) {
                return l.contacts().absent_since(team, core::key_kind::email, email);
            };
            auto since = co_await s_.writer().ask<std::optional<core::instant>>(ask);
            if (!since) co_return since.error();
            if (*since && now - **since <= absence_holds)
                ++not_shown;
            else
                queue.push_back({email});
        }
        if (!ask_.fits(queue.size())) co_return ask_.over_budget(queue.size(), "searching for e-mails");
        std::uint64_t searched = 0;
        while (!queue.empty()) {
            const auto together = std::min(most_together, queue.size());
            std::vector<contact_asker::call> calls;
            std::vector<contact_search> asked;
            for (std::size_t i = 0; i < together; ++i) {
                contact_search what;
                what.keywords = queue[i].email;
                what.page = queue[i].page;
                asked.push_back(what);
                calls.push_back([this, what] { return s_.contacts_page(what); });
            }
            auto answers = co_await ask_.ask_together(std::move(calls), route::contacts_search);
            if (!answers) co_return answers.error();
            std::deque<search_state> again;
            std::optional<failure> unreadable;
            for (std::size_t i = 0; i < together; ++i) {
                auto state = std::move(queue.front());
                queue.pop_front();
                if ((*answers)[i]) {
                    auto page = client::read_contacts(*(*answers)[i], asked[i]);
                    if (!page) unreadable = page.error();
                    if (page) {
                        ask_.was_usable();
                        auto more = co_await take_hits(state, *page);
                        if (!more) co_return more.error();
                        if (!*more) {
                            ++searched;
                            not_shown += state.found ? 0 : 1;
                            continue;
                        }
                    }
                }
                again.push_back(std::move(state));
            }
            for (auto& state : again)
                queue.push_back(std::move(state));
            ask_.show(searched, wanted.emails.size());
            if (unreadable) {
                auto wait = co_await ask_.unusable(*unreadable, route::contacts_search);
                if (!wait) co_return wait.error();
            }
        }
        // Nothing says that a search looks at additional addresses, so one that shows nothing proves nothing for them.
        if (not_shown == 0 || !ask_.env().settings.contacts.additional_emails) co_return result<void>();
        if (index.read_at) co_return undecidable(index, not_shown);
        const auto pages = contact_reading::requests_for(total_of(index));
        const auto text = fmt::format(
            "{} e-mails were not shown by a search, which may not look at additional "
            "addresses, so the list of all contacts is read",
            not_shown);
        if (!ask_.fits(pages)) co_return ask_.over_budget(pages, text);
        ask_.env().watch.on_notice("finding contacts: " + text);
        auto read = co_await read_list(reading_kind::all);
        if (!read) co_return read.error();
        auto after = co_await ask_.load_index();
        if (!after) co_return after.error();
        if (!after->complete()) co_return undecidable(*after, not_shown);
        co_return result<void>();
    }

    // True: there are more pages of hits.
    asio::awaitable<result<bool>> take_hits(search_state& state, const client::contacts_page& page) {
        if (!page.understood)
            co_return failure{errc::input, cannot_find_contacts(
                                               errc::input, route::contacts_search,
                                               "Apollo did not understand q_keywords, so what it shows proves nothing")
                                               .text};
        const auto has_it = [&](const client::seen_contact& c) {
            return std::any_of(c.keys.begin(), c.keys.end(), [&](const client::seen_contact::key& k) {
                return k.kind == core::key_kind::email && k.text == state.email &&
                       (k.primary || ask_.env().settings.contacts.additional_emails);
            });
        };
        state.found = state.found || std::any_of(page.contacts.begin(), page.contacts.end(), has_it);
        state.shown += page.contacts.size();
        bool more = std::uint64_t{state.page} * contact_search::most_per_page < page.total_entries;
        if (more && state.page >= most_hits_pages)
            co_return failure{
                errc::input, fmt::format("a search for one e-mail shows {} contacts, too many to tell whose it is; run "
                                         "`taskbarge contacts refresh`",
                                         page.total_entries)};
        // Who else has the address may be among those that were counted and not shown.
        const bool all_shown = state.shown >= page.total_entries && !page.partial;
        if (!more && !all_shown && ++state.tries >= most_tries)
            co_return failure{
                errc::input, cannot_find_contacts(errc::input, route::contacts_search,
                                                  fmt::format("a search for one e-mail counts {} contacts and shows {}",
                                                              page.total_entries, state.shown))
                                 .text};
        const bool absent = !more && !state.found && all_shown;
        const auto now = ask_.env().clock.now();
        auto work = [this, &page, now, absent, email = state.email](ledger::ledger& l) -> result<void> {
            if (auto put = take_in(l.contacts(), team_, page.contacts, now); !put) return put;
            return absent ? l.contacts().note_absent(team_, core::key_kind::email, email, now) : result<void>();
        };
        auto kept = co_await s_.writer().write(work);
        if (!kept) co_return kept.error();
        core::fault_point("contacts_search");
        ++state.page;
        if (!more && !all_shown) {
            state.page = 1;
            state.shown = 0;
            more = true;
        }
        co_return more;
    }

    // The check is to save requests; that it cannot be made keeps nobody from sending.
    result<void> leave_unchecked(std::size_t ids, const std::string& why) {
        end_.ids_unchecked = true;
        ask_.env().watch.on_notice(fmt::format("{} not in the index of contacts and sent without a check: {}",
                                               ids == 1 ? std::string("1 id is") : fmt::format("{} ids are", ids),
                                               why));
        return {};
    }

    asio::awaitable<result<void>> check_ids(const wanted_contacts& wanted) {
        std::deque<std::string> queue;
        for (const auto& id : wanted.ids) {
            auto ask = [team = team_, id](ledger::ledger& l) { return l.contacts().seen(team, id); };
            auto seen = co_await s_.writer().ask<std::optional<core::instant>>(ask);
            if (!seen) co_return seen.error();
            if (!*seen) queue.push_back(id);
        }
        co_return co_await ask_for_ids(std::move(queue));
    }

    asio::awaitable<result<void>> ask_for_ids(std::deque<std::string> queue) {
        if (!ask_.fits(queue.size()))
            co_return leave_unchecked(queue.size(), fmt::format("contacts.budget ({}) does not reach for asking",
                                                                ask_.env().settings.contacts.budget));
        const auto all = queue.size();
        while (!queue.empty()) {
            const auto together =
                std::min<std::size_t>({ask_.env().settings.send.connections, most_ids_at_once, queue.size()});
            std::vector<contact_asker::call> calls;
            for (std::size_t i = 0; i < together; ++i)
                calls.push_back([this, id = queue[i]] { return s_.contact(id); });
            auto answers = co_await ask_.ask_together(std::move(calls), route::contact);
            if (!answers && answers.error().code == errc::unreachable)
                co_return leave_unchecked(queue.size(), answers.error().text);
            if (!answers) co_return answers.error();
            std::optional<failure> unreadable;
            for (std::size_t i = 0; i < together; ++i) {
                auto id = std::move(queue.front());
                queue.pop_front();
                bool done = false;
                if ((*answers)[i]) {
                    auto one = client::read_contact(*(*answers)[i], id);
                    if (!one) unreadable = one.error();
                    if (one) {
                        ask_.was_usable();
                        auto kept = co_await keep(id, *one);
                        if (!kept) co_return kept.error();
                        done = true;
                    }
                }
                if (!done) queue.push_back(std::move(id));
            }
            ask_.show(all - queue.size(), all);
            if (unreadable && unreadable->code == errc::unauthorized)
                co_return ask_.refused(*unreadable, route::contact);
            if (unreadable) {
                auto wait = co_await ask_.unusable(*unreadable, route::contact);
                if (!wait && (wait.error().code == errc::interrupted || end_.resume_at)) co_return wait.error();
                if (!wait) co_return leave_unchecked(queue.size(), unreadable->text);
            }
        }
        co_return result<void>();
    }

    asio::awaitable<result<void>> keep(const std::string& id, const std::optional<client::seen_contact>& contact) {
        const auto now = ask_.env().clock.now();
        auto work = [this, now, id, contact](ledger::ledger& l) -> result<void> {
            if (!contact) {
                if (auto gone = l.contacts().drop(team_, id); !gone) return gone;
                return l.contacts().note_absent(team_, std::nullopt, id, now);
            }
            if (!contact->hidden) return take_in(l.contacts(), team_, {*contact}, now);
            // It is in no list that this key is shown, so it must not count for one.
            auto records = records_of({*contact});
            records.front().whole = false;
            auto put = l.contacts().put(team_, records, now, {now, std::nullopt});
            return put ? result<void>() : result<void>(put.error());
        };
        auto kept = co_await s_.writer().write(work);
        core::fault_point("contact_checked");
        co_return kept;
    }

    session& s_;
    finding_end& end_;
    contact_asker ask_;
    ledger::contact_team team_;
    std::optional<std::string> kept_;  // the reading as the ledger has it; nothing: it has none of this one
};

// Whether others have to wait meanwhile: for who writes what it reads.
enum class company : std::uint8_t { alone, any };

asio::awaitable<result<void>> work_in_turn(finder& f, company with,
                                           const std::function<asio::awaitable<result<void>>(finder&)>& work) {
    if (with == company::any) co_return co_await work(f);
    auto turn = co_await f.turn();
    if (!turn) co_return turn.error();
    co_return co_await work(f);
}

finding_end run_finder(const environment& env, ledger::ledger& book, company with,
                       const std::function<asio::awaitable<result<void>>(finder&)>& work) {
    finding_end end;
    if (env.key.empty()) {
        end.why = failure{errc::no_key,
                          "finding contacts by anything but Apollo's id needs the API key: set APOLLO_API_KEY, or "
                          "apollo.api_key_file in the settings"};
        return end;
    }
    auto done = run_online(env, book, [&](session& s) -> asio::awaitable<void> {
        finder f(s, end);
        auto worked = co_await work_in_turn(f, with, work);
        if (!worked) end.why = worked.error();
    });
    if (!done) end.why = done.error();
    return end;
}

}  // namespace

finding_end find_contacts(const environment& env, ledger::ledger& book, const wanted_contacts& wanted) {
    return run_finder(env, book, company::alone, [&](finder& f) { return f.find(wanted); });
}

finding_end recheck_contacts(const environment& env, ledger::ledger& book, const std::vector<std::string>& ids) {
    return run_finder(env, book, company::alone, [&](finder& f) { return f.recheck(ids); });
}

finding_end refresh_index(const environment& env, ledger::ledger& book, bool all) {
    return run_finder(env, book, company::alone, [&](finder& f) { return f.refresh(all); });
}

result<std::uint64_t> ask_for_total(const environment& env, ledger::ledger& book) {
    std::uint64_t total = 0;
    auto end = run_finder(env, book, company::any, [&](finder& f) { return f.total(total); });
    if (end.why) return *end.why;
    return total;
}

}  // namespace taskbarge::job
