#include "job/sending/chunk_flow.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <map>
#include <optional>
#include <utility>

#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/core/object_id.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::job {

using client::create_verdict;
using core::chunk_state;
using ledger::attempt_result;

namespace {

// Evidence is for a person who asks what happened: enough of request and answer to recognise them, never a whole body.
// The ledger has all of the request, by the chunk's rows.
constexpr std::size_t evidence_limit = 2048;
constexpr std::size_t note_in_evidence = 200;
constexpr std::size_t contacts_in_evidence = 5;

attempt_result result_of(create_verdict v) {
    switch (v) {
        case create_verdict::created:
            return attempt_result::succeeded;
        case create_verdict::refused:
        case create_verdict::too_many:
        case create_verdict::unauthorized:
        case create_verdict::forbidden:
        case create_verdict::no_route:
        case create_verdict::gateway:
            return attempt_result::refused;
        case create_verdict::throttled:
            return attempt_result::throttled;
        case create_verdict::not_sent:
            return attempt_result::not_sent;
        case create_verdict::doubtful:
            break;
    }
    return attempt_result::doubtful;
}

// The text without a character that was cut in two at its end.
std::string beginning_of(std::string_view text, std::size_t most) {
    std::string out(core::cut_before_character(text, most));
    return out.size() < text.size() ? out + "..." : out;
}

ledger::attempt_report report_of(const ledger::chunk_record& chunk, const client::exchange& x,
                                 const client::create_answer& answer, core::instant now) {
    ledger::attempt_report r;
    r.what = result_of(answer.verdict);
    r.finished_at = now;
    r.server_date = x.server_date;
    r.status = x.status;
    r.request_id = x.request_id;
    r.bytes_sent = x.bytes_sent;
    r.bytes_received = x.bytes_received;
    if (answer.verdict != create_verdict::created) {
        r.code = answer.code;
        r.message = answer.message;
        r.evidence = request_evidence(chunk);
        if (x.reach == client::reach::answered) r.evidence += "\nanswer: " + beginning_of(x.body, evidence_limit);
    }
    return r;
}

std::string list_some(const std::vector<std::string>& ids) {
    constexpr std::size_t shown = 3;
    std::string out;
    for (std::size_t i = 0; i < std::min(shown, ids.size()); ++i)
        out += (i > 0 ? ", " : "") + ids[i];
    if (ids.size() > shown) out += fmt::format(" and {} more", ids.size() - shown);
    return out;
}

// Where each contact of a chunk stands. Answers name contacts in the order in which they were asked for, or nearly; a
// table is made only when one does not.
class contact_places {
 public:
    explicit contact_places(const core::id_list& contacts) : contacts_(contacts) {}

    std::optional<std::uint32_t> find(std::string_view contact, std::size_t likely) {
        if (likely < contacts_.size() && contacts_[likely] == contact) return static_cast<std::uint32_t>(likely);
        if (table_.empty()) {
            table_.reserve(contacts_.size());
            for (std::uint32_t i = 0; i < contacts_.size(); ++i)
                table_.emplace(contacts_[i], i);
        }
        const auto found = table_.find(contact);
        return found == table_.end() ? std::nullopt : std::optional(found->second);
    }

 private:
    const core::id_list& contacts_;
    boost::unordered_flat_map<std::string_view, std::uint32_t> table_;
};

// Gives every row that the answer names its task; what it names besides becomes a notice.
void match_tasks(const ledger::chunk_record& chunk, const client::created_tasks& tasks, verdict& v) {
    contact_places places(chunk.contacts.contact_ids);
    std::vector<bool> named(chunk.contacts.size());
    std::vector<std::string> repeated, foreign;
    std::string listed;
    std::vector<std::pair<std::uint32_t, std::size_t>> matches;  // row, place in the answer
    matches.reserve(tasks.size());
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const auto contact = tasks.contact_ids[i];
        const auto place = places.find(contact, i);
        const bool once = place && !named[*place];
        if (once) {
            named[*place] = true;
            matches.emplace_back(*place, i);
            continue;
        }
        if (listed.size() < evidence_limit)
            listed +=
                fmt::format("\n{} contact {}, task {}", place ? "repeated" : "foreign", contact, tasks.task_ids[i]);
        (place ? repeated : foreign).emplace_back(contact);
    }
    std::sort(matches.begin(), matches.end());
    v.update.created.reserve(matches.size(), core::object_id_size);
    for (const auto& [row, i] : matches)
        v.update.created.emplace_back(row, tasks.task_ids[i]);
    std::string odd;
    if (!repeated.empty())
        odd += fmt::format(
            "request {}: Apollo's answer names contacts more than once, so they may have more than one task: {}",
            v.report.request_id, list_some(repeated));
    if (!foreign.empty())
        odd += fmt::format("{}request {}: Apollo's answer names contacts that were not asked for: {}",
                           odd.empty() ? "" : "; ", v.report.request_id, list_some(foreign));
    if (odd.empty()) return;
    v.report.evidence = odd + listed;
    v.notices.push_back(std::move(odd));
}

