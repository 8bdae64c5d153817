// Reads the input on a thread of its own, a few batches ahead of whoever uses them.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/ledger/job_book.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

// Bounded: the reader waits while `ahead` batches are unread. One thread takes batches. While the pump lives, the row
// source is the pump's; finish() gives it back.
class input_pump {
 public:
    explicit input_pump(reader::row_source source, std::size_t ahead = 4);
    ~input_pump();  // stops reading after the current batch
    input_pump(const input_pump&) = delete;
    input_pump& operator=(const input_pump&) = delete;

    // The next batch, or nothing at the end of the input, or why it cannot be read on. Waits at most `patience`, then
    // gives an empty batch, so that the caller can look at the stop and the clock.
    core::result<std::optional<reader::row_batch>> next(std::chrono::milliseconds patience);
    // What is to be kept of a file that a batch has records of. Holds as long as the pump.
    const ledger::file_note& note_of(std::size_t file);
    // Hands a used batch back for refilling.
    void recycle(reader::row_batch batch);

    // Bytes read so far. Any thread.
    std::uint64_t bytes_read() const { return bytes_read_.load(std::memory_order_relaxed); }
    // The source, after next() gave nothing or a failure.
    reader::row_source& finish();

 private:
    void read();

    reader::row_source source_;
    const std::size_t ahead_;
    std::atomic<std::uint64_t> bytes_read_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<reader::row_batch> ready_;
    std::vector<reader::row_batch> spare_;
    std::deque<ledger::file_note> notes_;  // of the files that were opened; those that are there stay where they are
    std::optional<core::failure> failed_;
    bool ended_ = false, closing_ = false;
    std::thread thread_;
};

// What is to be kept of a file beyond the reading.
ledger::file_note note_of(const reader::file_report& file);

}  // namespace taskbarge::job
