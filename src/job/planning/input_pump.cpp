#include "job/planning/input_pump.hpp"

#include <exception>
#include <utility>

#include "taskbarge/core/shortage.hpp"

namespace taskbarge::job {

using core::result;
using reader::row_batch;

input_pump::input_pump(reader::row_source source, std::size_t ahead)
    : source_(std::move(source)), ahead_(ahead), thread_([this] { read(); }) {}

input_pump::~input_pump() {
    finish();
}

reader::row_source& input_pump::finish() {
    {
        const std::lock_guard lock(mutex_);
        closing_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
    return source_;
}

void input_pump::read() {
    while (true) {
        row_batch batch;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return closing_ || ready_.size() < ahead_; });
            if (closing_) return;
            if (!spare_.empty()) {
                batch = std::move(spare_.back());
                spare_.pop_back();
            }
        }
        result<bool> more = core::failure{core::errc::internal, "reading stopped for no reason"};
        try {
            more = source_.next(batch);
        } catch (const std::exception& e) {
            auto why = core::failure_of(e);
            why.text.insert(0, "reading the input: ");
            more = std::move(why);
        }
        bytes_read_.store(source_.bytes_read(), std::memory_order_relaxed);
        const std::lock_guard lock(mutex_);
        for (auto at = notes_.size(); at < source_.files().size(); ++at)
            notes_.push_back(job::note_of(source_.files()[at]));
        if (!more)
            failed_ = more.error();
        else if (*more)
            ready_.push_back(std::move(batch));
        ended_ = !more || !*more;
        changed_.notify_all();
        if (ended_) return;
    }
}

result<std::optional<row_batch>> input_pump::next(std::chrono::milliseconds patience) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, patience, [this] { return ended_ || !ready_.empty(); });
    if (!ready_.empty()) {
        row_batch batch = std::move(ready_.front());
        ready_.pop_front();
        changed_.notify_all();
        return std::optional<row_batch>(std::move(batch));
    }
    if (failed_) return *failed_;
    if (ended_) return std::optional<row_batch>();
    return std::optional<row_batch>(std::in_place);
}

const ledger::file_note& input_pump::note_of(std::size_t file) {
    const std::lock_guard lock(mutex_);
    return notes_.at(file);
}

void input_pump::recycle(row_batch batch) {
    batch.clear();
    const std::lock_guard lock(mutex_);
    spare_.push_back(std::move(batch));
}

ledger::file_note note_of(const reader::file_report& file) {
    return {file.first_row, file.format, file.header};
}

}  // namespace taskbarge::job
