#include "unit/job/promises_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "unit/job/job_samples.hpp"

namespace taskbarge::job::model {

using client::create_verdict;
using core::chunk_state;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t group_count = 4, chunk_size = 5, due_dates = 2;
constexpr std::uint32_t max_attempts = 4;
constexpr auto created_slack = 10min;
constexpr int most_steps_to_finish = 20'000;

client::create_answer answer_of(create_verdict v, std::string code) {
    client::create_answer a;
    a.verdict = v;
    a.message = code;
    a.code = std::move(code);
    return a;
}

}  // namespace

world_stats& world_stats::operator+=(const world_stats& o) {
    steps += o.steps;
    kills += o.kills;
    kills_in_flight += o.kills_in_flight;
    requests += o.requests;
    doubtful_answers += o.doubtful_answers;
    adopted += o.adopted;
    resent += o.resent;
    doubles += o.doubles;
    held += o.held;
    return *this;
}

world::world(const world_options& options) : options_(options), random_(options.seed) {
    plan();
}

bool world::chance(int percent) {
    return std::uniform_int_distribution<int>(1, 100)(random_) <= percent;
}
std::size_t world::any(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random_);
}
milliseconds world::up_to(milliseconds most) {
    return milliseconds(std::uniform_int_distribution<std::int64_t>(0, most.count())(random_));
}

