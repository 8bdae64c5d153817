#include "taskbarge/reader/row_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "reader/byte_source.hpp"
#include "reader/csv_records.hpp"
#include "reader/encoding.hpp"
#include "reader/file_format.hpp"
#include "reader/foreign_file.hpp"
#include "reader/invisible.hpp"
#include "reader/jsonl_records.hpp"
#include "reader/record_sink.hpp"
#include "reader/row_checks.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::size_t head_size = 64 << 10;  // enough to tell encodings, formats and layouts apart
constexpr std::size_t blocks_a_batch = 8;

core::failure unusable(const std::string& path, std::string_view what) {
    return {core::errc::input, fmt::format("{}: {}", display_name(path), what)};
}

// The size of a regular file, 0 of a pipe. Opening is tried on regular files only: a pipe can be opened but once.
core::result<std::uint64_t> size_of_one(const std::string& path) {
    if (path == "-") return 0;
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0)
        return unusable(path, fmt::format("cannot be opened: {}", std::strerror(errno)));
    if (S_ISDIR(info.st_mode)) return unusable(path, "is a folder, not a file");
    if (!S_ISREG(info.st_mode)) return 0;
    input_digest_builder ignored;
    if (auto opened = stored_file::open(path, ignored); !opened) return opened.error();
    return static_cast<std::uint64_t>(info.st_size);
}

// Adds a file's bytes to the digest; says how many.
core::result<std::uint64_t> read_whole(const std::string& path, input_digest_builder& digest,
                                       const std::function<bool()>& go_on) {
    auto file = stored_file::open(path, digest);
    if (!file) return file.error();
    std::vector<char> bytes(std::size_t{1} << 20);
    for (;;) {
        if (!go_on()) return core::failure{core::errc::interrupted, "stopped while reading " + path};
        auto n = file->read(bytes.data(), bytes.size());
        if (!n) return n.error();
        if (*n < bytes.size()) return file->bytes_read();
    }
}

}  // namespace

struct row_source::impl {
    impl(std::vector<std::string> input, source_options given, row_checks row_rules, name_rules names)
        : paths(std::move(input)),
          options(std::move(given)),
          checks(std::move(row_rules)),
          rules(std::move(names)),
          sink(options.first_rows, options.batch_rows, blocks_a_batch * options.block_size) {
        reports.reserve(paths.size());  // readers refer to their report
    }

    // Opens the next file and makes its reader.
    core::result<void> open_next() {
        const std::string& path = paths[reports.size()];
        auto source = byte_source::open(path, digest);
        if (!source) return source.error();
        const std::string_view compression = source->compression();
        byte_window window(std::move(*source), options.block_size);
        // A byte more than the head, so that it is known whether it is all.
        const auto ahead = window.look_ahead(head_size + 1);
        if (!ahead) return ahead.error();
        const bool whole = ahead->size() <= head_size;
        std::string_view head = ahead->substr(0, head_size);
        file_report found;
        found.name = options.names.empty() ? display_name(path) : options.names.at(reports.size());
        found.first_row = sink.next_number();
        if (!compression.empty()) found.format.append("+").append(compression);
        if (const auto other = foreign_file_message(head, found); !other.empty())
            return core::failure{core::errc::input, other};
        if (const auto other = wide_encoding_message(head, found); !other.empty())
            return core::failure{core::errc::input, other};
        while (head.starts_with(utf8_bom))
            head.remove_prefix(utf8_bom.size());
        if (paths.size() > 1 && whole && shows_nothing(head)) return pass_over(std::move(found), window);
        const auto format = format_of(found, head, whole, rules, options.import.format);
        if (!format) return format.error();

        file_report& report = reports.emplace_back(std::move(found));
        report.format.insert(0, *format == file_format::csv ? "csv" : "jsonl");
        const file_context context{static_cast<std::uint32_t>(reports.size() - 1), options, rules, checks, report};
        if (*format == file_format::jsonl) {
            reader = open_jsonl(std::move(window), context);
            return {};
        }
        auto opened = open_csv(std::move(window), context);
        if (!opened) return opened.error();
        reader = std::move(*opened);
        return {};
    }

    // One of several files has nothing in it, as of a day without entries.
    core::result<void> pass_over(file_report found, byte_window& window) {
        found.empty = true;
        found.format.insert(0, "csv");
        reports.push_back(std::move(found));
        auto read = window.source().drain();
        bytes_of_closed += window.source().stored_bytes_read();
        if (read && reports.size() == paths.size() &&
            std::all_of(reports.begin(), reports.end(), [](const file_report& r) { return r.empty; }))
            return core::failure{core::errc::input, "all files are empty; a CSV file begins with a header row"};
        return read;
    }

