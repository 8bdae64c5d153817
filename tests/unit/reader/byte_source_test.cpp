#include "reader/byte_source.hpp"

#include <gtest/gtest.h>

#include "taskbarge/core/sha256.hpp"
#include "taskbarge/core/text.hpp"
#include "unit/reader/support.hpp"

namespace taskbarge::reader {
namespace {

using testing::gzipped;
using testing::memory_file;
using testing::zstandard;

// The decompressed bytes, or the failure's text.
std::string read_back(std::string_view stored, std::size_t piece = 7) {
    const memory_file file(stored);
    input_digest_builder digest;
    auto source = byte_source::open(file.path(), digest);
    if (!source) return "failure: " + source.error().text;
    std::string out;
    for (;;) {
        const auto bytes = std::make_shared<char[]>(piece);
        auto n = source->read(bytes.get(), piece, bytes);
        if (!n) {
            EXPECT_EQ(n.error().code, core::errc::input);
            return "failure: " + n.error().text;
        }
        out.append(bytes.get(), *n);
        if (*n < piece) {
            EXPECT_EQ(digest.hex(), core::hex(core::sha256_of(stored)));
            return out;
        }
    }
}

std::string numbers(int count) {
    std::string out;
    for (int i = 0; i < count; ++i)
        out += std::to_string(i) + ",";
    return out;
}

// Pieces large enough to be hashed on the other thread, more of them than may wait there.
TEST(ByteSource, LargePiecesAreHashedInTheirOrder) {
    EXPECT_EQ(read_back(numbers(400'000), 65'537), numbers(400'000));
}

TEST(ByteSource, PlainFileComesAsItIs) {
    EXPECT_EQ(read_back(""), "");
    EXPECT_EQ(read_back("a"), "a");
    EXPECT_EQ(read_back(numbers(1000)), numbers(1000));
}

TEST(ByteSource, GzipAndZstdAreKnownByTheirFirstBytes) {
    EXPECT_EQ(read_back(gzipped(numbers(1000))), numbers(1000));
    EXPECT_EQ(read_back(zstandard(numbers(1000))), numbers(1000));
    EXPECT_EQ(read_back(gzipped("")), "");
    EXPECT_EQ(read_back(zstandard("")), "");
}

TEST(ByteSource, LargeFilesPassThroughTheDecompressors) {
    const std::string large = numbers(300'000);
    EXPECT_EQ(read_back(gzipped(large), 100'000), large);
    EXPECT_EQ(read_back(zstandard(large), 100'000), large);
}

TEST(ByteSource, MembersOneAfterTheOtherAreOneText) {
    EXPECT_EQ(read_back(gzipped("ab") + gzipped("") + gzipped("cd")), "abcd");
    EXPECT_EQ(read_back(zstandard("ab") + zstandard("") + zstandard("cd")), "abcd");
}

TEST(ByteSource, ZerosBehindGzipArePadding) {
    EXPECT_EQ(read_back(gzipped("ab") + std::string(1000, '\0')), "ab");
}

TEST(ByteSource, OtherBytesBehindGzipAreAFailure) {
    EXPECT_NE(read_back(gzipped("ab") + "x").find("behind the gzip data"), std::string::npos);
    EXPECT_NE(read_back(gzipped("ab") + std::string(3, '\0') + "x").find("behind the gzip data"), std::string::npos);
}

TEST(ByteSource, CompressedFileThatStopsEarlyIsAFailureAtEveryByte) {
    const std::string gzip = gzipped(numbers(50)), zstd = zstandard(numbers(50));
    for (std::size_t n = 2; n < gzip.size(); ++n)
        EXPECT_TRUE(read_back(gzip.substr(0, n)).starts_with("failure: ")) << n;
    for (std::size_t n = 4; n < zstd.size(); ++n)
        EXPECT_TRUE(read_back(zstd.substr(0, n)).starts_with("failure: ")) << n;
}

TEST(ByteSource, DamagedCompressedDataIsAFailure) {
    std::string gzip = gzipped(numbers(500));
    gzip[gzip.size() - 6] ^= 1;  // in the checksum
    EXPECT_NE(read_back(gzip).find("damaged"), std::string::npos);
}

TEST(ByteSource, DigestIsOfTheStoredBytes) {
    const std::string gzip = gzipped("abc");
    const auto digest_after_reading = [](std::string_view stored) {
        const memory_file file(stored);
        input_digest_builder digest;
        auto source = byte_source::open(file.path(), digest);
        EXPECT_TRUE(source->drain());
        EXPECT_EQ(source->stored_bytes_read(), stored.size());
        return digest.hex();
    };
    EXPECT_EQ(digest_after_reading("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(digest_after_reading(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(digest_after_reading(gzip), core::hex(core::sha256_of(gzip)));
}

TEST(ByteSource, MissingFileAndFolderAreNamed) {
    const testing::temporary_folder folder;
    input_digest_builder digest;
    const auto missing = byte_source::open(folder.path("none.csv"), digest);
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code, core::errc::input);
    EXPECT_NE(missing.error().text.find("none.csv: cannot be opened: No such file"), std::string::npos);
    const auto is_folder = byte_source::open(folder.path(""), digest);
    ASSERT_FALSE(is_folder);
    EXPECT_NE(is_folder.error().text.find("is a folder"), std::string::npos);
}

}  // namespace
}  // namespace taskbarge::reader
