#include "service/api/block_pipe.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <thread>
#include <vector>

namespace taskbarge::service {
namespace {

class BlockPipe : public ::testing::Test {
 protected:
    // Reads at most `most` blocks, then closes.
    std::vector<std::string> read(std::size_t most) {
        std::vector<std::string> out;
        auto work = [&]() -> boost::asio::awaitable<void> {
            while (out.size() < most) {
                auto block = co_await pipe->pop();
                if (!block) break;
                out.push_back(std::move(*block));
            }
            pipe->close();
        };
        std::exception_ptr error;
        boost::asio::co_spawn(loop, work(), [&](std::exception_ptr e) { error = e; });
        loop.run();
        if (error) std::rethrow_exception(error);
        return out;
    }

    boost::asio::io_context loop{1};
    std::shared_ptr<block_pipe> pipe = std::make_shared<block_pipe>(loop.get_executor());
};

TEST_F(BlockPipe, EveryBlockComesInOrderFromAnotherThread) {
    constexpr int blocks = 2000;
    std::thread producer([&] {
        for (int i = 0; i < blocks; ++i)
            EXPECT_TRUE(pipe->push(std::to_string(i)));
        pipe->finish({});
    });
    const auto out = read(blocks + 1);
    producer.join();
    ASSERT_EQ(out.size(), static_cast<std::size_t>(blocks));
    for (int i = 0; i < blocks; ++i)
        EXPECT_EQ(out[static_cast<std::size_t>(i)], std::to_string(i));
    EXPECT_TRUE(pipe->outcome());
}

TEST_F(BlockPipe, AProducerThatWaitsForRoomIsFreedWhenTheReaderLeaves) {
    std::thread producer([&] {
        while (pipe->push("more")) {
        }
        pipe->finish({});
    });
    EXPECT_EQ(read(3).size(), 3u);
    producer.join();
}

TEST_F(BlockPipe, WhatWasPushedBeforeAFailureIsReadAndTheFailureTold) {
    EXPECT_TRUE(pipe->push("first"));
    pipe->finish(core::failure{core::errc::io, "broken"});
    EXPECT_EQ(read(10).size(), 1u);
    ASSERT_FALSE(pipe->outcome());
    EXPECT_EQ(pipe->outcome().error().text, "broken");
}

}  // namespace
}  // namespace taskbarge::service
