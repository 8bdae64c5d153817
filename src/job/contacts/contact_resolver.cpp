#include "job/contacts/contact_resolver.hpp"
#include "job/contacts/contact_creator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace taskbarge::job {

using core::key_kind;
using core::result;
using ledger::contact_match;

namespace {

constexpr std::size_t ids_named = 5;

std::string named_ids(const std::vector<contact_match>& contacts) {
    std::vector<std::string> ids;
    for (const auto& c : contacts)
        if (ids.size() < ids_named) ids.push_back(c.id);
    const auto more = contacts.size() - ids.size();
    return fmt::format("{}{}", fmt::join(ids, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
}

std::string_view spoken(key_kind kind) {
    switch (kind) {
        case key_kind::email:
            return "e-mail";
        case key_kind::salesforce_id:
            return "Salesforce id";
        case key_kind::hubspot_id:
            return "HubSpot id";
        case key_kind::linkedin_url:
            break;
    }
    return "LinkedIn profile";
}

// "email:ada@example.com"
std::string named(key_kind kind, std::string_view text) {
    return fmt::format("{}:{}", core::to_string(kind), text);
}

// By e-mail and CRM ids only: by a name Apollo would take another for it. A profile alone makes no contact.
std::optional<client::new_contact> new_contact_of(const reader::row_keys& keys) {
    const auto text = [&](key_kind kind) { return std::string(keys.by_kind[static_cast<std::size_t>(kind)].text); };
    client::new_contact out;
    out.email = text(key_kind::email);
    const auto salesforce = text(key_kind::salesforce_id);
    (salesforce.starts_with("00Q") ? out.salesforce_lead_id : out.salesforce_contact_id) = salesforce;
    out.hubspot_id = text(key_kind::hubspot_id);
    if (out.email.empty() && salesforce.empty() && out.hubspot_id.empty()) return std::nullopt;
    return out;
}

}  // namespace

void wanted_contacts::add_to_create(client::new_contact contact) {
    std::optional<std::size_t> at;
    for (const auto& [kind, key] : keys_of(contact))
        if (const auto known = place_.find(named(kind, key)); known != place_.end() && !at) at = known->second;
    if (!at) {
        at = create.size();
        create.emplace_back();
    }
    auto& one = create[*at];
    const auto add = [](std::string& to, std::string& from) {
        if (to.empty()) to = std::move(from);
    };
    add(one.email, contact.email);
    add(one.salesforce_contact_id, contact.salesforce_contact_id);
    add(one.salesforce_lead_id, contact.salesforce_lead_id);
    add(one.hubspot_id, contact.hubspot_id);
    for (const auto& [kind, key] : keys_of(one))
        place_.emplace(named(kind, key), *at);
}

// What is known of one row.
struct contact_resolver::answer {
    enum class kind : std::uint8_t { found, rejected, unknown, to_create };
    kind what = kind::unknown;
    std::string id;
    std::optional<key_kind> by;  // found, by a key
    bool by_search = false;      // unknown, and a search for its e-mail may tell
    std::string code, message, column;
};

contact_resolver::contact_resolver(ledger::contact_index index, open_contacts open, const core::settings& settings,
                                   core::instant now, unknown_contacts what)
    : index_(std::move(index)),
      open_(std::move(open)),
      settings_(settings),
      team_{settings.apollo.base_url, settings.apollo.team},
      now_(now),
      what_(what) {}

bool contact_resolver::checks_ids() const {
    return settings_.contacts.check && index_.complete() && fresh(*index_.as_of);
}

bool contact_resolver::fresh(core::instant seen_at) const {
    return is_within(seen_at, now_, age_allowed(settings_));
}

// In a complete index that has what changed until just now.
bool contact_resolver::absence_is_known() const {
    return index_.complete() && is_within(*index_.as_of, now_, absence_holds);
}

result<bool> contact_resolver::is_absent(std::optional<key_kind> kind, std::string_view text) {
    if (kind && absence_is_known()) return true;
    // A search looks at primary addresses only, as far as anybody says.
    if (!store_ || (kind == key_kind::email && settings_.contacts.additional_emails)) return false;
    const auto since = store_->absent_since(team_, kind, text);
    if (!since) return since.error();
    return *since && is_within(**since, now_, kind ? core::instant::duration(absence_holds) : age_allowed(settings_));
}

std::optional<contact_match> contact_resolver::chosen(const std::vector<contact_match>& from,
                                                      std::string_view owner) const {
    using core::several_contacts;
    // The one that comes before all others; nothing where two do, or where one does not tell.
    const auto first_by = [&](auto time, bool latest) -> std::optional<contact_match> {
        const contact_match* best = nullptr;
        bool twice = false;
        for (const auto& c : from) {
            if (!time(c)) return std::nullopt;
            const bool better = !best || (latest ? *time(c) > *time(*best) : *time(c) < *time(*best));
            twice = best && *time(c) == *time(*best) ? true : better ? false : twice;
            if (better) best = &c;
        }
        return best && !twice ? std::optional(*best) : std::nullopt;
    };
    switch (settings_.contacts.several) {
        case several_contacts::reject:
            break;
        case several_contacts::owner: {
            const auto is_owned = [&](const contact_match& c) { return c.owner_id == owner; };
            const auto found = std::find_if(from.begin(), from.end(), is_owned);
            if (found != from.end() && std::count_if(from.begin(), from.end(), is_owned) == 1) return *found;
            break;
        }
        case several_contacts::active:
            return first_by([](const contact_match& c) { return c.active_at; }, true);
        case several_contacts::oldest:
            return first_by([](const contact_match& c) { return c.created_at; }, false);
    }
    return std::nullopt;
}

// The contacts that have all keys that are known; one that no contact has says nothing about the others.
result<contact_resolver::answer> contact_resolver::by_keys(const core::row& row, const reader::row_keys& keys) {
    answer out;
    std::vector<contact_match> all;
    std::optional<key_kind> by, first_unknown, first_absent;
    for (const auto kind : core::all_key_kinds) {
        const auto& key = keys.by_kind[static_cast<std::size_t>(kind)];
        if (key.text.empty()) continue;
        std::vector<contact_match> have;
        bool too_old = false;
        if (store_) {
            auto found = store_->find(team_, kind, key.text);
            if (!found) return found.error();
            for (auto& c : *found) {
                // What a whole reading did not show was forgotten then; what has changed since is as old as the index.
                const bool valid = fresh(c.seen_at) || (index_.complete() && fresh(*index_.as_of));
                if (!c.primary && !settings_.contacts.additional_emails) continue;
                if (valid)
                    have.push_back(std::move(c));
                else
                    too_old = true;
            }
        }
        if (have.empty()) {
            // What was there once is looked for again, not called missing.
            auto absent = too_old ? result<bool>(false) : is_absent(kind, key.text);
            if (!absent) return absent.error();
            out.by_search = out.by_search || (kind == key_kind::email && !*absent);
            auto& first = *absent ? first_absent : first_unknown;
            if (!first) first = kind;
            continue;
        }
        if (!by) {
            by = kind;
            all = std::move(have);
            continue;
        }
        std::erase_if(all, [&](const contact_match& c) {
            return std::none_of(have.begin(), have.end(), [&](const contact_match& h) { return h.id == c.id; });
        });
        if (all.empty()) {
            out.what = answer::kind::rejected;
            out.code = "contact_keys_disagree";
            out.column = key.column;
            out.message =
                fmt::format("the {} and the {} are those of different contacts in Apollo; correct one of them",
                            spoken(*by), spoken(kind));
            return out;
        }
    }
    // A key that goes before the one by which a contact is known may be another's.
    if (by && first_unknown && *first_unknown < *by && row.contact_id.empty()) {
        out.by_search = out.by_search && *first_unknown == key_kind::email;
        return out;
    }
    // Where the row itself names one of several no rule is needed.
    const bool named = !row.contact_id.empty() && std::any_of(all.begin(), all.end(), [&](const contact_match& c) {
        return c.id == row.contact_id;
    });
    if (all.size() > 1 && !named) {
        if (auto one = chosen(all, row.details.user_id)) all = {*one};
    }
    if (all.size() == 1) {
        if (!row.contact_id.empty() && row.contact_id != all.front().id) {
            out.what = answer::kind::rejected;
            out.code = "contact_keys_disagree";
            out.column = keys.by_kind[static_cast<std::size_t>(*by)].column;
            out.message = fmt::format("the {} is that of contact {} in Apollo, not of {}; correct one of them",
                                      spoken(*by), all.front().id, row.contact_id);
            return out;
        }
        out.what = answer::kind::found;
        out.id = all.front().id;
        out.by = by;
        return out;
    }
    if (all.size() > 1) {
        if (named) {
            out.what = answer::kind::found;
            out.id = row.contact_id;
            return out;
        }
        out.what = answer::kind::rejected;
        out.code = row.contact_id.empty() ? "contact_ambiguous" : "contact_keys_disagree";
        out.column = keys.by_kind[static_cast<std::size_t>(*by)].column;
        out.message = fmt::format(
            "{} contacts in Apollo have this {}: {}; name the right one in a column contact_id, "
            "merge them, or set contacts.several",
            all.size(), spoken(*by), named_ids(all));
        return out;
    }
    if (!row.contact_id.empty()) {
        out.what = answer::kind::found;
        out.id = row.contact_id;
        return out;
    }
    if (first_unknown) return out;
    if (settings_.contacts.missing == core::missing_contact::create) {
        auto made = to_create(keys);
        if (!made || made->what != answer::kind::unknown) return made;
    }
    out.what = answer::kind::rejected;
    out.code = "contact_not_found";
    out.column = keys.by_kind[static_cast<std::size_t>(*first_absent)].column;
    out.message = fmt::format("no contact in Apollo has this {}; create it there, or set contacts.missing = \"create\"",
                              spoken(*first_absent));
    return out;
}

// Unknown: it has no key by which it could be created.
result<contact_resolver::answer> contact_resolver::to_create(const reader::row_keys& keys) {
    answer out;
    const auto contact = new_contact_of(keys);
    if (!contact) return out;
    out.what = answer::kind::to_create;
    for (const auto& [kind, key] : keys_of(*contact)) {
        if (!store_) break;
        auto known = store_->creation_of(team_, kind, key);
        if (!known) return known.error();
        // For a while: Apollo's reason may be gone.
        if (!*known || (*known)->refused.empty() || !is_within((*known)->begun_at, now_, absence_holds)) continue;
        out.what = answer::kind::rejected;
        out.code = "contact_not_created";
        out.column = keys.by_kind[static_cast<std::size_t>(kind)].column;
        out.message = fmt::format("Apollo has no contact with this {} and did not create one: {}", spoken(kind),
                                  (*known)->refused);
        break;
    }
    return out;
}

result<contact_resolver::answer> contact_resolver::check_id(std::string_view id, const reader::row_keys& keys) {
    answer out;
    out.what = answer::kind::found;
    out.id = id;
    if (!store_ || !checks_ids()) return out;
    auto seen = store_->seen(team_, id);
    if (!seen) return seen.error();
    if (*seen) return out;
    auto absent = is_absent(std::nullopt, id);
    if (!absent) return absent.error();
    if (*absent) {
        out.what = answer::kind::rejected;
        out.code = "contact_not_found";
        out.column = keys.contact_column;
        out.message =
            "Apollo has no such contact: it was deleted or merged, or this key may not see it; take it out, "
            "or name the contact that it was merged into";
        return out;
    }
    out.what = answer::kind::unknown;
    return out;
}

result<contact_resolver::answer> contact_resolver::look_at(const core::row& row, const reader::row_keys& keys) {
    if (!row.contact_id.empty()) {
        auto checked = check_id(row.contact_id, keys);
        if (!checked || checked->what != answer::kind::found || !keys.any()) return checked;
    }
    return by_keys(row, keys);
}

result<bool> contact_resolver::resolve(reader::row_batch& batch) {
    texts_.clear();
    found_by_.clear();
    if (batch.keys.empty()) return true;
    if (open_) {
        auto opened = std::exchange(open_, {})();
        if (!opened) return opened.error();
        store_ = *opened;
    }
    if (!store_) return resolve_rows(batch);
    // The index and the contacts are looked at together: another process may read them anew, or forget them.
    result<bool> known = false;
    auto looked = store_->at_one_moment([&]() -> result<void> {
        auto index = store_->index(team_);
        if (!index) return index.error();
        index_ = std::move(*index);
        known = resolve_rows(batch);
        return known ? result<void>() : result<void>(known.error());
    });
    if (!looked) return looked.error();
    return known;
}

result<bool> contact_resolver::resolve_rows(reader::row_batch& batch) {
    texts_.reserve(batch.rows.size());
    std::vector<core::row> kept;
    std::vector<core::rejected_row> rejects;
    kept.reserve(batch.rows.size());
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        auto& row = batch.rows[i];
        const auto& keys = batch.keys[i];
        const auto got = look_at(row, keys);
        if (!got) return got.error();
        if (got->what == answer::kind::found) {
            if (got->by && row.contact_id.empty()) {
                ++tally_.found;
                ++tally_.found_by[static_cast<std::size_t>(*got->by)];
                const auto& key = keys.by_kind[static_cast<std::size_t>(*got->by)];
                found_by_.emplace_back(row.number, settings_.contacts.keep_keys
                                                       ? named(*got->by, key.text)
                                                       : std::string(core::to_string(*got->by)));
            }
            if (row.contact_id.empty()) row.contact_id = texts_.emplace_back(got->id);
            kept.push_back(row);
            continue;
        }
        if (got->what == answer::kind::rejected) {
            if (got->code == "contact_not_found")
                ++tally_.none;
            else if (got->code == "contact_ambiguous")
                ++tally_.ambiguous;
            else if (got->code == "contact_not_created")
                ++tally_.not_created;
            else
                ++tally_.disagree;
            rejects.push_back({row.number, row.at, std::string(row.contact_id), got->column, got->code, got->message,
                               std::string(keys.raw)});
            continue;
        }
        const bool creates = got->what == answer::kind::to_create;
        ++(creates ? tally_.to_create : tally_.unknown);
        if (what_ == unknown_contacts::stop) return false;
        const auto& email = keys.by_kind[static_cast<std::size_t>(key_kind::email)].text;
        const bool room = wanted_.emails.size() + wanted_.ids.size() < wanted_contacts::most;
        wanted_.more = wanted_.more || !room;
        if (creates) {
            if (wanted_.create.size() < wanted_contacts::most) wanted_.add_to_create(*new_contact_of(keys));
        } else if (!row.contact_id.empty()) {
            if (room) wanted_.ids.emplace(row.contact_id);
        } else if (got->by_search) {
            if (room) wanted_.emails.emplace(email);
        } else {
            ++wanted_.other_keys;
        }
        if (what_ != unknown_contacts::stand_in) continue;
        if (row.contact_id.empty()) {
            const auto first = std::find_if(keys.by_kind.begin(), keys.by_kind.end(),
                                            [](const reader::row_keys::key& k) { return !k.text.empty(); });
            row.contact_id =
                texts_.emplace_back(named(static_cast<key_kind>(first - keys.by_kind.begin()), first->text));
        }
        kept.push_back(row);
    }
    batch.rows.swap(kept);
    batch.keys.clear();
    if (rejects.empty()) return true;
    const auto middle = static_cast<std::ptrdiff_t>(batch.rejects.size());
    std::move(rejects.begin(), rejects.end(), std::back_inserter(batch.rejects));
    std::inplace_merge(batch.rejects.begin(), batch.rejects.begin() + middle, batch.rejects.end(),
                       [](const auto& a, const auto& b) { return a.number < b.number; });
    return true;
}

}  // namespace taskbarge::job
