#include "sandbox/certificates.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "unit/sandbox/support.hpp"

using sandbox_tests::temporary_folder;
using taskbarge::core::errc;
using taskbarge::sandbox::provide_certificates;

namespace {

std::string content(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

TEST(Certificates, ARestartKeepsTheSameAuthority) {
    const temporary_folder folder;
    const auto first = provide_certificates(folder.path());
    ASSERT_TRUE(first);
    const std::string ca = content(first->ca);
    ASSERT_TRUE(provide_certificates(folder.path()));
    EXPECT_EQ(content(first->ca), ca);
}

TEST(Certificates, TheKeyIsForItsOwnerOnly) {
    const temporary_folder folder;
    const auto files = provide_certificates(folder.path());
    ASSERT_TRUE(files);
    struct stat info {};
    ASSERT_EQ(stat(files->key.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

TEST(Certificates, FilesThatDoNotBelongTogetherAreMadeAnew) {
    const temporary_folder folder, other;
    const auto files = provide_certificates(folder.path());
    const auto foreign = provide_certificates(other.path());
    ASSERT_TRUE(files && foreign);
    const std::string foreign_ca = content(foreign->ca);
    std::ofstream(files->ca) << foreign_ca;
    ASSERT_TRUE(provide_certificates(folder.path()));
    EXPECT_NE(content(files->ca), foreign_ca);
}

TEST(Certificates, AFolderThatCannotBeMadeIsNamed) {
    const auto files = provide_certificates("/proc/no/such/folder");
    ASSERT_FALSE(files);
    EXPECT_EQ(files.error().code, errc::io);
    EXPECT_NE(files.error().text.find("/proc/no/such/folder"), std::string::npos);
}

}  // namespace
