#include "cli/observer.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/text.hpp"
#include "taskbarge/core/write_all.hpp"

namespace taskbarge::cli {

namespace {

std::string reading_line(const job::progress& p) {
    const auto rows = counted(p.rows.rows, "row", "rows");
    if (p.bytes_total == 0) return fmt::format("reading: {}, {}", rows, spoken_bytes(p.bytes_read));
    const auto percent = p.bytes_read >= p.bytes_total ? 100 : p.bytes_read * 100 / p.bytes_total;
    return fmt::format("reading: {}, {}% of {}", rows, percent, spoken_bytes(p.bytes_total));
}

std::string sums(const job::progress& p) {
    auto out = fmt::format("{} of {} created, {} of at least {} requests", grouped(p.rows.created),
                           counted(p.rows.rows - p.rows.rejected - p.rows.duplicate, "row", "rows"),
                           grouped(p.requests.requests), grouped(p.requests.minimum_requests));
    if (p.rows.failed != 0) out += fmt::format(", {} failed", grouped(p.rows.failed));
    if (p.rows.unknown != 0) out += fmt::format(", {} unknown", grouped(p.rows.unknown));
    return out;
}

std::string time_left(const job::progress& p, core::instant now) {
    if (!p.expected_end || *p.expected_end <= now) return "";
    return fmt::format(", about {} left", spoken(*p.expected_end - now));
}

std::string waiting_line(const job::progress& p, core::instant now) {
    std::string out = "waiting for " + (p.waiting_for.empty() ? std::string("Apollo") : printable(p.waiting_for, 120));
    if (p.waiting_until) {
        out += fmt::format(" until {}", clock_time(*p.waiting_until, now));
        if (*p.waiting_until > now) out += fmt::format(" ({})", spoken(*p.waiting_until - now));
    }
    return out + ": " + sums(p);
}

// The line cut to the terminal's width: a longer one would wrap and could not be drawn over.
std::string fitted(std::string line, std::size_t width) {
    if (width < 2) width = 2;
    return printable(line, width > 4 ? width - 4 : width);
}

}  // namespace

std::string progress_line(const job::progress& p, double rows_a_second, core::instant now) {
    switch (p.phase) {
        case job::phase::reading:
            return reading_line(p);
        case job::phase::connecting:
            return "connecting: " + sums(p);
        case job::phase::looking_up:
            return fmt::format("looking up {}: {}", counted(p.rows.unknown, "unknown row", "unknown rows"), sums(p));
        case job::phase::waiting:
            return waiting_line(p, now);
        case job::phase::stopping:
            return fmt::format("stopping: {} in flight, {}", counted(p.in_flight, "request", "requests"), sums(p));
        case job::phase::sending:
            break;
    }
    auto line = "sending: " + sums(p);
    if (rows_a_second > 0) line += fmt::format(", {} rows/s", grouped(static_cast<std::uint64_t>(rows_a_second)));
    if (!p.waiting_for.empty()) line += ", waiting for " + printable(p.waiting_for, 120);
    return line + time_left(p, now);
}

void terminal_observer::on_progress(const job::progress& p) {
    if (options_.style == progress_style::none) return;
    const auto now = options_.clock.steady_now();
    if (last_phase_ != p.phase) {
        last_phase_ = p.phase;
        rate_from_ = now;
        rate_rows_ = p.rows.created;
    }
    if (!due(p.phase, now)) return;
    last_shown_ = now;
    shown_phase_ = p.phase;
    const auto line = progress_line(p, rate(p, now), options_.clock.now());
    if (options_.style == progress_style::live) {
        draw(line);
    } else {
        options_.write("taskbarge: " + line + "\n");
    }
}

bool terminal_observer::due(job::phase phase, steady now) {
    // The first plain line waits as well: a run that is over at once needs none.
    if (!last_shown_ && options_.style == progress_style::lines) {
        last_shown_ = now;
        return false;
    }
    if (!last_shown_) return true;
    const bool still_waiting = phase == job::phase::waiting && shown_phase_ == phase;
    const auto interval = options_.style == progress_style::live ? options_.live_interval
                          : still_waiting                        ? options_.waiting_interval
                                                                 : options_.line_interval;
    return now - *last_shown_ >= interval;
}

double terminal_observer::rate(const job::progress& p, steady now) {
    const std::chrono::duration<double> passed = now - rate_from_;
    if (passed.count() < 0.5 || p.rows.created <= rate_rows_) return 0;
    return static_cast<double>(p.rows.created - rate_rows_) / passed.count();
}

void terminal_observer::draw(const std::string& line) {
    drawn_ = fitted(line, options_.width());
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

progress_style style_for_stderr(bool quiet) {
    if (quiet) return progress_style::none;
    const char* terminal = std::getenv("TERM");
    const bool dumb = !terminal || std::string_view(terminal) == "dumb";
    return ::isatty(STDERR_FILENO) && !dumb ? progress_style::live : progress_style::lines;
}

std::size_t terminal_width() {
    winsize size{};
    if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
    return size.ws_col;
}

void write_stderr(std::string_view text) {
    (void)core::write_all(STDERR_FILENO, text);  // there is no other place to say that it failed
}

}  // namespace taskbarge::cli
