#include "ledger/key_hash.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace taskbarge::ledger {
namespace {

class KeyFile : public ::testing::Test {
 protected:
    KeyFile() : folder_(::mkdtemp(pattern_)) {}
    ~KeyFile() override { std::filesystem::remove_all(folder_); }
    std::string path() const { return folder_ / "ledger.db-contacts-key"; }

    char pattern_[32] = "/tmp/key-hash-test-XXXXXX";
    std::filesystem::path folder_;
};

// A service and its commands, or two threads of one process, may meet a new ledger together.
TEST_F(KeyFile, MadeByManyAtOnceItIsOneKeyForAll) {
    constexpr std::size_t many = 8;
    for (int round = 0; round < 20; ++round) {
        std::filesystem::remove(path());
        std::vector<std::string> names(many), troubles(many);
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < many; ++i)
            threads.emplace_back([&, i] {
                const auto key = key_hash::open(path(), true);
                (key ? names[i] : troubles[i]) = key ? key->name() : key.error().text;
            });
        for (auto& t : threads)
            t.join();
        EXPECT_EQ(troubles, std::vector<std::string>(many));
        EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 1u);
    }
    std::size_t files = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder_))
        ++files;
    EXPECT_EQ(files, 1u) << "a draft was left behind";
}

}  // namespace
}  // namespace taskbarge::ledger
