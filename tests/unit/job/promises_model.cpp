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
constexpr std::size_t connections = 3;
constexpr int most_steps_to_finish = 20'000;
// A request is answered, or given up, within this.
constexpr auto request_timeout = 20s;

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
    held_unproven += o.held_unproven;
    distrusted += o.distrusted;
    restores += o.restores;
    clock_jumps += o.clock_jumps;
    return *this;
}

world::world(const world_options& options) : options_(options), random_(options.seed), wires_(connections) {
    if (options_.clocks_lie) backend_error_ = (static_cast<int>(any(3)) - 1) * 1h;
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

namespace {

core::instant true_time(steady when) {
    return at_second(1'790'000'000) + std::chrono::duration_cast<milliseconds>(when.time_since_epoch());
}

}  // namespace

core::instant world::wall_at(steady when) const {
    return true_time(when) + clock_error_;
}

// As Apollo stamps a task.
core::instant world::stamp(steady when) const {
    return true_time(when) + backend_error_;
}

// The clock of a gateway, if the answer shows one.
std::optional<core::instant> world::date_of_an_answer() {
    if (!options_.clocks_lie) return true_time(now_);
    const auto which = any(4);
    if (which == 3) return std::nullopt;
    return true_time(now_) + (static_cast<int>(which) - 1) * 1h;
}

std::optional<core::instant> world::server_time() const {
    if (!least_server_time_) return std::nullopt;
    return core::instant(*least_server_time_ + std::chrono::duration_cast<milliseconds>(now_.time_since_epoch()));
}

void world::hear_clock(std::optional<core::instant> shown) {
    if (!shown) return;
    const auto at_zero = shown->time_since_epoch() - std::chrono::duration_cast<milliseconds>(now_.time_since_epoch());
    least_server_time_ = std::min(least_server_time_.value_or(at_zero), at_zero);
}

// Requests under way are answered in time.
void world::pass_time(milliseconds by) {
    for (const auto& r : in_flight_)
        by = std::min(by, std::chrono::duration_cast<milliseconds>(r.sent_at + request_timeout - now_));
    now_ += std::max(by, 0ms);
    if (!options_.clocks_lie || !chance(10)) return;
    clock_error_ = (static_cast<int>(any(5)) - 2) * 1h;
    ++stats_.clock_jumps;
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
                c.id = static_cast<core::chunk_id>(ledger_.chunks.size() + 1);
                c.group = static_cast<core::group_number>(g + 1);
                c.details = details;
                ledger_.chunks.push_back(std::move(c));
            }
            auto& c = ledger_.chunks.back();
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
    for (const auto& c : ledger_.chunks)
        if (c.state == s) out.push_back(c.id);
    return out;
}

// As the ledger does it, with its checks.
void world::apply(const ledger::chunk_update& u, core::instant now) {
    check(chunk(u.chunk).state != chunk_state::split, "a split chunk changes");
    std::vector<int> places(chunk(u.chunk).contacts.size());
    const auto& had = chunk(u.chunk).task_ids;
    std::vector<std::string> tasks(had.begin(), had.end());
    for (const auto [index, task] : u.created) {
        check(tasks.at(index).empty(), "a row gets a second task");
        tasks[index] = task;
        ++places[index];
        anything_created_ = true;
        auto& known = ledger_.tasks[std::string(task)];
        known.since = u.found_since.value_or(ledger_.attempts[u.chunk].back().begun);
        if (!u.found_since) known.answered_at = now;
    }
    chunk(u.chunk).task_ids = {tasks.begin(), tasks.end()};
    for (const auto& child : u.children) {
        ledger::chunk_record c;
        c.id = static_cast<core::chunk_id>(ledger_.chunks.size() + 1);
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
        ledger_.chunks.push_back(std::move(c));
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
    t.visible_from = applied_at + options_.index_behind;
    if (options_.index_behind == 0ms) t.visible_from += up_to(options_.most_lag);
    ledger::chunk_record asked;
    asked.details = groups_[rows_[r].group];
    asked.contacts.contact_ids = {rows_[r].contact};
    t.seen = task_for(asked, 0, t.id, stamp(applied_at));
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
    t.seen = task_for(like, 0, t.id, stamp(now_));
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
    for (const auto& t : tasks_) {
        if (t.visible_from > now_) continue;
        // A search that does not show everything shows every second task.
        if (view.problem != doubt_reason::none && t.id.back() % 2 == 0) continue;
        const auto known = ledger_.tasks.find(t.id);
        if (known != ledger_.tasks.end()) {
            auto& proven = view.proven_to[core::task_status::scheduled];
            proven = std::max(proven, known->second.since);
            if (known->second.answered_at) {
                const auto ahead = *t.seen.created_at - *known->second.answered_at;
                view.stamps_ahead = std::min(view.stamps_ahead.value_or(ahead), ahead);
            }
        }
        if (t.seen.due_at != due) continue;
        view.tasks.push_back(t.seen);
        if (known != ledger_.tasks.end()) view.recorded.insert(t.id);
    }
    return view;
}

// ---------------------------------------------------------------------------------------------------------- the
// process

void world::send(core::chunk_id id) {
    auto& c = chunk(id);
    check(c.state == chunk_state::planned, "a chunk that is not planned is sent");
    c.state = chunk_state::sending;
    ledger_.attempts[id].push_back({++ledger_.events, 0, wall(), server_time()});
    ++stats_.requests;
    const auto service_end = now_ + up_to(options_.most_service);
    auto failure = calm_ ? std::nullopt : imagine_failure();
    request r;
    r.chunk = id;
    r.answer = failure ? *failure : imagine_answer(c, service_end);
    r.sent_at = now_;
    r.answered_at = service_end;
    r.exchange.reach = client::reach::answered;
    const auto busy = [&](std::size_t number) {
        return std::any_of(in_flight_.begin(), in_flight_.end(),
                           [&](const request& o) { return o.connection == number; });
    };
    while (busy(r.connection))
        ++r.connection;
    auto& link = wires_[r.connection];
    const bool copied = options_.answers_come_twice && !calm_ && link.last && chance(60);
    if (link.left_over || copied) {
        auto real = std::move(r.answer);
        r.answer = link.left_over ? std::move(*link.left_over) : *link.last;
        link.left_over = std::move(real);
    }
    in_flight_.push_back(std::move(r));
}

// The attempt's outcome is recorded.
void world::close(core::chunk_id id, std::optional<core::instant> server_date) {
    auto& a = ledger_.attempts[id].back();
    a.ended = ++ledger_.events;
    if (server_date) a.server_date = std::min(a.server_date.value_or(*server_date), *server_date);
}

// What the answer is taken for.
client::create_answer world::judged(const request& r) {
    auto& link = wires_[r.connection];
    const bool distrusted = link.distrusted;
    bool doubted = distrusted && options_.without != rule::connection_is_distrusted;
    if (options_.without != rule::known_task_is_no_proof)
        for (const auto id : r.answer.tasks.task_ids)
            doubted = doubted || ledger_.tasks.contains(std::string(id));
    // A connection is closed after what is no clear success. One more request may have left on it before an answer was
    // found to be another's.
    if (distrusted || r.answer.verdict != create_verdict::created)
        link = {};
    else if (doubted)
        link.distrusted = true;
    else
        link.last = r.answer;
    if (!doubted) return r.answer;
    ++stats_.distrusted;
    return not_ours(r.answer, "an answer to another request");
}

void world::take_answer(std::size_t which) {
    const auto r = in_flight_[which];
    in_flight_.erase(in_flight_.begin() + static_cast<std::ptrdiff_t>(which));
    now_ = std::max(now_, r.answered_at);
    const auto before = ledger_.chunks.size();
    const auto date = date_of_an_answer();
    hear_clock(date);
    close(r.chunk, date);
    const auto v = after_exchange(chunk(r.chunk), r.exchange, judged(r), wall());
    apply(v.update, wall());
    if (v.update.state == chunk_state::doubtful) take_in(r.chunk);
    for (auto id = before + 1; id <= ledger_.chunks.size(); ++id)
        if (ledger_.chunks[id - 1].state == chunk_state::doubtful) take_in(static_cast<core::chunk_id>(id));
}

void world::take_in(core::chunk_id id) {
    doubt d;
    d.chunk = chunk(id);
    std::vector<attempt> all;
    for (auto at = id; at != 0; at = chunk(at).parent)
        all.insert(all.end(), ledger_.attempts[at].begin(), ledger_.attempts[at].end());
    if (!all.empty() && d.chunk.code != ledger::ledger_accepted) {
        d.begun = all.front().begun;
        d.started_at = d.not_created_before = all.front().started_at;
    }
    for (const auto& a : all) {
        if (d.begun == 0) break;
        d.begun = std::min(d.begun, a.begun);
        d.ended = std::max(d.ended, a.ended);
        d.started_at = std::min(d.started_at, a.started_at);
        d.not_created_before = std::min(d.not_created_before, a.server_date.value_or(a.started_at));
    }
    if (options_.without == rule::control_is_younger) d.ended = 0;
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

bool world::weigh_one(doubt& d, span_view view, const std::vector<const doubt*>& neighbours) {
    const bool last_chance = in_state(chunk_state::planned).empty() || cancelled_;
    if (options_.without == rule::exact_is_never_absent)
        std::erase_if(view.tasks, [&](const auto& t) { return *t.created_at < d.not_created_before - 10min; });
    const auto settle_time = options_.without == rule::scans_are_apart ? 0ms : options_.settle_time;
    const auto w = weigh(d, judge(d, view, neighbours), problem_of(d, view), now_, settle_time, last_chance);
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
    auto update = after_look_up(d.chunk, w.findings, held_code(d.why), held_message(d.why), rules, wall());
    update.found_since = std::max<ledger::event_number>(d.begun, 1);
    stats_.adopted += update.created.size();
    const auto resent = [](const auto& to) {
        return to.state == chunk_state::planned && to.possible_duplicate ? 1u : 0u;
    };
    stats_.resent += resent(update);
    for (const auto& child : update.children)
        stats_.resent += resent(child);
    apply(update, wall());
    return true;
}

// Everything but the ledger and Apollo is gone; what was in flight goes on at Apollo.
void world::kill() {
    ++stats_.kills;
    if (!in_flight_.empty()) ++stats_.kills_in_flight;
    begin_again();
}

// What a new process finds and does first.
void world::begin_again() {
    in_flight_.clear();
    doubts_.clear();
    wires_.assign(connections, {});
    least_server_time_.reset();
    anything_created_ = false;
    for (const auto id : in_state(chunk_state::sending)) {
        close(id, {});
        auto& c = chunk(id);
        c.state = chunk_state::doubtful;
        c.code = "interrupted";
        ++c.attempts;
    }
    for (const auto id : in_state(chunk_state::doubtful))
        if (!is_held(chunk(id))) take_in(id);
}

// Somebody puts an older copy of the ledger back and accepts it.
void world::restore() {
    ++stats_.restores;
    const auto events = ledger_.events;
    ledger_ = *copy_;
    ledger_.events = std::max(ledger_.events, events) + 1;
    for (const auto id : in_state(chunk_state::planned)) {
        if (options_.without == rule::accepted_is_looked_up) break;
        chunk(id).state = chunk_state::doubtful;
        chunk(id).code = ledger::ledger_accepted;
    }
    begin_again();
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
    const auto event = static_cast<int>(any(100));
    const auto overdue = std::find_if(in_flight_.begin(), in_flight_.end(),
                                      [&](const request& r) { return now_ >= r.sent_at + request_timeout; });
    if (overdue != in_flight_.end())
        take_answer(static_cast<std::size_t>(overdue - in_flight_.begin()));
    else if (event < options_.requests_percent && !planned.empty() && in_flight_.size() < 3 && !cancelled_)
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
    else if (event == 90 && options_.ledger_is_restored && copy_)
        restore();
    else if (event < 93 && options_.ledger_is_restored)
        copy_ = ledger_;
    else
        pass_time(up_to(options_.most_pause));
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
                if (chunk(id).code == held_code(doubt_reason::index_unproven)) ++stats_.held_unproven;
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
    for (const auto& c : ledger_.chunks) {
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
