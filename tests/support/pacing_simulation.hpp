// A model of Apollo's fixed windows and of clients that pace themselves by client/rate_windows.hpp, in simulated time.
// Shared by the tests of pacing and by the program that prints a simulated day.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "taskbarge/client/rate_windows.hpp"

namespace taskbarge::testing {

using core::instant;
using std::chrono::milliseconds;

// The server's side: windows that open with the first request that arrives, and end a length later.
class model_windows {
 public:
    struct answer {
        bool accepted = true;
        std::size_t refused_by = 0;  // the exhausted window that reopens last
        std::uint64_t opening = 0;   // which one of its kind that is
        milliseconds reopens_in{0};
        client::rate_headers rates;
    };

    // A limit of 0 means none.
    model_windows(std::array<std::uint64_t, 3> limits, std::array<milliseconds, 3> lengths)
        : limits_(limits), lengths_(lengths) {}

    answer arrive(instant now) {
        close_ended(now);
        answer out;
        for (std::size_t i = 0; i < 3; ++i) {
            if (limits_[i] == 0 || used_[i] < limits_[i]) continue;
            const auto reopens_in = ends_at(i) - now;
            if (!out.accepted && reopens_in <= out.reopens_in) continue;
            out.accepted = false;
            out.refused_by = i;
            out.opening = openings_[i];
            out.reopens_in = reopens_in;
        }
        if (out.accepted) count(now);
        out.rates = headers();
        return out;
    }

    client::rate_headers usage(instant now) {
        close_ended(now);
        return headers();
    }

    // How many requests would be accepted right now.
    std::uint64_t room(instant now) {
        close_ended(now);
        std::uint64_t out = UINT64_MAX;
        for (std::size_t i = 0; i < 3; ++i) {
            if (limits_[i] != 0) out = std::min(out, limits_[i] - used_[i]);
        }
        return out;
    }

    // When the exhausted windows will all have ended.
    std::optional<instant> reopening() const {
        std::optional<instant> out;
        for (std::size_t i = 0; i < 3; ++i) {
            if (limits_[i] == 0 || used_[i] < limits_[i]) continue;
            out = out ? std::max(*out, ends_at(i)) : ends_at(i);
        }
        return out;
    }

    std::uint64_t used(std::size_t i) const { return used_[i]; }
    // When the window was opened that `used` counts; it may have ended since.
    std::optional<instant> opened_at(std::size_t i) const { return opened_[i]; }

 private:
    instant ends_at(std::size_t i) const { return *opened_[i] + lengths_[i]; }

    void close_ended(instant now) {
        for (std::size_t i = 0; i < 3; ++i) {
            if (!opened_[i] || now < ends_at(i)) continue;
            opened_[i].reset();
            used_[i] = 0;
        }
    }

    void count(instant now) {
        for (std::size_t i = 0; i < 3; ++i) {
            if (!opened_[i]) {
                opened_[i] = now;
                ++openings_[i];
            }
            ++used_[i];
        }
    }

    client::rate_headers headers() const {
        client::rate_headers out;
        for (std::size_t i = 0; i < 3; ++i) {
            auto& w = out.windows[i];
            w.present = true;
            w.unlimited = limits_[i] == 0;
            if (w.unlimited) continue;
            w.limit = limits_[i];
            w.used = used_[i];
            w.left = limits_[i] - used_[i];
        }
        return out;
    }

    std::array<std::uint64_t, 3> limits_;
    std::array<milliseconds, 3> lengths_;
    std::array<std::optional<instant>, 3> opened_;
    std::array<std::uint64_t, 3> used_{};
    std::array<std::uint64_t, 3> openings_{};
};

// Requests of the team's other programs: `burst` at once, `every` so often on average (exponentially spread, or exactly
// with `regular`), while `from` <= time < `until`.
struct other_traffic {
    milliseconds every{0};
    std::uint64_t burst = 1;
    bool regular = false;
    milliseconds from{0};
    milliseconds until = std::chrono::hours(24 * 30);
};

enum class retry_after_style { rounded_up, rounded_down, missing };

struct scenario {
    std::string name;
    std::array<std::uint64_t, 3> limits{200, 400, 2000};
    std::uint64_t requests = 0;  // of each process
    std::uint32_t connections = 8;
    std::uint32_t processes = 1;
    milliseconds latency_least{200};
    milliseconds latency_most{200};
    std::vector<other_traffic> others;
    core::limit_settings settings;
    retry_after_style retry_after = retry_after_style::rounded_up;
    bool messages = true;                              // 429s name their window
    double lost = 0;                                   // share of answers that never come
    bool usage_asked = false;                          // usage_stats before the first request
    milliseconds begin{0};                             // when ours start; others may have been at it before
    milliseconds max_wait{0};                          // a longer wait parks a process; 0: it waits
    milliseconds rerun_every = std::chrono::hours(1);  // by cron: parked processes look whether they may go on
    std::uint64_t seed = 1;
};

struct outcome {
    milliseconds finished{0};  // when the last request was answered, from `begin` on
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
    std::uint64_t most_refused_in_a_window = 0;
    std::uint64_t refused_windows = 0;  // openings in which at least one of ours was refused
    bool done = false;                  // false: gave up after too many events, or nothing more happens
};

inline const instant simulation_start = instant(std::chrono::hours(24 * 365 * 50));

// Steps through events in order of time.
class event_loop {
 public:
    instant now() const { return now_; }
    void at(instant t, std::function<void()> what) { events_.push({std::max(t, now_), next_++, std::move(what)}); }
    // False when there are none left.
    bool step() {
        if (events_.empty()) return false;
        auto what = events_.top().what;
        now_ = events_.top().at;
        events_.pop();
        what();
        return true;
    }

