#include "cli/reject_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "cli/invocation.hpp"

namespace taskbarge::cli {

namespace {

// "fix.csv" becomes "fix-2.csv".
std::string numbered(const std::string& path, std::size_t number, std::string_view extension) {
    std::filesystem::path p(path);
    p.replace_filename(fmt::format("{}-{}{}", p.stem().string(), number, extension));
    return p.string();
}

}  // namespace

core::result<void> reject_files::check(const ledger::file_note& file) {
    if (!to_standard_output()) return {};
    if (first_ && !report::same_sheet(*first_, file))
        return core::failure{core::errc::usage,
                             "the rejected rows come from files with different columns or formats; write them with -o "
                             "FILE, which makes a file for each"};
    if (!first_) first_ = file;
    return {};
}

core::result<void> reject_files::record(const core::rejected_row& row, const ledger::file_note& file) {
    if (auto good = check(file); !good) return good;
    auto at = sheet_of(file);
    if (!at) return at.error();
    sheet& one = **at;
    one.writer.record(one.out.buffer(), row, file);
    one.out.flush_if_full();
    wanted_ = one.out.wanted();
    return {};
}

core::result<void> reject_files::finish(no_rejects when_none) {
    if (sheets_.empty() && when_none == no_rejects::empty_file)
        if (auto opened = begin({}); !opened) return opened;
    for (auto& one : sheets_)
        if (auto done = one.out.finish(); !done) return done;
    for (const auto& one : sheets_) {
        if (sheets_.size() > 1) complain(fmt::format("wrote {}", one.path));
        const auto extension = report::rejects_extension(one.file);
        if (!to_standard_output() && extension == ".jsonl" && !one.path.ends_with(extension))
            complain(
                fmt::format("{} holds JSON lines; give it a name that ends in .jsonl before it is imported", one.path));
    }
    return {};
}

std::string reject_files::names() const {
    std::string out;
    for (std::size_t i = 0; i < sheets_.size(); ++i) {
        if (i != 0) out += i + 1 == sheets_.size() ? " and " : ", ";
        out += sheets_[i].path;
    }
    return out;
}

core::result<reject_files::sheet*> reject_files::sheet_of(const ledger::file_note& file) {
    const auto there = std::find_if(sheets_.begin(), sheets_.end(),
                                    [&](const sheet& one) { return report::same_sheet(one.file, file); });
    if (there != sheets_.end()) return &*there;
    if (auto opened = begin(file); !opened) return opened.error();
    return &sheets_.back();
}

core::result<void> reject_files::begin(const ledger::file_note& file) {
    const auto path = sheets_.empty() ? path_ : numbered(path_, sheets_.size() + 1, report::rejects_extension(file));
    auto out = output_file::open(path);
    if (!out) return out.error();
    sheets_.push_back({path, file, std::move(*out)});
    return {};
}

}  // namespace taskbarge::cli
