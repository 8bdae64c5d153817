// What a run shows while it works: one live line on a terminal, now and then a line elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "cli/style.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/environment.hpp"

namespace taskbarge::cli {

enum class progress_style {
    live,   // one line that is drawn over and over
    lines,  // a line of its own every few seconds
    none    // neither progress nor notices
};

// The text of one progress line, without line end: how many rows, the share, the time left, then words. As much as the
// style has columns for: in shorter words first, then cut. `rows_a_second` 0: not known yet.
std::string progress_line(const job::progress& p, double rows_a_second, core::instant now, const style& look = {});

// The run calls it from its own threads, one call at a time; finish() is called after the run.
class terminal_observer : public job::observer {
 public:
    struct options {
        progress_style style = progress_style::lines;
        std::function<void(std::string_view)> write;  // to standard error
        std::function<std::size_t()> width;           // columns of the terminal; asked for at each drawing
        const core::clock& clock;
        cli::style look{};
        std::chrono::milliseconds live_interval{100};
        // Between lines: a part of the time that has passed, so that a night in a log or a mail is no longer than can
        // be read, within these.
        std::chrono::milliseconds least_interval{5000}, most_interval{600'000};
        std::chrono::milliseconds waiting_interval{60'000};  // at least, while nothing happens but waiting
    };
    explicit terminal_observer(options o) : options_(std::move(o)) {}

    void on_progress(const job::progress& p) override;
    void on_notice(const std::string& line) override;
    // Takes the live line away.
    void finish();

 private:
    using steady = std::chrono::steady_clock::time_point;
    bool due(const job::progress& p, steady now);
    std::chrono::milliseconds interval(job::phase phase, steady now) const;
    double rate(const job::progress& p, steady now);
    void draw(const std::string& line);
    void erase();
    style drawn_style() const;

    options options_;
    std::optional<steady> begun_, last_shown_;
    std::optional<job::phase> last_phase_;
    std::optional<job::phase> shown_phase_;
    std::string drawn_;  // the live line as it stands; empty: none
    // Where the rate is counted from: the first progress of the phase.
    steady rate_from_{};
    std::uint64_t rate_rows_ = 0;
};

// What fits standard error, `quiet` given or not.
progress_style progress_style_for_stderr(bool quiet);
// Writes to standard error, whole, ignoring what cannot be written.
void write_stderr(std::string_view text);

}  // namespace taskbarge::cli
