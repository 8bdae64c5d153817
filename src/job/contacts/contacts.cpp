#include "taskbarge/job/contacts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <map>

#include "job/contacts/contact_finder.hpp"
#include "taskbarge/core/object_id.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::job {

using core::errc;
using core::failure;
using core::key_kind;
using core::result;
using namespace std::chrono_literals;

namespace {

// The ledger of the environment, or one that is opened for the call.
class used_ledger {
 public:
    static result<used_ledger> open(const environment& env, ledger::witness_check how) {
        used_ledger out;
        out.book_ = env.book;
        if (out.book_) return out;
        // Who only looks sees nothing where there is nothing.
        auto there = ledger::has_ledger(env.settings.ledger.path);
        if (!there) return there.error();
        const bool empty = !*there && how == ledger::witness_check::ignored;
        auto opened = empty ? ledger::open_ledger(":memory:") : ledger::open_ledger(env.settings.ledger.path, how);
        if (!opened) return opened.error();
        out.own_ = std::move(*opened);
        out.book_ = out.own_.get();
        return out;
    }
    ledger::ledger* operator->() const { return book_; }
    ledger::ledger& operator*() const { return *book_; }

 private:
    std::unique_ptr<ledger::ledger> own_;
    ledger::ledger* book_ = nullptr;
};

result<contacts_status> status_in(const environment& env, ledger::ledger& book) {
    contacts_status out;
    const auto team = contact_team_of(env.settings);
    auto index = book.contacts().index(team);
    if (!index) return index.error();
    out.index = std::move(*index);
    auto count = book.contacts().count(team);
    if (!count) return count.error();
    out.contacts = *count;
    if (const auto reading = contact_reading::read(out.index.reading)) {
        out.pages_left = reading->requests_left();
        out.reads_all = reading->kind() == reading_kind::all;
    }
    const route_windows gate(route::contacts_search, env.settings, env.clock);
    auto kept = gate.load(book);
    if (!kept) return kept.error();
    if (knows_a_limit(*kept)) out.book = *kept;
    return out;
}

// The columns of Apollo's export, without case, blanks and dashes; the keys of its API's contacts, too.
enum class exported : std::uint8_t { id, owner_id, email, additional_email, salesforce, hubspot, linkedin };
const std::map<std::string, exported, std::less<>> exported_columns{
    {"apollocontactid", exported::id},
    {"contactid", exported::id},
    {"id", exported::id},
    {"ownerid", exported::owner_id},
    {"email", exported::email},
    {"secondaryemail", exported::additional_email},
    {"tertiaryemail", exported::additional_email},
    {"salesforceid", exported::salesforce},
    {"salesforcecontactid", exported::salesforce},
    {"salesforceleadid", exported::salesforce},
    {"hubspotid", exported::hubspot},
    {"hubspotvid", exported::hubspot},
    {"hubspotcontactid", exported::hubspot},
    {"personlinkedinurl", exported::linkedin},
    {"linkedinurl", exported::linkedin},
};

std::string plain_column(std::string_view name) {
    return core::lower_case(core::plain_word(name));
}

// Takes records in, some hundred at a time.
class contacts_loader {
 public:
    contacts_loader(ledger::contact_store& store, ledger::contact_team team, ledger::contact_index index)
        : store_(store), team_(std::move(team)), index_(std::move(index)) {
        if (const auto reading = contact_reading::read(index_.reading)) before_ = reading->began() - 1ms;
    }

    void begin_file(core::instant written_at) {
        if (auto r = flush(); !r && !failed_) failed_ = r.error();
        // A reading that is under way counts what Apollo itself shows.
        written_at_ = std::min(written_at, before_.value_or(written_at));
    }
    void take(std::span<const std::string> names, std::span<const std::string_view> values) {
        ++out.records;
        ledger::contact_record contact;
        contact.whole = false;
        bool apollos_id = false;
        for (std::size_t i = 0; i < std::min(names.size(), values.size()); ++i) {
            const auto known = exported_columns.find(plain_column(names[i]));
            if (known == exported_columns.end()) continue;
            if (out.records == 1) out.columns.push_back(names[i]);
            if (known->second == exported::id) {
                // "Apollo Contact Id" goes before any other column of ids.
                const bool apollo = known->first == "apollocontactid";
                if (core::spelling_of(values[i]) == core::id_spelling::other || (apollos_id && !apollo)) continue;
                contact.id = core::canonical_id(values[i]);
                apollos_id = apollo;
            } else {
                add(contact, known->second, values[i]);
            }
        }
        if (contact.id.empty()) {
            ++out.without_id;
            return;
        }
        if (contact.keys.empty()) ++out.without_key;
        waiting_.push_back(std::move(contact));
        constexpr std::size_t enough = 500;
        if (waiting_.size() < enough) return;
        if (auto r = flush(); !r && !failed_) failed_ = r.error();
    }
    result<void> flush() {
        if (failed_) return *failed_;
        auto batch = std::move(waiting_);
        waiting_.clear();
        const bool newer_known = index_.complete() && written_at_ <= *index_.as_of;
        std::vector<ledger::contact_record> fresh;
        for (auto& contact : batch) {
            auto seen = store_.seen(team_, contact.id);
            if (!seen) return seen.error();
            // A complete index knows better what a contact has; only one that it does not have may be new.
            const bool known_better = newer_known || (*seen && (index_.complete() || **seen > written_at_));
            if (known_better)
                ++out.older;
            else
                fresh.push_back(std::move(contact));
        }
        out.contacts += fresh.size();
        if (fresh.empty()) return {};
        auto put = store_.put(team_, fresh, written_at_, {written_at_, std::nullopt});
        if (!put) return put.error();
        return {};
    }
    const std::optional<failure>& failed() const { return failed_; }

