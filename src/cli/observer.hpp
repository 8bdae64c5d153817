// What a run shows while it works: one live line on a terminal, now and then a line elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/job/job.hpp"

namespace taskbarge::cli {

enum class progress_style {
    live,   // one line that is drawn over and over
    lines,  // a line of its own every few seconds
    none    // neither progress nor notices
};

// The text of one progress line, without line end. `rows_a_second` 0: not known yet.
std::string progress_line(const job::progress& p, double rows_a_second, core::instant now);

// The run calls it from its own threads, one call at a time; finish() is called after the run.
class terminal_observer : public job::observer {
 public:
    struct options {
        progress_style style = progress_style::lines;
        std::function<void(std::string_view)> write;  // to standard error
        std::function<std::size_t()> width;           // columns of the terminal; asked for at each drawing
        const core::clock& clock;
        std::chrono::milliseconds live_interval{100};
        std::chrono::milliseconds line_interval{5000};
        std::chrono::milliseconds waiting_interval{60000};  // between lines while nothing happens but waiting
    };
    explicit terminal_observer(options o) : options_(std::move(o)) {}

    void on_progress(const job::progress& p) override;
    void on_notice(const std::string& line) override;
    // Takes the live line away.
    void finish();

 private:
    using steady = std::chrono::steady_clock::time_point;
    bool due(job::phase phase, steady now);
    double rate(const job::progress& p, steady now);
    void draw(const std::string& line);
    void erase();

    options options_;
    std::optional<steady> last_shown_;
    std::optional<job::phase> last_phase_;
    std::optional<job::phase> shown_phase_;
    std::string drawn_;  // the live line as it stands; empty: none
    // Where the rate is counted from: the first progress of the phase.
    steady rate_from_{};
    std::uint64_t rate_rows_ = 0;
};

// The style that fits standard error, `quiet` given or not.
progress_style style_for_stderr(bool quiet);
// Columns of the terminal on standard error; 80 when it does not say.
std::size_t terminal_width();
// Writes to standard error, whole, ignoring what cannot be written.
void write_stderr(std::string_view text);

}  // namespace taskbarge::cli
