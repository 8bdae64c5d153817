#include "ledger/witness.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "contract/ledger_fixture.hpp"

namespace taskbarge::ledger {
namespace {

const std::string mine(32, 'a'), theirs(32, 'b');

class Witness : public testing::Test {
 protected:
    witness open() const {
        return witness(core::owned_fd(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), path_);
    }
    std::string content() const {
        std::ifstream in(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    void write(const std::string& text) const { std::ofstream(path_, std::ios::binary) << text; }

    temporary_folder folder_;
    std::string path_ = folder_.file("l.db.lock");
};

TEST_F(Witness, EmptyFileSaysNothing) {
    EXPECT_EQ(must(open().read()), std::nullopt);
}

TEST_F(Witness, RaisingNeverLowers) {
    const auto one = open(), other = open();
    must(one.raise({mine, 7}));
    must(other.raise({mine, 5}));
    EXPECT_EQ(must(one.read()), (witness_line{mine, 7}));
    must(other.raise({mine, 8}));
    EXPECT_EQ(must(one.read()), (witness_line{mine, 8}));
    const auto size = content().size();
    must(one.raise({mine, 18'446'744'073'709'551'615u}));
    EXPECT_EQ(content().size(), size) << "a line of fixed size";
    EXPECT_EQ(must(one.read())->events, 18'446'744'073'709'551'615u);
}

TEST_F(Witness, AnotherLedgerTakesItOverOnlyWhereNothingWasSent) {
    const auto it = open();
    must(it.raise({mine, 0}));
    must(it.raise({theirs, 3}));
    const auto refused = it.raise({mine, 9});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, core::errc::ledger);
    EXPECT_EQ(must(it.read()), (witness_line{theirs, 3}));
    must(it.replace({mine, 1}));
    EXPECT_EQ(must(it.read()), (witness_line{mine, 1})) << "a person has said so";
}

TEST_F(Witness, WhatIsTornOrChangedIsNotTakenForNone) {
    must(open().raise({mine, 123}));
    const auto whole = content();
    for (std::size_t size = 1; size < whole.size(); ++size) {
        write(whole.substr(0, size));
        EXPECT_FALSE(open().read()) << size;
    }
    for (std::size_t at = 0; at < whole.size() * 8; ++at) {
        auto changed = whole;
        changed[at / 8] = static_cast<char>(changed[at / 8] ^ (1 << at % 8));
        write(changed);
        const auto read = open().read();
        ASSERT_FALSE(read) << at;
        EXPECT_NE(read.error().text.find("taskbarge ledger accept"), std::string::npos) << read.error().text;
    }
    write(whole + "x");
    EXPECT_FALSE(open().read());
    must(open().replace({mine, 124}));
    EXPECT_EQ(must(open().read())->events, 124u);
}

}  // namespace
}  // namespace taskbarge::ledger