    loaded_contacts out;

 private:
    static void add(ledger::contact_record& contact, exported what, std::string_view value) {
        const auto add_key = [&](key_kind kind, bool primary = true) {
            // An empty cell, or one that is no key, is none.
            if (auto key = core::comparable_key(kind, value)) contact.keys.push_back({kind, std::move(*key), primary});
        };
        switch (what) {
            case exported::owner_id:
                if (core::spelling_of(value) != core::id_spelling::other) contact.owner_id = core::canonical_id(value);
                break;
            case exported::email:
                return add_key(key_kind::email);
            case exported::additional_email:
                return add_key(key_kind::email, false);
            case exported::salesforce:
                return add_key(key_kind::salesforce_id);
            case exported::hubspot:
                return add_key(key_kind::hubspot_id);
            case exported::linkedin:
                return add_key(key_kind::linkedin_url);
            case exported::id:
                break;
        }
    }

    ledger::contact_store& store_;
    ledger::contact_team team_;
    ledger::contact_index index_;
    core::instant written_at_{};
    std::optional<core::instant> before_;
    std::vector<ledger::contact_record> waiting_;
    std::optional<failure> failed_;
};

core::instant written_at(const std::string& file, core::instant now) {
    std::error_code failed;
    const auto changed = std::filesystem::last_write_time(file, failed);
    if (failed) return now;
    const auto age = std::filesystem::file_time_type::clock::now() - changed;
    return std::min(now, now - std::chrono::duration_cast<core::instant::duration>(age));
}

}  // namespace

result<contacts_status> status_of_contacts(const environment& env) {
    auto book = used_ledger::open(env, ledger::witness_check::ignored);
    if (!book) return book.error();
    return status_in(env, **book);
}

contacts_report refresh_contacts(const environment& env, bool all) {
    contacts_report out;
    auto book = used_ledger::open(env, ledger::witness_check::required);
    if (!book) {
        out.why = book.error();
        return out;
    }
    const auto end = refresh_index(env, **book, all);
    out.requests = end.requests;
    out.resume_at = end.resume_at;
    out.why = end.why;
    auto status = status_in(env, **book);
    if (status)
        out.status = std::move(*status);
    else if (!out.why)
        out.why = status.error();
    return out;
}

result<loaded_contacts> load_contacts(const environment& env, const std::vector<std::string>& files) {
    auto book = used_ledger::open(env, ledger::witness_check::required);
    if (!book) return book.error();
    const auto team = contact_team_of(env.settings);
    auto index = (*book)->contacts().index(team);
    if (!index) return index.error();
    contacts_loader loader((*book)->contacts(), team, std::move(*index));
    const auto now = env.clock.now();
    for (const auto& file : files) {
        loader.begin_file(written_at(file, now));
        reader::source_options so;
        so.import = env.settings.import;
        so.now = now;
        so.look = [&](std::span<const std::string> names, std::span<const std::string_view> values) {
            loader.take(names, values);
        };
        auto source = reader::row_source::open({file}, std::move(so));
        if (!source) return source.error();
        const auto before = loader.out.records - loader.out.without_id;
        reader::row_batch batch;
        for (bool more = true; more;) {
            if (env.stop.level() != stop_level::none)
                return failure{errc::interrupted, "stopped while contacts were loaded; run the same command again"};
            auto next = source->next(batch);
            if (!next) return next.error();
            if (loader.failed()) return *loader.failed();
            more = *next;
            progress p;
            p.phase = phase::reading;
            p.bytes_read = source->bytes_read();
            p.bytes_total = source->bytes_total();
            p.rows.rows = loader.out.records;
            env.watch.on_progress(p);
        }
        if (loader.out.records - loader.out.without_id == before)
            return failure{
                errc::input,
                fmt::format("{}: no contact with Apollo's id was found; an export of contacts from Apollo has "
                            "them in its column \"Apollo Contact Id\"",
                            file)};
    }
    if (auto r = loader.flush(); !r) return r.error();
    return loader.out;
}

result<found_contact> find_contact(const environment& env, const std::string& text) {
    auto book = used_ledger::open(env, ledger::witness_check::ignored);
    if (!book) return book.error();
    found_contact out;
    const auto team = contact_team_of(env.settings);
    auto& store = (*book)->contacts();
    auto index = store.index(team);
    if (!index) return index.error();
    out.index = std::move(*index);
    if (core::spelling_of(text) != core::id_spelling::other) {
        out.key = core::canonical_id(text);
        auto seen = store.seen(team, out.key);
        if (!seen) return seen.error();
        out.id_seen_at = *seen;
        auto absent = store.absent_since(team, std::nullopt, out.key);
        if (!absent) return absent.error();
        out.absent_since = *absent;
        return out;
    }
    std::vector<std::string> whys;
    for (const auto kind : core::all_key_kinds) {
        auto key = core::comparable_key(kind, text);
        if (!key) {
            whys.push_back(key.error().text);
            continue;
        }
        out.kind = kind;
        out.key = std::move(*key);
        auto found = store.find(team, kind, out.key);
        if (!found) return found.error();
        out.contacts = std::move(*found);
        auto absent = store.absent_since(team, kind, out.key);
        if (!absent) return absent.error();
        out.absent_since = *absent;
        return out;
    }
    return failure{errc::usage, fmt::format("this is no key of a contact: {}", fmt::join(whys, "; "))};
}

}  // namespace taskbarge::job