std::vector<std::uint32_t> rows_without_task(const ledger::chunk_record& chunk, const ledger::chunk_update& update) {
    std::vector<std::uint32_t> rest;
    auto next = update.created.begin();
    for (std::uint32_t i = 0; i < chunk.contacts.size(); ++i) {
        if (next != update.created.end() && (*next).first == i)
            ++next;
        else
            rest.push_back(i);
    }
    return rest;
}

void settle_created(const ledger::chunk_record& chunk, const client::created_tasks& tasks, core::instant now,
                    verdict& v) {
    match_tasks(chunk, tasks, v);
    auto missing = rows_without_task(chunk, v.update);
    v.what = consequence::progress;
    if (missing.empty()) {
        v.update.state = chunk_state::created;
        v.update.settled_at = now;
        return;
    }
    const auto message =
        fmt::format("Apollo's answer does not name {} of {} contacts", missing.size(), chunk.contacts.size());
    v.notices.push_back(
        fmt::format("request {}: {}; they are looked up before anything else", v.report.request_id, message));
    if (v.report.evidence.empty()) v.report.evidence = message;
    if (missing.size() == chunk.contacts.size()) {
        v.update.state = chunk_state::doubtful;
        v.update.code = missing_in_answer;
        v.update.message = message;
        return;
    }
    v.update.state = chunk_state::split;
    v.update.settled_at = now;
    ledger::child_chunk rest;
    rest.indexes = std::move(missing);
    rest.state = chunk_state::doubtful;
    rest.code = missing_in_answer;
    rest.message = message;
    rest.possible_duplicate = chunk.possible_duplicate;
    rest.attempts = v.update.attempts;
    v.update.children.push_back(std::move(rest));
}

// Where the rows of one finding go: one state for a whole chunk, or one child of a split one.
struct destination {
    chunk_state state = chunk_state::doubtful;
    std::string code, message;
    bool possible_duplicate = false;
    // clang-tidy 14 takes what the compiler makes of it for a comparison with 0.
    friend auto operator<=>(const destination&, const destination&) = default;  // NOLINT(modernize-use-nullptr)
};

// Only while other chunks succeed: an outage costs no row its place.
bool attempts_used_up(const ledger::chunk_record& chunk, const settlement_rules& rules) {
    return chunk.attempts >= rules.max_attempts && rules.others_succeed;
}

destination place_absent(const ledger::chunk_record& chunk, const settlement_rules& rules) {
    using where = settlement_rules::absent_rows;
    if (chunk.code == missing_in_answer)
        return {chunk_state::refused, std::string(missing_in_answer),
                "Apollo answered without naming this contact, and no task was found for it", chunk.possible_duplicate};
    if (rules.absent == where::mark_cancelled)
        return {chunk_state::refused, "cancelled", "the job was cancelled; a look-up found no task",
                chunk.possible_duplicate};
    if (rules.absent == where::mark_not_created)
        return {chunk_state::refused, "not_created", "a look-up found no task; `retry` sends the row again",
                chunk.possible_duplicate};
    if (attempts_used_up(chunk, rules))
        return {chunk_state::refused, "attempts_used_up",
                fmt::format("not created in {} attempts while other requests succeeded; the last error: {}",
                            chunk.attempts, chunk.message),
                chunk.possible_duplicate};
    if (chunk.code == ledger::ledger_accepted) return {chunk_state::planned, {}, {}, chunk.possible_duplicate};
    return {chunk_state::planned, chunk.code, chunk.message, chunk.possible_duplicate};
}

destination place_undecidable(const ledger::chunk_record& chunk, const std::string& code, const std::string& message,
                              const settlement_rules& rules) {
    // Every repeat may make one more task: past the attempts a person decides after all.
    if (rules.undecidable == settlement_rules::undecidable_rows::resend && !attempts_used_up(chunk, rules))
        return {chunk_state::planned, code, message, true};
    return {chunk_state::doubtful, code, message, chunk.possible_duplicate};
}

}  // namespace

