#include "job/isolation.hpp"

#include <algorithm>
#include <numeric>

namespace taskbarge::job {

using core::chunk_state;
using ledger::chunk_record;
using ledger::chunk_update;

namespace {

// So many different contacts refused alone with the same words say that it is not the contacts.
constexpr std::uint32_t refusals_that_condemn = 3;

std::string lower_case(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

std::vector<std::uint32_t> first_indexes(std::size_t count) {
    std::vector<std::uint32_t> out(count);
    std::iota(out.begin(), out.end(), 0u);
    return out;
}

chunk_update change_of(const chunk_record& chunk, chunk_state state) {
    chunk_update update;
    update.chunk = chunk.id;
    update.state = state;
    update.attempts = chunk.attempts;
    update.possible_duplicate = chunk.possible_duplicate;
    return update;
}

ledger::child_chunk child_of(const chunk_record& chunk, std::vector<std::uint32_t> indexes) {
    ledger::child_chunk child;
    child.indexes = std::move(indexes);
    child.state = chunk_state::planned;
    child.code = isolating;
    child.possible_duplicate = chunk.possible_duplicate;
    return child;
}

// Whether a refusal is about the owner: it names him, or speaks of users and of no other field.
bool about_owner(const std::string& words, const std::string& user) {
    if (words.find(user) != std::string::npos) return true;
    const auto has = [text = lower_case(words)](std::string_view word) { return text.find(word) != std::string::npos; };
    const bool others = has("type") || has("status") || has("priority") || has("due") || has("note") || has("contact");
    return (has("user") || has("owner")) && !others;
}

// All contacts but those that the text names; everything where it names none, or all.
std::vector<std::uint32_t> not_named(const chunk_record& chunk, const std::string& words) {
    std::vector<std::uint32_t> rest;
    for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i)
        if (words.find(chunk.contacts.contact_ids[i]) == std::string::npos) rest.push_back(i);
    return rest.empty() ? first_indexes(chunk.contacts.size()) : rest;
}

}  // namespace

chunk_update isolation::refuse(const chunk_record& chunk, std::string code, std::string message,
                               core::instant now) const {
    auto update = change_of(chunk, chunk_state::refused);
    update.code = std::move(code);
    update.message = std::move(message);
    update.settled_at = now;
    return update;
}

chunk_update isolation::split_in_two(const chunk_record& chunk, const std::vector<std::uint32_t>& first,
                                     bool together_refused) {
    std::vector<std::uint32_t> second;
    const auto all = first_indexes(chunk.contacts.size());
    std::set_difference(all.begin(), all.end(), first.begin(), first.end(), std::back_inserter(second));
    auto update = change_of(chunk, chunk_state::split);
    update.code = isolating;
    waiting_[chunk.id] = {chunk.contacts.rows[second.front()], together_refused, std::nullopt, false};
    update.children.push_back(child_of(chunk, first));
    update.children.push_back(child_of(chunk, std::move(second)));
    return update;
}

chunk_update isolation::split_to_cap(const chunk_record& chunk) const {
    auto update = change_of(chunk, chunk_state::split);
    update.code = "too_many_contacts";
    for (std::uint32_t from = 0; from < chunk.contacts.size(); from += cap_) {
        const auto to = std::min<std::size_t>(from + cap_, chunk.contacts.size());
        std::vector<std::uint32_t> indexes(to - from);
        std::iota(indexes.begin(), indexes.end(), from);
        auto child = child_of(chunk, std::move(indexes));
        child.code = chunk.code;
        update.children.push_back(std::move(child));
    }
    return update;
}

// Contacts that were refused in this job are not asked for again.
std::optional<chunk_update> isolation::drop_known_contacts(const chunk_record& chunk, core::instant now) const {
    if (bad_contacts_.empty()) return std::nullopt;
    std::vector<std::uint32_t> bad, good;
    std::string words;
    for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i) {
        const auto known = bad_contacts_.find(std::string(chunk.contacts.contact_ids[i]));
        (known == bad_contacts_.end() ? good : bad).push_back(i);
        if (known != bad_contacts_.end()) words = known->second;
    }
    if (bad.empty()) return std::nullopt;
    const std::string code = "contact_refused";
    const std::string message = "Apollo refused this contact earlier in this job: " + words;
    if (good.empty()) return refuse(chunk, code, message, now);
    auto update = change_of(chunk, chunk_state::split);
    update.code = code;
    update.settled_at = now;
    auto refused = child_of(chunk, std::move(bad));
    refused.state = chunk_state::refused;
    refused.code = code;
    refused.message = message;
    auto rest = child_of(chunk, std::move(good));
    rest.code = chunk.code;
    update.children.push_back(std::move(refused));
    update.children.push_back(std::move(rest));
    return update;
}

std::optional<chunk_update> isolation::before_send(const chunk_record& chunk, core::instant now) {
    if (const auto user = bad_users_.find(chunk.details.user_id); user != bad_users_.end())
        return refuse(chunk, "details_refused", "Apollo refused this owner earlier in this job: " + user->second, now);
    const auto group = groups_.find(chunk.group);
    if (group != groups_.end() && group->second.bad)
        return refuse(chunk, "details_refused",
                      "Apollo refused these task details for several contacts: " + group->second.words, now);
    if (auto dropped = drop_known_contacts(chunk, now)) return dropped;
    if (cap_ > 0 && chunk.contacts.size() > cap_) return split_to_cap(chunk);
    const auto hinted = hints_.find(chunk.id);
    const bool holds_bad = hinted != hints_.end() && hinted->second == hint::holds_bad;
    if (chunk.code == isolating && spent_ >= budget_)
        return refuse(
            chunk, "not_isolated",
            "refused in a request with others; send.isolation_budget was spent before the bad ones were found", now);
    if (chunk.contacts.size() == 1 || hinted == hints_.end()) return std::nullopt;
    hints_.erase(hinted);
    return split_in_two(chunk, holds_bad ? first_indexes(chunk.contacts.size() / 2) : probe_of(chunk), holds_bad);
}

