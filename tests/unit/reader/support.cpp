#include "unit/reader/support.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>

namespace taskbarge::reader::testing {

temporary_folder::temporary_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "taskbarge-reader-XXXXXX").string();
    if (!::mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
    path_ = name;
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string temporary_folder::path(std::string_view name) const {
    return path_ + "/" + std::string(name);
}

std::string temporary_folder::write(std::string_view name, std::string_view bytes) const {
    std::ofstream(path(name), std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    return path(name);
}

memory_file::memory_file(std::string_view bytes) : descriptor_(::memfd_create("input", MFD_CLOEXEC)) {
    if (descriptor_ < 0 || ::write(descriptor_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
        throw std::runtime_error("no file in memory");
}

memory_file::~memory_file() {
    ::close(descriptor_);
}

std::string memory_file::path() const {
    return fmt::format("/proc/self/fd/{}", descriptor_);
}

std::string gzipped(std::string_view bytes) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::runtime_error("no deflate");
    std::string out(deflateBound(&stream, bytes.size()), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int status = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (status != Z_STREAM_END) throw std::runtime_error("deflate failed");
    return out;
}

std::string zstandard(std::string_view bytes) {
    std::string out(ZSTD_compressBound(bytes.size()), '\0');
    const std::size_t n = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 1);
    if (ZSTD_isError(n)) throw std::runtime_error("zstd failed");
    out.resize(n);
    return out;
}

std::string reading_outcome::summary() const {
    if (failure) return "failure";
    std::map<core::row_number, std::string> words;
    for (const owned_row& r : rows)
        words[r.number] = "row";
    for (const core::rejected_row& r : rejects)
        words[r.number] = r.column.empty() ? r.code : r.code + "@" + r.column;
    std::string out;
    for (const auto& [number, word] : words)
        out += (out.empty() ? "" : " ") + word;
    return out;
}

namespace {

template <class Records>
void expect_ascending(const Records& records) {
    for (std::size_t i = 1; i < records.size(); ++i)
        EXPECT_LT(records[i - 1].number, records[i].number);
}

void take_keys(const row_keys& keys, owned_row& row) {
    for (const core::key_kind kind : core::all_key_kinds) {
        const auto& [text, column] = keys.by_kind[static_cast<std::size_t>(kind)];
        EXPECT_EQ(text.empty(), column.empty());
        if (!text.empty())
            row.keys += fmt::format("{}{}={} ({})", row.keys.empty() ? "" : " ", to_string(kind), text, column);
    }
    EXPECT_EQ(keys.any(), !row.keys.empty());
    row.contact_column = keys.contact_column;
    row.raw = keys.raw;
}

// Moves a batch's records out of it. Its numbers are the next ones, each once.
void take(const row_batch& batch, const source_options& options, reading_outcome& out) {
    expect_ascending(batch.rows);
    expect_ascending(batch.rejects);
    const core::row_number before = out.rows.size() + out.rejects.size();
    const core::row_number size = batch.rows.size() + batch.rejects.size();
    EXPECT_GT(size, 0u);
    EXPECT_LE(size, options.batch_rows);
    std::vector<bool> seen(size, false);
    const auto see = [&](core::row_number n) {
        ASSERT_GT(n, before);
        ASSERT_LE(n, before + size);
        EXPECT_FALSE(seen[n - before - 1]);
        seen[n - before - 1] = true;
    };
    EXPECT_TRUE(batch.keys.empty() || batch.keys.size() == batch.rows.size());
    EXPECT_TRUE(!batch.keys.empty() || batch.rows.empty() || !options.keep_records);
    for (std::size_t i = 0; i < batch.rows.size(); ++i) {
        const core::row& r = batch.rows[i];
        see(r.number);
        out.rows.push_back({r.number, r.at, std::string(r.contact_id), core::task_details(r.details), {}, {}, {}});
        if (!batch.keys.empty()) take_keys(batch.keys[i], out.rows.back());
        EXPECT_FALSE(r.contact_id.empty() && out.rows.back().keys.empty()) << "nothing names the contact";
    }
    for (const core::rejected_row& r : batch.rejects) {
        see(r.number);
        EXPECT_FALSE(r.code.empty());
        EXPECT_FALSE(r.message.empty());
        EXPECT_EQ(r.message.find('\n'), std::string::npos) << r.message;
        out.rejects.push_back(r);
    }
}

}  // namespace

reading_outcome read_all(const std::vector<std::string>& paths, const source_options& options) {
    reading_outcome out;
    auto source = row_source::open(paths, options);
    if (!source) {
        out.failure = source.error();
        return out;
    }
    row_batch batch;
    for (;;) {
        auto more = source->next(batch);
        if (!more) {
            out.failure = more.error();
            break;
        }
        if (!*more) break;
        take(batch, options, out);
    }
    out.files = source->files();
    out.digest = source->digest();
    out.bytes = source->bytes_read();
    out.relative_dates = source->used_relative_dates();
    return out;
}

reading_outcome read_text(std::string_view name, std::string_view bytes, const source_options& options) {
    const temporary_folder folder;
    return read_all({folder.write(name, bytes)}, options);
}

std::string contact(unsigned n) {
    return fmt::format("66e8a1b2c3d4e5f6{:08x}", n);
}

std::string record(unsigned n, std::string_view note) {
    return fmt::format("{},{},call,high,scheduled,2025-02-15T10:00:00Z,{}", contact(n), owner_id, note);
}

std::string json_record(unsigned n, std::string_view escaped_note) {
    return fmt::format(R"({{"contact_id":"{}","user_id":"{}","type":"call","priority":"high","status":"scheduled",)"
                       R"("due_at":"2025-02-15T10:00:00Z","note":"{}"}})",
                       contact(n), owner_id, escaped_note);
}

}  // namespace taskbarge::reader::testing