    // Opens files up to the next one that holds something, if there is one.
    core::result<void> open_following() {
        while (!reader && reports.size() < paths.size())
            if (auto opened = open_next(); !opened) return opened;
        return {};
    }

    // Fills the batch as far as it goes over the files.
    core::result<void> fill(row_batch& batch) {
        sink.start(batch);
        while (reader && !sink.full()) {
            auto more = reader->fill(sink);
            if (!more) return more.error();
            if (const auto& failure = checks.owners_failure()) return *failure;
            if (*more) break;
            if (auto closed = close_current(); !closed) return closed.error();
            if (auto opened = open_following(); !opened) return opened.error();
        }
        return {};
    }

    core::result<void> close_current() {
        auto read = reader->source().drain();
        bytes_of_closed += reader->source().stored_bytes_read();
        reader.reset();
        return read;
    }

    // The digest covers the whole input, also when only its first rows are wanted.
    core::result<void> read_through() {
        if (reader)
            if (auto closed = close_current(); !closed) return closed.error();
        for (std::size_t i = reports.size(); i < paths.size() && !read_to_end; ++i) {
            auto bytes = read_whole(paths[i], digest, [] { return true; });
            if (!bytes) return bytes.error();
            bytes_of_closed += *bytes;
        }
        read_to_end = true;
        return {};
    }

    std::vector<std::string> paths;
    source_options options;
    row_checks checks;
    name_rules rules;
    record_sink sink;
    input_digest_builder digest;
    std::vector<file_report> reports;
    std::unique_ptr<record_reader> reader;
    std::uint64_t bytes_of_closed = 0;
    std::uint64_t total = 0;
    bool read_to_end = false;
    std::optional<core::failure> failed;  // an unusable input stays so
};

core::result<row_source> row_source::open(const std::vector<std::string>& paths, source_options options) {
    if (paths.empty()) return core::failure{core::errc::input, "no input file"};
    if (std::count(paths.begin(), paths.end(), "-") > 1)
        return core::failure{core::errc::input, "standard input (-) can be read only once"};
    const auto total = size_of(paths);
    if (!total) return total.error();
    auto checks = row_checks::make(options);
    if (!checks) return checks.error();
    auto rules = name_rules::make(options);
    if (!rules) return rules.error();
    auto made = std::make_unique<impl>(paths, std::move(options), std::move(*checks), std::move(*rules));
    made->total = *total;
    if (auto opened = made->open_following(); !opened) return opened.error();
    return row_source(std::move(made));
}

row_source::row_source(std::unique_ptr<impl> p) : impl_(std::move(p)) {}
row_source::row_source(row_source&&) noexcept = default;
row_source& row_source::operator=(row_source&&) noexcept = default;
row_source::~row_source() = default;

core::result<bool> row_source::next(row_batch& batch) {
    batch.clear();
    if (impl_->failed) return *impl_->failed;
    auto filled = impl_->fill(batch);
    if (filled && (!batch.rows.empty() || !batch.rejects.empty())) return true;
    if (filled) filled = impl_->read_through();
    batch.clear();
    if (filled) return false;
    impl_->failed = filled.error();
    return filled.error();
}

const std::vector<file_report>& row_source::files() const {
    return impl_->reports;
}

std::uint64_t row_source::bytes_read() const {
    return impl_->bytes_of_closed + (impl_->reader ? impl_->reader->source().stored_bytes_read() : 0);
}

std::uint64_t row_source::bytes_total() const {
    return impl_->total;
}

bool row_source::used_relative_dates() const {
    return impl_->checks.used_relative_dates();
}

std::vector<unknown_word> row_source::unknown_words() const {
    return impl_->checks.unknown().list();
}

std::string row_source::digest() const {
    return impl_->digest.hex();
}

std::vector<core::setting_fault> faults_of_settings(const core::settings& settings, core::instant now) {
    source_options options;
    options.columns = settings.columns;
    options.values = settings.values;
    options.defaults = settings.defaults;
    options.dates = settings.dates;
    options.import = settings.import;
    options.now = now;
    return row_checks::faults_of(options);
}

core::result<input_digest> digest_of(const std::vector<std::string>& paths, const std::function<bool()>& go_on) {
    input_digest_builder digest;
    input_digest found;
    for (const std::string& path : paths) {
        if (path == "-")
            return core::failure{core::errc::input, "standard input cannot be hashed without reading it as input"};
        auto bytes = read_whole(path, digest, go_on);
        if (!bytes) return bytes.error();
        found.bytes += *bytes;
    }
    found.sha256 = digest.hex();
    return found;
}

core::result<std::uint64_t> size_of(const std::vector<std::string>& paths) {
    std::uint64_t sum = 0;
    for (const std::string& path : paths) {
        auto size = size_of_one(path);
        if (!size) return size.error();
        sum += *size;
    }
    return sum;
}

}  // namespace taskbarge::reader
