#include "cli/observer.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "cli/text.hpp"
#include "taskbarge/core/files.hpp"

namespace taskbarge::cli {

namespace {

// From many words to few.
enum class wording { full, brief, terse };
constexpr wording all_wordings[] = {wording::full, wording::brief, wording::terse};

struct piece {
    std::string text;
    bool bad = false;
};

std::uint64_t percent(std::uint64_t part, std::uint64_t whole) {
    if (part >= whole) return 100;
    return static_cast<std::uint64_t>(static_cast<double>(part) / static_cast<double>(whole) * 100);
}

piece count_of(const job::progress& p, wording how) {
    const auto to_create = p.rows.rows - p.rows.rejected - p.rows.duplicate;
    if (to_create == 0) return {};
    const auto share = percent(p.rows.created, to_create);
    if (how == wording::terse)
        return {fmt::format("{} of {} ({}%)", grouped(p.rows.created), grouped(to_create), share)};
    const auto rows = how == wording::full ? counted(to_create, "row", "rows") : grouped(to_create);
    return {fmt::format("{} of {} created ({}%)", grouped(p.rows.created), rows, share)};
}

// As the windows let it, or as the answers come: whichever is later.
piece time_left(const job::progress& p, double rows_a_second, core::instant now, wording how) {
    std::chrono::milliseconds left{0};
    if (p.expected_end) left = std::max(left, *p.expected_end - now);
    if (rows_a_second > 0)
        left = std::max(left, std::chrono::milliseconds(static_cast<std::int64_t>(
                                  1000 * static_cast<double>(p.rows.pending) / rows_a_second)));
    if (left.count() == 0) return {};
    return {fmt::format("{}{} left", how == wording::full ? "about " : "", spoken(left))};
}

// "the hour window of tasks/bulk_create", or "hour window".
std::string waits_for(const job::progress& p, wording how) {
    auto name = p.waiting_for.empty() ? std::string("Apollo") : printable(p.waiting_for, 120);
    if (how == wording::full) return name;
    if (name.starts_with("the ")) name.erase(0, 4);
    return name.substr(0, name.find(" of tasks/"));
}

std::string waiting(const job::progress& p, core::instant now, wording how, const style& look) {
    const auto name = waits_for(p, how);
    const auto left = p.waiting_until ? *p.waiting_until - now : core::instant::duration{0};
    if (how == wording::terse) return left.count() > 0 ? fmt::format("{}, {}", name, spoken_briefly(left)) : name;
    auto out = how == wording::full ? "waiting for " + name : name;
    if (p.waiting_until)
        out +=
            " until " + (how == wording::full ? look.time(*p.waiting_until, now) : clock_time(*p.waiting_until, now));
    return left.count() > 0 ? fmt::format("{} ({})", out, spoken(left)) : out;
}

std::string stopping(const job::progress& p, core::instant now, wording how) {
    if (p.in_flight == 0) return "stopping";
    const auto left = p.waiting_until ? *p.waiting_until - now : core::instant::duration{0};
    auto out =
        "stopping: " + (how == wording::terse ? grouped(p.in_flight) : counted(p.in_flight, "request", "requests")) +
        " in flight";
    if (left.count() > 0)
        out += how == wording::terse ? fmt::format(", {} at most", spoken_briefly(left))
                                     : fmt::format(", waiting at most {}", spoken(left));
    return out + "; again: do not wait";
}

std::string words_of(const job::progress& p, core::instant now, wording how, const style& look) {
    switch (p.phase) {
        case job::phase::connecting:
            return "connecting";
        case job::phase::looking_up:
            return fmt::format("looking up {}", counted(p.rows.unknown, "unknown row", "unknown rows"));
        case job::phase::waiting:
            return waiting(p, now, how, look);
        case job::phase::stopping:
            return stopping(p, now, how);
        case job::phase::reading:
        case job::phase::finding:
        case job::phase::sending:
            break;
    }
    if (p.waiting_for.empty()) return how == wording::terse ? "" : "sending";
    return (how == wording::full ? "sending, waiting for " : "") + waits_for(p, how);
}

std::vector<piece> reading_pieces(const job::progress& p) {
    const auto rows = counted(p.rows.rows, "row", "rows");
    if (p.bytes_total == 0) return {{fmt::format("reading: {}, {}", rows, spoken_bytes(p.bytes_read))}};
    return {{fmt::format("reading: {}, {}% of {}", rows, percent(p.bytes_read, p.bytes_total),
                         spoken_bytes(p.bytes_total))}};
}

std::vector<piece> finding_pieces(const job::progress& p, core::instant now, wording how, const style& look) {
    auto text = fmt::format("finding contacts: {}", grouped(p.contacts_read));
    if (p.contacts_total > 0) text += fmt::format(" of {}", grouped(p.contacts_total));
    if (p.waiting_until) return {{text}, {waiting(p, now, how, look)}};
    return {{text}};
}

std::vector<piece> pieces(const job::progress& p, double rows_a_second, core::instant now, wording how,
                          const style& look) {
    if (p.phase == job::phase::reading) return reading_pieces(p);
    if (p.phase == job::phase::finding) return finding_pieces(p, now, how, look);
    std::vector<piece> out{count_of(p, how), time_left(p, rows_a_second, now, how)};
    if (p.rows.failed != 0) out.push_back({fmt::format("{} failed", grouped(p.rows.failed)), true});
    if (p.rows.unknown != 0 && p.phase != job::phase::looking_up)
        out.push_back({fmt::format("{} unknown", grouped(p.rows.unknown)), true});
    const piece words{words_of(p, now, how, look)};
    // Who stops a run wants to know what becomes of that.
    out.insert(p.phase == job::phase::stopping ? out.begin() : out.end(), words);
    if (how == wording::terse) return out;
    if (p.requests.minimum_requests != 0)
        out.push_back({fmt::format("{} of {}{} requests", grouped(p.requests.requests),
                                   how == wording::full ? "at least " : "", grouped(p.requests.minimum_requests))});
    if (rows_a_second > 0 && how == wording::full)
        out.push_back({fmt::format("{} rows/s", grouped(static_cast<std::uint64_t>(rows_a_second)))});
    return out;
}

std::string joined(const std::vector<piece>& pieces, const style& look) {
    std::string out;
    for (const auto& one : pieces) {
        if (one.text.empty()) continue;
        if (!out.empty()) out += ", ";
        out += one.bad ? look.bad(one.text) : one.text;
    }
    return out;
}

}  // namespace

std::string progress_line(const job::progress& p, double rows_a_second, core::instant now, const style& look) {
    std::vector<piece> found;
    const auto fits = [&] { return look.columns == 0 || joined(found, {}).size() <= look.columns; };
    for (const auto how : all_wordings) {
        found = pieces(p, rows_a_second, now, how, look);
        if (fits()) return joined(found, look);
    }
    while (found.size() > 1 && !fits())
        found.pop_back();
    return fits() ? joined(found, look) : look.fitted(joined(found, {}));
}

void terminal_observer::on_progress(const job::progress& p) {
    if (options_.style == progress_style::none) return;
    const auto now = options_.clock.steady_now();
    if (last_phase_ != p.phase) {
        last_phase_ = p.phase;
        rate_from_ = now;
        rate_rows_ = p.rows.created;
    }
    if (!due(p, now)) return;
    last_shown_ = now;
    shown_phase_ = p.phase;
    const bool live = options_.style == progress_style::live;
    const auto line = progress_line(p, rate(p, now), options_.clock.now(), live ? drawn_style() : options_.look);
    if (live) {
        draw(line);
    } else {
        options_.write("taskbarge: " + line + "\n");
    }
}

bool terminal_observer::due(const job::progress& p, steady now) {
    if (!begun_) begun_ = now;
    // Whoever stopped it looks for an answer.
    if (p.phase == job::phase::stopping && shown_phase_ != p.phase && p.in_flight != 0) return true;
    // The first plain line waits as well: a run that is over at once needs none.
    if (!last_shown_ && options_.style == progress_style::lines) {
        last_shown_ = now;
        return false;
    }
    return !last_shown_ || now - *last_shown_ >= interval(p.phase, now);
}

std::chrono::milliseconds terminal_observer::interval(job::phase phase, steady now) const {
    if (options_.style == progress_style::live) return options_.live_interval;
    constexpr int part = 4;
    const auto passed = std::chrono::duration_cast<std::chrono::milliseconds>(now - *begun_);
    const auto grown = std::clamp(passed / part, options_.least_interval, options_.most_interval);
    const bool still_waiting = phase == job::phase::waiting && shown_phase_ == phase;
    return still_waiting ? std::max(grown, options_.waiting_interval) : grown;
}

double terminal_observer::rate(const job::progress& p, steady now) {
    const std::chrono::duration<double> passed = now - rate_from_;
    if (passed.count() < 0.5 || p.rows.created <= rate_rows_) return 0;
    return static_cast<double>(p.rows.created - rate_rows_) / passed.count();
}

// One column is left free: a line that fills the last one wraps on some terminals.
style terminal_observer::drawn_style() const {
    auto look = options_.look;
    look.columns = std::max<std::size_t>(options_.width(), 2) - 1;
    return look;
}

void terminal_observer::draw(const std::string& line) {
    drawn_ = line;
    options_.write("\r\x1b[K" + drawn_);
}

void terminal_observer::erase() {
    if (drawn_.empty()) return;
    drawn_.clear();
    options_.write("\r\x1b[K");
}

void terminal_observer::on_notice(const std::string& line) {
    if (options_.style == progress_style::none) return;
    const auto redraw = drawn_;
    erase();
    options_.write("taskbarge: " + printable(line) + "\n");
    if (!redraw.empty()) draw(redraw);
}

void terminal_observer::finish() {
    erase();
}

progress_style progress_style_for_stderr(bool quiet) {
    if (quiet) return progress_style::none;
    return can_redraw(STDERR_FILENO) ? progress_style::live : progress_style::lines;
}

void write_stderr(std::string_view text) {
    (void)core::write_all(STDERR_FILENO, text);  // there is no other place to say that it failed
}

}  // namespace taskbarge::cli