core::instant world::wall() const {
    return at_second(1'790'000'000) + std::chrono::duration_cast<milliseconds>(now_.time_since_epoch());
}

// ---------------------------------------------------------------------------------------------------------- the ledger

// Groups of the same due date share contacts, so that the tasks of one look like those of the other.
void world::plan() {
    for (std::size_t g = 0; g < group_count; ++g) {
        auto details = call_on_day(20'600 + static_cast<int>(g % due_dates));
        details.note = fmt::format("group {}", g);
        groups_.push_back(details);
        const auto size = 1 + any(2 * chunk_size);
        for (std::size_t i = 0; i < size; ++i) {
            if (i % chunk_size == 0) {
                ledger::chunk_record c;
                c.id = static_cast<core::chunk_id>(chunks_.size() + 1);
                c.group = static_cast<core::group_number>(g + 1);
                c.details = details;
                chunks_.push_back(std::move(c));
            }
            auto& c = chunks_.back();
            c.contacts.contact_ids.push_back(contact_id(i + 1));
            c.contacts.rows.push_back(rows_.size());
            c.contacts.lines.push_back(rows_.size() + 2);
            c.task_ids.push_back("");
            rows_.push_back({contact_id(i + 1), g});
        }
    }
}

void world::check(bool holds, const char* what) {
    if (!holds && broken_.empty()) broken_ = what;
}

std::vector<core::chunk_id> world::in_state(chunk_state s) const {
    std::vector<core::chunk_id> out;
    for (const auto& c : chunks_)
        if (c.state == s) out.push_back(c.id);
    return out;
}

// As the ledger does it, with its checks.
void world::apply(const ledger::chunk_update& u) {
    check(chunk(u.chunk).state != chunk_state::split, "a split chunk changes");
    std::vector<int> places(chunk(u.chunk).contacts.size());
    const auto& known = chunk(u.chunk).task_ids;
    std::vector<std::string> tasks(known.begin(), known.end());
    for (const auto [index, task] : u.created) {
        check(tasks.at(index).empty(), "a row gets a second task");
        tasks[index] = task;
        ++places[index];
        anything_created_ = true;
    }
    chunk(u.chunk).task_ids = {tasks.begin(), tasks.end()};
    for (const auto& child : u.children) {
        ledger::chunk_record c;
        c.id = static_cast<core::chunk_id>(chunks_.size() + 1);
        const auto& parent = chunk(u.chunk);
        c.parent = parent.id;
        c.group = parent.group;
        c.details = parent.details;
        c.state = child.state;
        c.code = child.code;
        c.message = child.message;
        c.attempts = child.attempts;
        c.possible_duplicate = child.possible_duplicate;
        for (const auto index : child.indexes) {
            ++places.at(index);
            c.contacts.contact_ids.push_back(parent.contacts.contact_ids[index]);
            c.contacts.rows.push_back(parent.contacts.rows[index]);
            c.contacts.lines.push_back(parent.contacts.lines[index]);
            c.task_ids.push_back("");
        }
        first_attempt_[c.id] = first_attempt_[parent.id];
        chunks_.push_back(std::move(c));
    }
    const bool one_place = std::all_of(places.begin(), places.end(), [](int n) { return n == 1; });
    if (u.state == chunk_state::split || u.state == chunk_state::created)
        check(one_place, "a row of a settled chunk is in no place, or in two");
    else
        check(u.children.empty() && u.created.empty(), "rows move without a split");
    auto& c = chunk(u.chunk);
    c.state = u.state;
    c.code = u.code;
    c.message = u.message;
    c.attempts = u.attempts;
    c.possible_duplicate = u.possible_duplicate;
}

// ---------------------------------------------------------------------------------------------------------- Apollo

std::string world::make_task(std::size_t r, steady applied_at) {
    made_task t;
    t.id = fmt::format("task-{}", ++ids_);
    t.for_row = r;
    t.applied_at = applied_at;
    t.visible_from = applied_at + up_to(options_.most_lag);
    ledger::chunk_record asked;
    asked.details = groups_[rows_[r].group];
    asked.contacts.contact_ids = {rows_[r].contact};
    t.seen = task_for(asked, 0, t.id, wall() + std::chrono::duration_cast<milliseconds>(applied_at - now_));
    if (options_.others_interfere && chance(3)) t.seen.note += " (tidied)";
    tasks_.push_back(std::move(t));
    return tasks_.back().id;
}

void world::somebody_makes_a_task() {
    made_task t;
    t.id = fmt::format("theirs-{}", ++ids_);
    t.applied_at = t.visible_from = now_;
    ledger::chunk_record like;
    const auto r = any(rows_.size());
    like.details = groups_[rows_[r].group];
    like.details.note = "by hand";
    like.contacts.contact_ids = {rows_[r].contact};
    t.seen = task_for(like, 0, t.id, wall());
    tasks_.push_back(std::move(t));
}

// Nothing of these creates anything.
std::optional<client::create_answer> world::imagine_failure() {
    switch (any(8)) {
        case 0:
            return answer_of(create_verdict::throttled, "throttled");
        case 1:
            return answer_of(create_verdict::not_sent, "connect_failed");
        case 2:
            return answer_of(create_verdict::refused, "refused_422");
        default:
            return std::nullopt;
    }
}

// A 200 that names some contacts. Of the others some have a task, some get it later, some never.
client::create_answer world::imagine_partial(const ledger::chunk_record& c, steady service_end) {
    auto a = answer_of(create_verdict::created, "created");
    for (std::size_t i = 0; i < c.contacts.size(); ++i) {
        const auto r = static_cast<std::size_t>(c.contacts.rows[i]);
        if (chance(50))
            a.tasks.add(rows_[r].contact, make_task(r, service_end));
        else if (chance(50))
            make_task(r, service_end + (chance(50) ? 0ms : up_to(options_.most_late)));
    }
    return a;
}

client::create_answer world::imagine_doubtful(const ledger::chunk_record& c, steady service_end) {
    const auto how = any(4);  // not applied, applied, applied later, each row its own way
    for (const auto number : c.contacts.rows) {
        const auto way = how < 3 ? how : any(3);
        if (way == 1) make_task(static_cast<std::size_t>(number), service_end);
        if (way == 2) make_task(static_cast<std::size_t>(number), service_end + up_to(options_.most_late));
    }
    ++stats_.doubtful_answers;
    return answer_of(create_verdict::doubtful, "http_502");
}

client::create_answer world::imagine_answer(const ledger::chunk_record& c, steady service_end) {
    if (!calm_ && chance(30)) return imagine_doubtful(c, service_end);
    if (!calm_ && chance(10)) return imagine_partial(c, service_end);
    auto a = answer_of(create_verdict::created, "created");
    for (std::size_t i = 0; i < c.contacts.size(); ++i)
        a.tasks.add(c.contacts.contact_ids[i], make_task(static_cast<std::size_t>(c.contacts.rows[i]), service_end));
    return a;
}

span_view world::scan(core::instant due) const {
    span_view view;
    view.problem = options_.search_is_bad;
    std::set<std::string> recorded;
    for (const auto& c : chunks_)
        recorded.insert(c.task_ids.begin(), c.task_ids.end());
    for (const auto& t : tasks_) {
        if (t.visible_from > now_ || t.seen.due_at != due) continue;
        // A search that does not show everything shows every second task.
        if (view.problem != doubt_reason::none && t.id.back() % 2 == 0) continue;
        view.tasks.push_back(t.seen);
        if (recorded.contains(t.id)) view.recorded.insert(t.id);
    }
    return view;
}

// ---------------------------------------------------------------------------------------------------------- the
// process

void world::send(core::chunk_id id) {
    auto& c = chunk(id);
    check(c.state == chunk_state::planned, "a chunk that is not planned is sent");
    c.state = chunk_state::sending;
    first_attempt_.try_emplace(id, wall());
    ++stats_.requests;
    const auto service_end = now_ + up_to(options_.most_service);
    auto failure = calm_ ? std::nullopt : imagine_failure();
    request r;
    r.chunk = id;
    r.answer = failure ? *failure : imagine_answer(c, service_end);
    r.answered_at = service_end;
    r.exchange.reach = client::reach::answered;
    in_flight_.push_back(std::move(r));
}

void world::take_answer(std::size_t which) {
    const auto r = in_flight_[which];
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(which));
    now_ = std::max(now_, r.answered_at);
    const auto before = chunks_.size();
    const auto v = after_exchange(chunk(r.chunk), r.exchange, r.answer, wall());
    apply(v.update);
    if (v.update.state == chunk_state::doubtful) take_in(r.chunk);
    for (auto id = before + 1; id <= chunks_.size(); ++id)
        if (chunks_[id - 1].state == chunk_state::doubtful) take_in(static_cast<core::chunk_id>(id));
}

void world::take_in(core::chunk_id id) {
    doubt d;
    d.chunk = chunk(id);
    d.not_created_before = first_attempt_[id] - created_slack;
    d.quiet_since = d.next_scan = now_;
    doubts_.push_back(std::move(d));
}

std::optional<steady> world::next_scan() const {
    if (doubts_.empty()) return std::nullopt;
    return std::min_element(doubts_.begin(), doubts_.end(),
                            [](const auto& a, const auto& b) { return a.next_scan < b.next_scan; })
        ->next_scan;
}

// As the run does it: only while nothing is in flight; where one doubt of a due date is due, all of that date are.
void world::look_up() {
    const auto then = doubts_;
    std::set<core::chunk_id> settled;
    for (auto& d : doubts_) {
        const auto due = d.chunk.details.due_at;
        const auto is_due = [&](const doubt& o) { return o.next_scan <= now_ && o.chunk.details.due_at == due; };
        if (std::none_of(then.begin(), then.end(), is_due)) continue;
        std::vector<const doubt*> neighbours;
        for (const auto& other : then)
            if (other.chunk.details.due_at == due && !settled.contains(other.chunk.id)) neighbours.push_back(&other);
        if (weigh_one(d, scan(d.chunk.details.due_at), neighbours)) settled.insert(d.chunk.id);
    }
    std::erase_if(doubts_, [&](const doubt& d) { return settled.contains(d.chunk.id); });
    for (const auto id : in_state(chunk_state::doubtful)) {
        const auto same = [&](const doubt& d) { return d.chunk.id == id; };
        if (!is_held(chunk(id)) && std::none_of(doubts_.begin(), doubts_.end(), same)) take_in(id);
    }
}

bool world::weigh_one(doubt& d, const span_view& view, const std::vector<const doubt*>& neighbours) {
    const bool last_chance = in_state(chunk_state::planned).empty() || cancelled_;
    const auto w = weigh(d, judge(d, view, neighbours), view.problem, now_, options_.settle_time, last_chance);
    if (w.what == settlement::scan_again) {
        check(d.next_scan > now_, "a scan is repeated without a wait");
        return false;
    }
    settlement_rules rules;
    rules.undecidable = options_.policy;
    rules.max_attempts = max_attempts;
    rules.others_succeed = anything_created_;
    if (cancelled_) {
        rules.absent = settlement_rules::absent_rows::mark_cancelled;
        rules.undecidable = settlement_rules::undecidable_rows::hold;
    }
    const auto update = after_look_up(d.chunk, w.findings, held_code(d.why), held_message(d.why), rules, wall());
    stats_.adopted += update.created.size();
    const auto resent = [](const auto& to) {
        return to.state == chunk_state::planned && to.possible_duplicate ? 1u : 0u;
    };
    stats_.resent += resent(update);
    for (const auto& child : update.children)
        stats_.resent += resent(child);
    apply(update);
    return true;
}

// Everything but the ledger and Apollo is gone; what was in flight goes on at Apollo.
void world::kill() {
    ++stats_.kills;
    if (!in_flight_.empty()) ++stats_.kills_in_flight;
    in_flight_.clear();
    doubts_.clear();
    anything_created_ = false;
    for (const auto id : in_state(chunk_state::sending)) {
        auto& c = chunk(id);
        c.state = chunk_state::doubtful;
        c.code = "interrupted";
        ++c.attempts;
    }
    for (const auto id : in_state(chunk_state::doubtful))
        if (!is_held(chunk(id))) take_in(id);
}

void world::cancel() {
    cancelled_ = true;
    for (const auto id : in_state(chunk_state::planned)) {
        chunk(id).state = chunk_state::refused;
        chunk(id).code = "cancelled";
    }
}

void world::step() {
    ++stats_.steps;
    const auto planned = in_state(chunk_state::planned);
    const auto event = any(100);
    if (event < 35 && !planned.empty() && in_flight_.size() < 3 && !cancelled_)
        send(planned[any(planned.size())]);
    else if (event < 65 && !in_flight_.empty())
        take_answer(any(in_flight_.size()));
    else if (event < 85 && in_flight_.empty() && next_scan() && *next_scan() <= now_)
        look_up();
    else if (event < 87)
        kill();
    else if (event < 89 && options_.others_interfere)
        somebody_makes_a_task();
    else if (event == 89 && options_.cancels && in_flight_.empty())
        cancel();
    else
        now_ += up_to(options_.settle_time / 4);
}

void world::finish() {
    calm_ = true;
    for (int i = 0; i < most_steps_to_finish && broken_promise().empty(); ++i) {
        ++stats_.steps;
        const auto planned = in_state(chunk_state::planned);
        if (!in_flight_.empty()) {
            take_answer(0);
        } else if (!planned.empty() && !cancelled_) {
            send(planned.front());
        } else if (const auto next = next_scan()) {
            now_ = std::max(now_, *next);
            look_up();
        } else {
            check(planned.empty() && in_state(chunk_state::sending).empty(), "rows are left pending at the end");
            for (const auto id : in_state(chunk_state::doubtful)) {
                check(is_held(chunk(id)), "rows are left in doubt at the end without being held");
                ++stats_.held;
            }
            return;
        }
    }
    if (broken_promise().empty()) broken_ = "the job never ends";
}

// ---------------------------------------------------------------------------------------------------------- the
// promises

// What must be true of a row, from its place in the ledger and from all tasks that exist for it or are about to.
std::string world::judge_row(std::size_t r, const ledger::chunk_record& at, std::size_t index) const {
    std::uint64_t tasks = 0;
    bool adopted_exists = false;
    for (const auto& t : tasks_) {
        if (t.for_row != r) continue;
        ++tasks;
        adopted_exists = adopted_exists || t.id == at.task_ids[index];
    }
    const bool created = !at.task_ids[index].empty();
    if (created && !adopted_exists) return fmt::format("row {} was given a task that is not its own", r);
    if (tasks > 1 && !at.possible_duplicate) return fmt::format("row {} has {} tasks and no mark", r, tasks);
    if (tasks > 1 && options_.policy == settlement_rules::undecidable_rows::hold)
        return fmt::format("row {} has {} tasks", r, tasks);
    if (created || at.possible_duplicate) return {};
    if (at.state == chunk_state::planned && tasks > 0)
        return fmt::format("row {} is planned although a task exists", r);
    if (at.state == chunk_state::refused && tasks > 0)
        return fmt::format("row {} is said to have failed although a task exists", r);
    return {};
}

std::string world::broken_promise() const {
    if (!broken_.empty()) return broken_;
    std::vector<int> places(rows_.size());
    for (const auto& c : chunks_) {
        for (std::size_t i = 0; i < c.contacts.size(); ++i) {
            if (c.state == chunk_state::split && c.task_ids[i].empty()) continue;  // moved to a child
            const auto r = static_cast<std::size_t>(c.contacts.rows[i]);
            ++places[r];
            if (auto wrong = judge_row(r, c, i); !wrong.empty()) return wrong;
        }
    }
    const auto wrong = std::find_if(places.begin(), places.end(), [](int n) { return n != 1; });
    if (wrong == places.end()) return {};
    return fmt::format("row {} is in {} states", wrong - places.begin(), *wrong);
}

}  // namespace taskbarge::job::model