 private:
    struct event {
        instant at;
        std::uint64_t order;
        std::function<void()> what;
        bool operator<(const event& o) const { return std::tie(o.at, o.order) < std::tie(at, order); }
    };
    std::priority_queue<event> events_;
    instant now_ = simulation_start;
    std::uint64_t next_ = 0;
};

class pacing_simulation {
 public:
    explicit pacing_simulation(const scenario& s)
        : s_(s), server_(s.limits, s.settings.lengths), random_(s.seed), processes_(s.processes) {
        for (auto& p : processes_)
            p.left = s.requests;
        to_do_ = s.requests * s.processes;
    }

    // Called after every event.
    std::function<void(instant, const model_windows&, const outcome&)> watch;

    outcome run() {
        constexpr int most_events = 20'000'000;
        for (const auto& o : s_.others)
            schedule_others(o, simulation_start + o.from);
        loop_.at(simulation_start + s_.begin, [this] { begin(); });
        for (int i = 0; i < most_events && to_do_ > 0 && loop_.step(); ++i) {
            if (watch) watch(loop_.now(), server_, out_);
        }
        out_.done = to_do_ == 0;
        for (const auto& [window, count] : refusals_) {
            out_.most_refused_in_a_window = std::max(out_.most_refused_in_a_window, count);
        }
        out_.refused_windows = refusals_.size();
        return out_;
    }

 private:
    struct process {
        std::uint64_t left = 0;
        std::uint32_t under_way = 0;
        std::optional<instant> wakes_at;
        std::optional<instant> parked_until;
    };

    void begin() {
        const auto now = loop_.now();
        if (s_.usage_asked) client::observe_usage(book_, s_.settings, server_.usage(now), now, now);
        for (auto& p : processes_)
            pump(p);
        if (s_.max_wait > milliseconds(0)) loop_.at(now + s_.rerun_every, [this] { rerun(); });
    }

    void rerun() {
        for (auto& p : processes_) {
            if (!p.parked_until || loop_.now() < *p.parked_until) continue;
            p.parked_until.reset();
            pump(p);
        }
        loop_.at(loop_.now() + s_.rerun_every, [this] { rerun(); });
    }

    void schedule_others(const other_traffic& o, instant from) {
        std::exponential_distribution<double> spread(1.0 / static_cast<double>(o.every.count()));
        const auto pause = o.regular ? o.every : milliseconds(static_cast<std::int64_t>(spread(random_)) + 1);
        if (from + pause >= simulation_start + o.until) return;
        loop_.at(from + pause, [this, o] {
            for (std::uint64_t i = 0; i < o.burst; ++i)
                server_.arrive(loop_.now());
            schedule_others(o, loop_.now());
        });
    }

    void pump(process& p) {
        p.wakes_at.reset();
        if (p.parked_until) return;
        while (p.left > 0 && p.under_way < s_.connections) {
            const auto decision = client::take_place(book_, s_.settings, loop_.now());
            if (!decision.granted) return sleep(p, decision);
            --p.left;
            ++p.under_way;
            send(p);
        }
    }

    void sleep(process& p, const client::window_decision& decision) {
        if (decision.after_answer && p.under_way > 0) return;  // its answer wakes it
        if (p.wakes_at && *p.wakes_at <= decision.wait_until) return;
        if (s_.max_wait > milliseconds(0) && decision.wait_until > loop_.now() + s_.max_wait) {
            p.parked_until = decision.wait_until;
            return;
        }
        const auto until = std::max(decision.wait_until, loop_.now() + milliseconds(1));
        p.wakes_at = until;
        loop_.at(until, [this, &p, until] {
            if (p.wakes_at == until) pump(p);
        });
    }

    void send(process& p) {
        const auto taken_at = loop_.now();
        const auto latency = milliseconds(
            std::uniform_int_distribution<std::int64_t>(s_.latency_least.count(), s_.latency_most.count())(random_));
        const bool even = s_.latency_least == s_.latency_most;
        const auto share = even ? 0.5 : std::uniform_real_distribution<double>(0.1, 0.9)(random_);
        const auto there = milliseconds(static_cast<std::int64_t>(static_cast<double>(latency.count()) * share));
        const bool lost = std::bernoulli_distribution(s_.lost)(random_);
        loop_.at(taken_at + there, [this, &p, taken_at, latency, lost] {
            auto answer = std::make_shared<model_windows::answer>(server_.arrive(loop_.now()));
            const auto back = lost ? taken_at + std::chrono::seconds(60) : taken_at + latency;
            loop_.at(back, [this, &p, taken_at, lost, answer] { receive(p, taken_at, lost, *answer); });
        });
    }

