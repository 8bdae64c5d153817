#include "job/sending/isolation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "taskbarge/core/text.hpp"

namespace taskbarge::job {

using core::chunk_state;
using ledger::chunk_record;
using ledger::chunk_update;

namespace {

// So many different contacts refused alone with the same words say that it is not the contacts.
constexpr std::uint32_t refusals_that_condemn = 3;
// After so many refused chunks without an explanation the others of the group, or of the job, wait for a search.
constexpr std::uint32_t refused_chunks_of_group_that_alarm = 2;
constexpr std::uint32_t vain_refusals_that_alarm = 3;
// Limits are lifted now and then: a new plan, a repaired back end.
constexpr std::chrono::hours limit_believed_for{7 * 24};

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
    const auto has = [text = core::lower_case(words)](std::string_view word) {
        return text.find(word) != std::string::npos;
    };
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

// The first number in the words that could be a limit for so many contacts; 0: none.
std::uint32_t number_below(const std::string& words, std::uint32_t size) {
    constexpr std::size_t longest = 6;
    for (std::size_t at = 0; at < words.size();) {
        std::size_t end = at;
        while (end < words.size() && core::is_digit(words[end]))
            ++end;
        const auto digits = end - at;
        if (digits > 0 && digits <= longest) {
            const auto number = static_cast<std::uint32_t>(std::stoul(words.substr(at, digits)));
            if (number > 0 && number < size) return number;
        }
        at = end + 1;
    }
    return 0;
}

// Whether the chunk was split off to be sent before its rest.
bool is_part(const chunk_record& chunk) {
    return chunk.partner > chunk.id;
}

chunk_update split_into_singles(const chunk_record& chunk) {
    auto update = change_of(chunk, chunk_state::split);
    update.code = chunk.code;
    for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i) {
        update.children.push_back(child_of(chunk, {i}));
        update.children.back().code = chunk.code;
    }
    return update;
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

// `known` is said of the chunk's contacts; where its first ones are suspects, the part is taken from their front.
chunk_update isolation::split_off(const chunk_record& chunk, const std::vector<std::uint32_t>& part,
                                  ledger::search_mark known) const {
    std::vector<std::uint32_t> rest;
    const auto all = first_indexes(chunk.contacts.size());
    std::set_difference(all.begin(), all.end(), part.begin(), part.end(), std::back_inserter(rest));
    auto update = change_of(chunk, chunk_state::split);
    update.code = isolating;
    update.pairs = true;
    update.children.push_back(child_of(chunk, part));
    update.children.push_back(child_of(chunk, std::move(rest)));
    const auto size = static_cast<std::uint32_t>(part.size());
    if (known.suspects == size) update.children[0].mark.refused_with = known.refused_with;
    if (known.suspects > size) update.children[1].mark = {known.suspects - size, known.refused_with};
    return update;
}

// The others go first: where they are created, each contact that the words name is asked for alone.
chunk_update isolation::split_named(const chunk_record& chunk, const std::vector<std::uint32_t>& others) const {
    auto update = split_off(chunk, others, {});
    update.code = named_by_refusal;
    update.children[0].code.clear();
    update.children[1].code = named_by_refusal;
    return update;
}

// The first part has `first_size` contacts, the others as many as pass. `clean`: the limit explains the refusal.
chunk_update isolation::split_to_limit(const chunk_record& chunk, std::uint32_t first_size, bool clean) const {
    auto update = change_of(chunk, chunk_state::split);
    update.code = "too_many_contacts";
    const auto size = chunk.contacts.size();
    for (std::size_t from = 0, to = 0; from < size; from = to) {
        to = from == 0 ? std::min<std::size_t>(first_size, size) : size;
        if (first_size <= limit_->passes) to = std::min<std::size_t>(from + first_size, size);
        std::vector<std::uint32_t> indexes(to - from);
        std::iota(indexes.begin(), indexes.end(), static_cast<std::uint32_t>(from));
        auto child = child_of(chunk, std::move(indexes));
        child.code = clean ? std::string() : chunk.code;
        update.children.push_back(std::move(child));
    }
    return update;
}

std::optional<chunk_update> isolation::fit_limit(const chunk_record& chunk) {
    const auto size = static_cast<std::uint32_t>(chunk.contacts.size());
    if (!limit_ || size <= limit_->passes) return std::nullopt;
    const bool searched = chunk.code == isolating;
    // It stems from a request that was as large as those that the limit refuses: nothing else need be wrong with it.
    const bool explained = searched && chunk.mark.refused_with >= limit_->refused;
    if (searched && chunk.mark.suspects > 0 && !explained) return std::nullopt;  // its parts are small enough
    // The request that finds out goes as it is: whether a size in between passes, or whether the limit holds at all.
    if (!searched && size == trying_) return std::nullopt;
    if (!searched && try_limit_again_ && size >= limit_->refused) return std::nullopt;
    const auto parts = (size + limit_->passes - 1) / limit_->passes;
    auto first_size = (size + parts - 1) / parts;
    if (const auto larger = searched ? 0 : size_to_try(size)) first_size = trying_ = larger;
    return split_to_limit(chunk, first_size, !searched || explained);
}

// Between what passes and what was refused there may be a size that needs fewer requests for so many contacts. 0: none
// that was not tried.
std::uint32_t isolation::size_to_try(std::size_t size) const {
    const auto n = static_cast<std::uint32_t>(size);
    // The number that Apollo named is what passes: there is nothing in between. And one try at a time.
    if (limit_->passes == told_ || trying_ != 0 || limit_->refused <= limit_->passes + 1) return 0;
    // Halved by the number of requests, not by the size: sizes that need as many requests are alike.
    const auto fewest = (n + limit_->refused - 2) / (limit_->refused - 1);
    const auto most = (n + limit_->passes - 1) / limit_->passes;
    if (fewest >= most) return 0;
    const auto parts = (fewest + most) / 2;
    const auto try_this = (n + parts - 1) / parts;
    return try_this > limit_->passes && try_this < limit_->refused && try_this != tried_ ? try_this : 0;
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

// From the widest to the narrowest: what is known of owner, details, contacts and size costs no request. The budget
// comes last, since nothing before it spends any of it.
std::optional<chunk_update> isolation::before_send(const chunk_record& chunk, core::instant now) {
    if (const auto user = bad_users_.find(chunk.details.user_id); user != bad_users_.end())
        return refuse(chunk, "details_refused", "Apollo refused this owner earlier in this job: " + user->second, now);
    const auto group = groups_.find(chunk.group);
    if (group != groups_.end() && group->second.bad)
        return refuse(chunk, "details_refused",
                      "Apollo refused these task details for several contacts: " + group->second.words, now);
    if (auto dropped = drop_known_contacts(chunk, now)) return dropped;
    if (auto fitted = fit_limit(chunk)) return fitted;
    if (chunk.code == named_by_refusal && chunk.contacts.size() > 1) return split_into_singles(chunk);
    if (chunk.code != isolating) return std::nullopt;
    if (budget_ && spent_ >= *budget_)
        return refuse(
            chunk, "not_isolated",
            "refused in a request with others; send.isolation_budget was spent before the bad ones were found", now);
    return next_part(chunk);
}

// The part that is sent next of a chunk that is searched. Nothing: all of it.
std::optional<chunk_update> isolation::next_part(const chunk_record& chunk) {
    const auto size = chunk.contacts.size();
    if (size == 1 || is_part(chunk)) return std::nullopt;
    const auto& group = groups_[chunk.group];
    // While nothing was created with the details they may be what is refused, and halves would be refused as well:
    // single contacts tell soonest. A rest of which nothing is known goes whole until a contact of its group was
    // refused.
    if (!group.proven) {
        if (chunk.mark.suspects == 0 && group.refused_alone == 0) return std::nullopt;
        return split_off(chunk, probe_of(chunk), chunk.mark);
    }
    const auto part = part_size(size, chunk.mark);
    if (part >= size) return std::nullopt;
    return split_off(chunk, first_indexes(part), chunk.mark);
}

std::size_t isolation::part_size(std::size_t size, ledger::search_mark known) {
    if (known.suspects == 0) return plan_for(size).part_of_unknown(size);
    if (known.suspects == 1) return 1;
    if (!limit_suspected(known.refused_with)) return plan_for(known.suspects).part_of_suspects(known.suspects);
    // Pieces that a limit would let pass, the last of them as well: when all are created it is shown.
    auto piece = told_ > 0 && told_ < known.refused_with ? told_ : (known.refused_with + 1) / 2;
    if (limit_) piece = std::min(piece, limit_->passes);
    return std::min(known.suspects, piece);
}

// The rate changes with every answer, but a little more or less does not change the parts.
const search_plan& isolation::plan_for(std::size_t size) {
    constexpr double steps_in_e = 8;
    const int key = static_cast<int>(std::lround(std::log(rate_.value()) * steps_in_e));
    if (!plan_ || key != plan_key_ || size > plan_most_) {
        plan_most_ = std::max(size, plan_most_);
        plan_key_ = key;
        plan_.emplace(std::exp(key / steps_in_e), plan_most_);
    }
    return *plan_;
}

bool isolation::limit_suspected(std::uint32_t refused_with) const {
    if (refused_with <= most_created_) return false;
    return hinted_ || limit_ || refused_in_vain_ >= vain_refusals_that_alarm;
}

bool isolation::better_later(const chunk_record& chunk) const {
    if (chunk.code == isolating || chunk.contacts.size() < 2) return false;
    if (const auto group = groups_.find(chunk.group); group != groups_.end()) {
        const auto& known = group->second;
        if (known.bad) return false;
        if (!known.proven && known.refused_chunks >= refused_chunks_of_group_that_alarm) return true;
    }
    return chunk.contacts.size() > most_created_ && refused_in_vain_ >= (hinted_ ? 1U : vain_refusals_that_alarm);
}

void isolation::sending(const chunk_record& chunk) {
    // Counted before the answer, as requests under way together would pass the budget.
    if (chunk.code == isolating) ++spent_;
    const auto size = static_cast<std::uint32_t>(chunk.contacts.size());
    if (limit_ && size >= limit_->refused) try_limit_again_ = false;
    if (size == trying_) tried_ = std::exchange(trying_, 0);
}

void isolation::not_sent(const chunk_record& chunk) {
    if (chunk.code == isolating && spent_ > 0) --spent_;
}

// One contact to be asked for alone. Neighbours in a file are often bad together (the oldest ones, those of one
// source), and would condemn details that are good.
std::vector<std::uint32_t> isolation::probe_of(const chunk_record& chunk) {
    const auto size = static_cast<std::uint32_t>(chunk.contacts.size());
    const bool anywhere = chunk.mark.suspects == 0 || chunk.mark.suspects == size;
    switch (anywhere ? groups_[chunk.group].probes++ % 3 : 0) {
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
    for (auto& [contact, words] : group.suspects) {
        bad_contacts_.emplace(std::move(contact), std::move(words));
        rate_.refused_alone();
        refused_in_vain_ = 0;
    }
    group.suspects.clear();
}

void isolation::learn_refused_alone(core::group_number number, const std::string& contact, const std::string& user,
                                    const std::string& words) {
    auto& group = groups_[number];
    if (group.proven) {
        bad_contacts_.emplace(contact, words);
        rate_.refused_alone();
        refused_in_vain_ = 0;
        return;
    }
    // Contact or details: that is open until something is created with them (prove()), or until enough different
    // contacts were refused with the same words. Other words speak for another cause, and begin the count again.
    group.suspects.emplace_back(contact, words);
    group.refused_alone = group.words == words ? group.refused_alone + 1 : 1;
    group.words = words;
    group.bad = group.refused_alone >= refusals_that_condemn;
    if (group.bad && !good_users_.contains(user) && about_owner(words, user)) bad_users_.emplace(user, words);
}

void isolation::learn_created(const chunk_record& chunk, core::instant now) {
    const auto size = static_cast<std::uint32_t>(chunk.contacts.size());
    rate_.created(size);
    most_created_ = std::max(most_created_, size);
    if (limit_ && size > limit_->passes) {
        limit_->passes = size;
        limit_changed_ = true;
        if (size >= limit_->refused) limit_.reset();  // lifted
    }
    // The last of the suspects: the parts before it were created, or the mark would be gone (release_rest(),
    // take_in()).
    const auto& mark = chunk.mark;
    const bool last_of_refused = mark.refused_with > size && (mark.suspects == 0 || mark.suspects == size);
    if (last_of_refused && mark.refused_with > most_created_) learn_limit(mark.refused_with, now);
}

// All parts of a refused request were created, and no request as large ever was. One such case may be a whim of
// Apollo's; unless others were refused as well, or the words say so, one more request of that size finds out.
void isolation::learn_limit(std::uint32_t refused, core::instant now) {
    if (limit_) refused = std::min(refused, limit_->refused);
    try_limit_again_ = !limit_ && !hinted_ && refused_in_vain_ < 2;
    limit_ = ledger::contact_limit{most_created_, refused, now};
    limit_changed_ = true;
    refused_in_vain_ = 0;
}

void isolation::recall(const ledger::learnt_refusals& learnt) {
    spent_ = learnt.requests;
    most_created_ = learnt.most_created;
    for (const auto& contact : learnt.refused_alone) {
        if (contact.proven) prove(contact.group, contact.user_id);
        learn_refused_alone(contact.group, contact.id, contact.user_id, contact.message);
    }
    rate_.recall(learnt.created_rows, bad_contacts_.size(), learnt.open_sets, learnt.open_contacts);
}

void isolation::recall_limit(const std::optional<ledger::contact_limit>& limit, core::instant now) {
    if (!limit || limit->passes == 0 || limit->refused <= limit->passes) return;
    limit_ = limit;
    most_created_ = std::max(most_created_, limit_->passes);
    try_limit_again_ = now - limit_->shown_at >= limit_believed_for;
}

chunk_update isolation::after_refusal(const chunk_record& chunk, const verdict& refused, bool perhaps_too_many,
                                      bool proven, core::instant now) {
    if (proven) prove(chunk.group, chunk.details.user_id);
    auto& group = groups_[chunk.group];
    const auto size = static_cast<std::uint32_t>(chunk.contacts.size());
    const std::string words = refused.report.message;
    if (size == 1) {
        // One contact cannot be too many, so these words are not about a limit, whatever they sound like.
        not_about_size_.insert(words);
        if (perhaps_too_many) hinted_ = false;
        if (perhaps_too_many) told_ = 0;
        learn_refused_alone(chunk.group, std::string(chunk.contacts.contact_ids.front()), chunk.details.user_id, words);
        auto update = refuse(chunk, refused.report.code, words, now);
        update.attempts = refused.update.attempts;
        return update;
    }
    if (const auto others = not_named(chunk, words); others.size() < size) return split_named(chunk, others);
    if (limit_ && size >= limit_->refused) {
        // It holds still: this was the try of try_limit_again_, or sent before the limit was known.
        limit_->shown_at = now;
        limit_changed_ = true;
        const auto parts = (size + limit_->passes - 1) / limit_->passes;
        return split_to_limit(chunk, (size + parts - 1) / parts, true);
    }
    if (perhaps_too_many && size > most_created_ && !not_about_size_.contains(words)) {
        hinted_ = true;
        told_ = number_below(words, size);
    }
    if (chunk.code != isolating) {
        if (!group.proven) ++group.refused_chunks;
        if (size > most_created_) ++refused_in_vain_;
    }
    // A part of a search was refused. That the part holds a refused contact says nothing of its rest any more: both
    // come together again, the part's contacts in front as the suspects, and are cut anew. The ledger does it in one
    // step.
    if (const auto rest = rests_.find(chunk.id); rest != rests_.end() && rest->second.code == isolating) {
        const ledger::search_mark known{size, size};
        const auto part = part_size(size + rest->second.contacts.size(), known);
        auto update = split_off(chunk, first_indexes(part), known);
        update.joined = rest->second.id;
        return update;
    }
    auto update = change_of(chunk, chunk_state::planned);
    update.code = isolating;
    update.mark = {size, size};
    return update;
}

std::optional<chunk_record> isolation::take_in(chunk_record chunk) {
    if (chunk.partner == 0) return chunk;
    const bool waits = chunk.partner_state == chunk_state::planned;
    // A rest's id is the next after its part's, so in the order of ids the part comes first and must be held until
    // then.
    if (is_part(chunk)) {
        if (!waits) return chunk;
        lone_parts_.emplace(chunk.id, std::move(chunk));
        return std::nullopt;
    }
    const auto part = lone_parts_.find(chunk.partner);
    if (!waits || part == lone_parts_.end()) {
        // What is said of a rest holds only where its part was created.
        if (chunk.partner_state != chunk_state::created) chunk.mark = {};
        return chunk;
    }
    auto first = std::move(part->second);
    lone_parts_.erase(part);
    rests_.insert_or_assign(first.id, std::move(chunk));
    return first;
}

std::optional<chunk_record> isolation::outcome(const chunk_record& chunk, const verdict& v, core::instant now) {
    const bool created = v.what == consequence::progress;
    const bool refused = v.what == consequence::refusal;
    if (!created && !refused && v.update.state == chunk_state::planned) return std::nullopt;  // it goes again
    if (created) prove(chunk.group, chunk.details.user_id);
    const bool whole = created && v.update.state == chunk_state::created;
    if (whole) learn_created(chunk, now);
    const auto rest = rests_.find(chunk.id);
    // That one of suspects is refused was counted when they became suspects.
    const bool of_suspects = chunk.mark.refused_with > 0 || (rest != rests_.end() && rest->second.mark.suspects > 0);
    if (refused && chunk.contacts.size() > 1 && !of_suspects) rate_.refused_together(chunk.contacts.size());
    if (rest == rests_.end()) return std::nullopt;
    // Created: the rest holds what was refused, and its mark stays. Joined: the ledger has taken it into the new rest.
    if (whole || v.update.joined != 0) {
        auto out = v.update.joined != 0 ? std::nullopt : std::optional(std::move(rest->second));
        rests_.erase(rest);
        return out;
    }
    return release_rest(chunk);
}

std::optional<chunk_record> isolation::release_rest(const chunk_record& chunk) {
    const auto rest = rests_.find(chunk.id);
    if (rest == rests_.end()) return std::nullopt;
    auto out = std::move(rest->second);
    rests_.erase(rest);
    out.mark = {};
    return out;
}

}  // namespace taskbarge::job
