#include "job/planning/import_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace taskbarge::job {

using core::result;

bool import_input::can_be_read_again() const {
    return std::find(options_.files.begin(), options_.files.end(), "-") == options_.files.end();
}

result<std::uint64_t> import_input::bytes() {
    if (bytes_) return *bytes_;
    auto size = reader::size_of(options_.files);
    if (size) bytes_ = *size;
    return size;
}

result<reader::input_digest> import_input::digest() {
    if (digest_) return *digest_;
    auto found = reader::digest_of(options_.files, [this] { return env_.stop.level() == stop_level::none; });
    if (found) digest_ = *found;
    return found;
}

result<reader::row_source> import_input::open(owner_directory owners, bool keep_records, core::instant base) const {
    auto options = source_options_of(env_, options_, std::move(owners), base);
    options.keep_records = keep_records;
    return reader::row_source::open(options_.files, std::move(options));
}

reader::source_options source_options_of(const environment& env, const import_options& options, owner_directory owners,
                                         core::instant base) {
    reader::source_options so;
    so.columns = env.settings.columns;
    so.values = env.settings.values;
    so.defaults = env.settings.defaults;
    so.dates = env.settings.dates;
    so.import = env.settings.import;
    so.now = base;
    so.first_rows = options.first_rows;
    so.names = options.names;
    so.owners = std::move(owners);
    return so;
}

ledger::job_identity identity_of(const core::settings& s, const import_options& options,
                                 const reader::input_digest& digest, const std::string& relative_day) {
    ledger::job_identity id;
    id.base_url = s.apollo.base_url;
    id.team = s.apollo.team;
    id.input_sha256 = digest.sha256;
    id.input_bytes = digest.bytes;
    id.settings_text = core::identity_text(s);
    if (options.first_rows > 0) id.settings_text += fmt::format("first={}\n", options.first_rows);
    if (!options.occasion.empty()) id.settings_text += fmt::format("occasion={}\n", options.occasion);
    id.relative_day = relative_day;
    return id;
}

}  // namespace taskbarge::job