void isolation::sending(const chunk_record& chunk) {
    if (chunk.code == isolating) ++spent_;
}

void isolation::not_sent(const chunk_record& chunk) {
    if (chunk.code == isolating && spent_ > 0) --spent_;
}

// One contact to be asked for alone. Neighbours in a file are often bad together (the oldest ones, those of one
// source), and would condemn details that are good.
std::vector<std::uint32_t> isolation::probe_of(const chunk_record& chunk) {
    const auto size = static_cast<std::uint32_t>(chunk.contacts.size());
    switch (groups_[chunk.group].probes++ % 3) {
        case 0:
            return {0};
        case 1:
            return {size - 1};
        default:
            return {size / 2};
    }
}

void isolation::prove(core::group_number number, const std::string& user) {
    auto& group = groups_[number];
    group.proven = true;
    good_users_.insert(user);
    for (auto& [contact, words] : group.suspects)
        bad_contacts_.emplace(std::move(contact), std::move(words));
    group.suspects.clear();
}

void isolation::learn_refused_alone(core::group_number number, const std::string& contact, const std::string& user,
                                    const std::string& words) {
    auto& group = groups_[number];
    if (group.proven) {
        bad_contacts_.emplace(contact, words);
        return;
    }
    group.suspects.emplace_back(contact, words);
    group.refused_alone = group.words == words ? group.refused_alone + 1 : 1;
    group.words = words;
    group.bad = group.refused_alone >= refusals_that_condemn;
    if (group.bad && !good_users_.contains(user) && about_owner(words, user)) bad_users_.emplace(user, words);
}

void isolation::learn_cap(std::size_t refused) {
    const auto half = static_cast<std::uint32_t>(refused / 2);
    cap_ = cap_ == 0 ? half : std::min(cap_, half);  // larger requests may still be under way
}

void isolation::recall(const ledger::learnt_refusals& learnt) {
    cap_ = learnt.most_contacts;
    spent_ = learnt.requests;
    for (const auto& contact : learnt.refused_alone) {
        if (contact.proven) prove(contact.group, contact.user_id);
        learn_refused_alone(contact.group, contact.id, contact.user_id, contact.message);
    }
}

chunk_update isolation::after_refusal(const chunk_record& chunk, const verdict& refused, bool too_many, bool proven,
                                      core::instant now) {
    if (proven) prove(chunk.group, chunk.details.user_id);
    const bool proven_group = groups_[chunk.group].proven;
    const auto size = chunk.contacts.size();
    const std::string words = refused.report.message;
    if (too_many && size > 1) {
        learn_cap(size);
        return split_to_cap(chunk);
    }
    if (size == 1) {
        if (!too_many)
            learn_refused_alone(chunk.group, std::string(chunk.contacts.contact_ids.front()), chunk.details.user_id,
                                words);
        auto update = refuse(chunk, refused.report.code, words, now);
        update.attempts = refused.update.attempts;
        return update;
    }
    if (const auto rest = not_named(chunk, words); rest.size() < size) return split_in_two(chunk, rest, true);
    return split_in_two(chunk, proven_group ? first_indexes(size / 2) : probe_of(chunk), true);
}

bool isolation::keep_back(const chunk_record& child) {
    const auto waiting = waiting_.find(child.parent);
    if (waiting == waiting_.end() || child.contacts.rows.front() != waiting->second.first_row) return false;
    if (waiting->second.released) {
        waiting_.erase(waiting);
        return false;
    }
    waiting->second.chunk = child;
    return true;
}

std::optional<chunk_record> isolation::outcome(const chunk_record& chunk, const verdict& v) {
    const bool created = v.what == consequence::progress;
    const bool refused = v.what == consequence::refusal;
    if (created) prove(chunk.group, chunk.details.user_id);
    const auto& group = groups_[chunk.group];
    if (!created && !refused && v.update.state == chunk_state::planned) return std::nullopt;  // it goes again
    const auto waiting = waiting_.find(chunk.parent);
    const bool together_refused = waiting != waiting_.end() && waiting->second.together_refused;
    auto second = release_sibling(chunk);
    if (!second) return std::nullopt;
    if (together_refused && created && v.update.state == chunk_state::created)
        hints_[second->id] = hint::holds_bad;
    else if (refused && chunk.contacts.size() == 1 && !group.proven)
        hints_[second->id] = hint::probe_first;
    return second;
}

std::optional<chunk_record> isolation::release_sibling(const chunk_record& chunk) {
    const auto waiting = waiting_.find(chunk.parent);
    if (waiting == waiting_.end()) return std::nullopt;
    if (!waiting->second.chunk) {
        waiting->second.released = true;  // read from the ledger later, and sent like any other
        return std::nullopt;
    }
    auto second = std::move(waiting->second.chunk);
    waiting_.erase(waiting);
    return second;
}

}  // namespace taskbarge::job
