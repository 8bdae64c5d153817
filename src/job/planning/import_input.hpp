// The input of one import, identified once and passed on: what it is called, how large it is, what its bytes are, and
// how it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/job/commands.hpp"
#include "taskbarge/job/environment.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

using reader::owner_directory;

// Not thread-safe.
class import_input {
 public:
    // Both outlive it.
    import_input(const environment& env, const import_options& options) : env_(env), options_(options) {}

    const environment& env() const { return env_; }
    const import_options& options() const { return options_; }

    // What its files are called in results and messages.
    const std::vector<std::string>& names() const { return options_.names.empty() ? options_.files : options_.names; }
    // Not where standard input is among them.
    bool can_be_read_again() const;
    // From when relative dates count. Asked for once a reading: its days are those of one instant, however long it
    // lasts.
    core::instant base() const { return options_.as_of.value_or(env_.clock.now()); }
    // Its day, "2026-11-23".
    std::string day_of(core::instant base) const { return reader::day_of(env_.settings.dates, base); }

    // Asked of the file system at most once, and hashed at most once: a large file takes a while, and a stop of the
    // environment ends it with errc::interrupted. Only for what can be read again; errc::input else.
    core::result<std::uint64_t> bytes();
    core::result<reader::input_digest> digest();
    // A reading from end to end has shown what its bytes are now.
    void was_read(reader::input_digest digest) { digest_ = std::move(digest); }

    // For one reading. `keep_records`: see reader::source_options.
    core::result<reader::row_source> open(owner_directory owners, bool keep_records, core::instant base) const;

 private:
    const environment& env_;
    const import_options& options_;
    std::optional<std::uint64_t> bytes_;
    std::optional<reader::input_digest> digest_;
};

// The reader's options for these settings.
reader::source_options source_options_of(const environment& env, const import_options& options, owner_directory owners,
                                         core::instant base);

// The identity that an input has under these settings. `relative_day`: empty where it has no relative dates.
ledger::job_identity identity_of(const core::settings& s, const import_options& options,
                                 const reader::input_digest& digest, const std::string& relative_day);

}  // namespace taskbarge::job
