// Expected failures as values: a small closed set of kinds, a text for the person who runs the program.
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace taskbarge::core {

// What kind of failure it is, chosen once where it happens. The program's exit code follows from it alone, and whether
// what failed is tried again.
enum class errc {
    usage,             // the command line makes no sense
    settings,          // a setting is wrong or unknown
    input,             // the input cannot be used as a whole (missing, unreadable, no contact column)
    too_many_rejects,  // import.max_rejects passed: nothing was sent
    ledger,            // the ledger cannot be opened or is not ours
    ledger_full,       // no room on the ledger's disk: goes on when there is room
    job_held,          // another process works on this job
    no_such_job,       // the job named does not exist
    no_key,            // no API key given
    unauthorized,      // 401: the key is wrong
    forbidden,         // 403 on the route that the job needs
    all_refused,       // all that a job began with was refused alike: a person must look at this job
    unreachable,       // no answer at all: DNS, connection, TLS
    interrupted,       // a signal asked to stop
    waiting,           // a wait longer than send.max_wait, or an outage: run again later
    paused,            // a person asked that the job waits until it is resumed
    io,                // a file of ours cannot be written
    internal           // a bug
};

// The word by which the kind is stored and shown in JSON; parse_errc() gives it back.
std::string_view to_string(errc v);
std::optional<errc> parse_errc(std::string_view text);

// What makes a failure of that kind go away.
enum class remedy : std::uint8_t {
    time,          // nothing but time: the job is parked, and gone on with
    command,       // a person asked for it, and takes it back
    surroundings,  // a person sees to something beside the input (key, ledger, disk); then the same goes on
    change         // a person changes the input, its settings or the program: the same would fail again
};
remedy remedy_of(errc v);

// Whom a failure of that kind stops.
enum class reach : std::uint8_t {
    job,                // the job that it came up with
    all_for_now,        // all jobs, while it lasts
    all_until_changed,  // all jobs, until key or settings are others
    process             // what this process does; another one, or the service with its next job, can go on
};
reach reach_of(errc v);

// A job that ended so does not go on by itself.
bool needs_a_person(errc v);
// An input that could not be read for it may be read later, as it is.
bool may_pass(errc v);

// A failure and what a person needs to know of it: one line, naming the thing and the remedy, never the API key.
struct failure {
    errc code = errc::internal;
    std::string text;
};

// A value or the failure that prevented it.
template <class T>
using result = boost::system::result<T, failure>;

// Thrown by result::value() when a failure was not looked at: a bug at the caller, or a start-up error on its way to
// main.
class failure_exception : public std::runtime_error {
 public:
    explicit failure_exception(failure f) : std::runtime_error(f.text), failure_(std::move(f)) {}
    const failure& why() const noexcept { return failure_; }

 private:
    failure failure_;
};

[[noreturn]] inline void throw_exception_from_error(const failure& f, const boost::source_location&) {
    throw failure_exception(f);
}

}  // namespace taskbarge::core
