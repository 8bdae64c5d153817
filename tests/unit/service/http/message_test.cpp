#include "service/http/message.hpp"

#include <gtest/gtest.h>

namespace {

using namespace taskbarge::service::http;

TEST(RequestHead, GivesTheFirstHeaderAndParameterOfAName) {
    request_head head;
    head.headers = {{"accept", "a"}, {"x", "1"}, {"x", "2"}};
    head.query = {{"state", "done"}, {"state", "failed"}, {"flag", ""}};
    EXPECT_EQ(head.header("x"), "1");
    EXPECT_EQ(head.header("missing"), "");
    EXPECT_EQ(head.parameter("state"), "done");
    EXPECT_EQ(head.parameter("flag"), "");
    EXPECT_EQ(head.parameter("missing"), std::nullopt);
}

TEST(Problem, IsAnObjectAsRfc9457HasIt) {
    const response a = problem(404, "unknown-job", "There is no such job", "Job \"7\" is not there;\nlist them.");
    EXPECT_EQ(a.status, 404);
    EXPECT_EQ(a.content_type, "application/problem+json");
    EXPECT_EQ(a.body, R"({"type":"/problems/unknown-job","title":"There is no such job","status":404,)"
                      R"("detail":"Job \"7\" is not there;\nlist them."})"
                      "\n");
}

}  // namespace