std::string request_evidence(const ledger::chunk_record& chunk) {
    auto details = chunk.details;
    details.note = beginning_of(details.note, note_in_evidence);
    const auto& all = chunk.contacts.contact_ids;
    const core::id_list shown(all.begin(),
                              all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), contacts_in_evidence)));
    auto out = "request: POST tasks/bulk_create " + client::bulk_create_body(details.view(), shown);
    if (all.size() > contacts_in_evidence)
        out += fmt::format(" and {} more contacts", all.size() - contacts_in_evidence);
    return out;
}

bool is_held(const ledger::chunk_record& chunk) {
    return chunk.code.starts_with("held_");
}

verdict after_exchange(const ledger::chunk_record& chunk, const client::exchange& x,
                       const client::create_answer& answer, core::instant now) {
    verdict v;
    v.report = report_of(chunk, x, answer, now);
    v.update.chunk = chunk.id;
    v.update.possible_duplicate = chunk.possible_duplicate;
    v.update.attempts = chunk.attempts + 1;
    v.update.code = answer.code;
    v.update.message = answer.message;
    const auto send_again = [&](consequence what) {
        v.update.state = chunk_state::planned;
        v.update.attempts = chunk.attempts;
        v.what = what;
    };
    switch (answer.verdict) {
        case create_verdict::created:
            v.update.code.clear();
            v.update.message.clear();
            settle_created(chunk, answer.tasks, now, v);
            break;
        case create_verdict::gateway:
            // One that finds the request too large may take a smaller one, as long as it can be made smaller.
            if (constexpr int too_large = 413; x.status != too_large || chunk.contacts.size() == 1) {
                send_again(consequence::gateway);
                break;
            }
            [[fallthrough]];
        case create_verdict::refused:
        case create_verdict::too_many:
            v.update.state = chunk_state::refused;
            v.update.settled_at = now;
            v.what = consequence::refusal;
            v.may_isolate = true;
            break;
        case create_verdict::throttled:
            send_again(consequence::throttled);
            break;
        case create_verdict::unauthorized:
            send_again(consequence::key_wrong);
            break;
        case create_verdict::forbidden:
            send_again(consequence::no_right);
            break;
        case create_verdict::no_route:
            send_again(consequence::no_route);
            break;
        case create_verdict::not_sent:
            send_again(consequence::trouble);
            break;
        case create_verdict::doubtful:
            v.update.state = chunk_state::doubtful;
            v.what = consequence::trouble;
            break;
    }
    return v;
}

client::create_answer not_ours(client::create_answer answer, std::string why) {
    answer.verdict = create_verdict::doubtful;
    answer.tasks = {};
    answer.code = "answer_not_ours";
    answer.message = std::move(why);
    return answer;
}

verdict not_ours(const ledger::chunk_record& chunk, const verdict& v, const client::creation& made, std::string why) {
    auto out = after_exchange(chunk, made.http, not_ours(made.answer, std::move(why)), v.report.finished_at);
    out.report.attempt = v.report.attempt;
    return out;
}

ledger::chunk_update after_look_up(const ledger::chunk_record& chunk, const std::vector<row_finding>& findings,
                                   const std::string& held_code, const std::string& held_message,
                                   const settlement_rules& rules, core::instant now) {
    ledger::chunk_update update;
    update.chunk = chunk.id;
    update.attempts = chunk.attempts;
    std::map<destination, std::vector<std::uint32_t>> rest;
    for (std::uint32_t i = 0; i < findings.size(); ++i) {
        switch (findings[i].what) {
            case finding::present:
                update.created.emplace_back(i, findings[i].task_id);
                break;
            case finding::absent:
                rest[place_absent(chunk, rules)].push_back(i);
                break;
            case finding::undecidable:
                rest[place_undecidable(chunk, held_code, held_message, rules)].push_back(i);
                break;
        }
    }
    update.possible_duplicate = chunk.possible_duplicate;
    if (rest.empty()) {
        update.state = chunk_state::created;
        update.settled_at = now;
        return update;
    }
    if (rest.size() == 1 && update.created.empty()) {
        const destination& to = rest.begin()->first;
        update.state = to.state;
        update.code = to.code;
        update.message = to.message;
        update.possible_duplicate = to.possible_duplicate;
        if (to.state == chunk_state::refused) update.settled_at = now;
        return update;
    }
    update.state = chunk_state::split;
    update.settled_at = now;
    for (auto& [to, indexes] : rest)
        update.children.push_back(
            {std::move(indexes), to.state, to.code, to.message, to.possible_duplicate, chunk.attempts});
    return update;
}

}  // namespace taskbarge::job
