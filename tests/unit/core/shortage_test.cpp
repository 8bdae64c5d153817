#include "taskbarge/core/shortage.hpp"

#include <gtest/gtest.h>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

namespace taskbarge::core {
namespace {

TEST(Shortage, OfMemoryThreadsAndDescriptorsIsNoBug) {
    const std::system_error no_thread(EAGAIN, std::generic_category());
    const boost::system::system_error no_asio_thread({EAGAIN, boost::system::system_category()}, "thread");
    const boost::system::system_error no_epoll({EMFILE, boost::system::system_category()}, "epoll");
    for (const std::exception* e :
         std::initializer_list<const std::exception*>{&no_thread, &no_asio_thread, &no_epoll}) {
        const auto why = failure_of(*e);
        EXPECT_EQ(why.code, errc::waiting) << e->what();
        EXPECT_NE(why.text.find("the ledger is whole"), std::string::npos) << why.text;
        EXPECT_NE(why.text.find("ulimit"), std::string::npos) << why.text;
    }
    EXPECT_EQ(failure_of(std::bad_alloc()).code, errc::waiting);
    EXPECT_EQ(failure_of(std::bad_array_new_length()).code, errc::waiting);
}

TEST(Shortage, OtherExceptionsKeepWhatTheyAre) {
    EXPECT_EQ(failure_of(std::logic_error("x")).code, errc::internal);
    EXPECT_EQ(failure_of(std::logic_error("x")).text, "x");
    EXPECT_EQ(failure_of(std::system_error(ENOENT, std::generic_category())).code, errc::internal);
    // The same number in another category says something else.
    EXPECT_EQ(failure_of(boost::system::system_error({EMFILE, boost::asio::error::get_netdb_category()}, "x")).code,
              errc::internal);
    EXPECT_EQ(failure_of(failure_exception({errc::no_key, "none"})).code, errc::no_key);
}

TEST(Shortage, NamesTheThingThatCouldNotBeHad) {
    EXPECT_FALSE(shortage_of("a.db", ENOENT));
    EXPECT_FALSE(shortage_of("a.db", 0));
    const auto why = shortage_of("a.db", EMFILE);
    ASSERT_TRUE(why);
    EXPECT_EQ(why->text.rfind("a.db: too many open files", 0), 0u);
}

}  // namespace
}  // namespace taskbarge::core