    void receive(process& p, instant taken_at, bool lost, const model_windows::answer& answer) {
        --p.under_way;
        if (!answer.accepted) {
            ++out_.refused;
            ++refusals_[{answer.refused_by, answer.opening}];
        }
        if (lost) {
            client::observe_lost(book_, taken_at);
        } else if (answer.accepted) {
            client::observe(book_, s_.settings, answer.rates, taken_at, loop_.now());
        } else {
            client::observe_throttled(book_, s_.settings, answer.rates, message(answer), retry_after(answer), taken_at,
                                      loop_.now());
        }
        if (answer.accepted) {
            ++out_.accepted;
            --to_do_;
            out_.finished = loop_.now() - simulation_start - s_.begin;
        } else {
            ++p.left;
        }
        pump(p);
    }

    std::string message(const model_windows::answer& answer) const {
        static constexpr std::array names{"minute", "hour", "day"};
        if (!s_.messages) return "Too many requests";
        return "The maximum number of api calls allowed for api/v1/tasks/bulk_create is " +
               std::to_string(s_.limits[answer.refused_by]) + " times per " + names[answer.refused_by] +
               ". Please upgrade your plan";
    }

    std::optional<milliseconds> retry_after(const model_windows::answer& answer) const {
        switch (s_.retry_after) {
            case retry_after_style::rounded_up:
                return std::chrono::ceil<std::chrono::seconds>(answer.reopens_in);
            case retry_after_style::rounded_down:
                return std::chrono::floor<std::chrono::seconds>(answer.reopens_in);
            case retry_after_style::missing:
                break;
        }
        return std::nullopt;
    }

    const scenario s_;
    model_windows server_;
    std::mt19937_64 random_;
    event_loop loop_;
    core::rate_book book_;
    std::vector<process> processes_;
    std::uint64_t to_do_ = 0;
    outcome out_;
    std::map<std::pair<std::size_t, std::uint64_t>, std::uint64_t> refusals_;
};

inline outcome simulate(const scenario& s) {
    return pacing_simulation(s).run();
}

// The theoretical optimum for windows that the run opened itself: docs/rate-limits.md derives it.
inline milliseconds optimum(const scenario& s) {
    const auto& lengths = s.settings.lengths;
    const auto limit = [&](std::size_t i) { return s.limits[i] == 0 ? UINT64_MAX / 2 : s.limits[i]; };
    const auto nested = [&](std::size_t i, std::uint64_t smaller) {
        const auto times = static_cast<std::uint64_t>(lengths[i] / lengths[i - 1]);
        return smaller > limit(i) / times ? limit(i) : std::min(limit(i), smaller * times);
    };
    const auto per_minute = limit(0);
    const auto per_hour = nested(1, per_minute);
    const auto per_day = nested(2, per_hour);
    const auto times = [](std::uint64_t n, milliseconds each) { return each * static_cast<std::int64_t>(n); };
    const auto rounds = [&](std::uint64_t n) {
        return times((n + s.connections - 1) / s.connections, s.latency_least);
    };

    auto last = s.requests * s.processes - 1;  // the last request, counted from 0
    const auto days = last / per_day;
    last %= per_day;
    const auto hours = last / per_hour;
    last %= per_hour;
    const auto minutes = last / per_minute;
    const auto by_windows = times(minutes, lengths[0]) + rounds(last % per_minute + 1);
    return times(days, lengths[2]) + times(hours, lengths[1]) + std::max(by_windows, rounds(last + 1));
}

// The same with others on the budget: the finish of a client that sees the server's windows, needs no time for a
// request, and fills every window the moment it is free.
inline milliseconds clairvoyant(const scenario& s) {
    model_windows server(s.limits, s.settings.lengths);
    std::mt19937_64 random(s.seed);
    event_loop loop;
    auto left = s.requests * s.processes;
    instant finished = simulation_start;
    std::function<void()> fill = [&] {
        for (auto n = std::min(left, server.room(loop.now())); n > 0; --n, --left)
            server.arrive(loop.now());
        if (left == 0) {
            finished = loop.now();
        } else if (const auto next = server.reopening()) {
            loop.at(*next, fill);
        }
    };
    std::function<void(const other_traffic&, instant)> schedule = [&](const other_traffic& o, instant from) {
        std::exponential_distribution<double> spread(1.0 / static_cast<double>(o.every.count()));
        const auto pause = o.regular ? o.every : milliseconds(static_cast<std::int64_t>(spread(random)) + 1);
        if (from + pause >= simulation_start + o.until) return;
        loop.at(from + pause, [&, o] {
            for (std::uint64_t i = 0; i < o.burst; ++i)
                server.arrive(loop.now());
            schedule(o, loop.now());
        });
    };
    for (const auto& o : s.others)
        schedule(o, simulation_start + o.from);
    loop.at(simulation_start + s.begin, fill);
    for (int i = 0; i < 20'000'000 && left > 0 && loop.step(); ++i) {
    }
    return finished - simulation_start - s.begin;
}

}  // namespace taskbarge::testing
