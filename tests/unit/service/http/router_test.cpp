#include "service/http/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "support/memory_request.hpp"

namespace {

using namespace taskbarge::service::http;
using taskbarge::testing::memory_request;
using taskbarge::testing::run_to_end;
using testing::HasSubstr;

route_handler says(std::string name) {
    return [name](request& x, const path_values& values) -> boost::asio::awaitable<void> {
        response a;
        a.body = name;
        for (const auto& v : values)
            a.body += " " + v;
        co_await x.reply(std::move(a));
    };
}

router usual() {
    router r;
    r.add("GET", "/", says("root"));
    r.add("GET", "/v1/jobs", says("list"));
    r.add("POST", "/v1/jobs", says("submit"));
    r.add("GET", "/v1/jobs/{job}", says("job"));
    r.add("GET", "/v1/jobs/latest", says("latest"));
    r.add("POST", "/v1/jobs/{job}/pause", says("pause"));
    r.add("GET", "/v1/jobs/{job}/rows/{row}", says("row"));
    return r;
}

memory_request asked(const router& r, std::string method, std::string path) {
    request_head head;
    head.method = std::move(method);
    head.path = std::move(path);
    memory_request x(head);
    run_to_end(r.handle(x));
    EXPECT_EQ(x.answers, 1);
    return x;
}

TEST(Router, FindsTheRouteAndGivesThePathsValues) {
    const router r = usual();
    EXPECT_EQ(asked(r, "GET", "/").given.body, "root");
    EXPECT_EQ(asked(r, "GET", "/v1/jobs").given.body, "list");
    EXPECT_EQ(asked(r, "POST", "/v1/jobs").given.body, "submit");
    EXPECT_EQ(asked(r, "GET", "/v1/jobs/17").given.body, "job 17");
    EXPECT_EQ(asked(r, "GET", "/v1/jobs/17/rows/a b").given.body, "row 17 a b");
}

TEST(Router, AWordStandsBeforeAName) {
    EXPECT_EQ(asked(usual(), "GET", "/v1/jobs/latest").given.body, "latest");
    EXPECT_EQ(usual().name_of("GET", "/v1/jobs/latest"), "GET /v1/jobs/latest");
}

TEST(Router, GetAnswersHeadUnlessHeadHasARouteOfItsOwn) {
    router r = usual();
    EXPECT_EQ(asked(r, "HEAD", "/v1/jobs/17").given.body, "job 17");
    EXPECT_EQ(asked(r, "HEAD", "/v1/jobs/17/pause").given.status, 405);
}

TEST(Router, AnUnknownPathIs404) {
    for (const std::string path : {"/v1", "/v1/job", "/v1/jobs/1/2", "/v2/jobs"}) {
        const auto x = asked(usual(), "GET", path);
        EXPECT_EQ(x.given.status, 404) << path;
        EXPECT_THAT(x.given.body, HasSubstr("/problems/unknown-path"));
        EXPECT_EQ(x.header("Allow"), "");
    }
    EXPECT_EQ(asked(usual(), "OPTIONS", "/nowhere").given.status, 404);
}

TEST(Router, AKnownPathWithAnotherMethodIs405WithAllow) {
    const auto x = asked(usual(), "DELETE", "/v1/jobs");
    EXPECT_EQ(x.given.status, 405);
    EXPECT_EQ(x.header("Allow"), "GET, HEAD, OPTIONS, POST");
    EXPECT_EQ(asked(usual(), "GET", "/v1/jobs/1/pause").header("Allow"), "OPTIONS, POST");
    // A method is a word of its own: case counts.
    EXPECT_EQ(asked(usual(), "get", "/v1/jobs").given.status, 405);
}

TEST(Router, OptionsGivesAllow) {
    const auto x = asked(usual(), "OPTIONS", "/v1/jobs");
    EXPECT_EQ(x.given.status, 204);
    EXPECT_EQ(x.given.body, "");
    EXPECT_EQ(x.header("Allow"), "GET, HEAD, OPTIONS, POST");
}

TEST(Router, LongTextsOfTheClientAreCutInTheAnswer) {
    EXPECT_LT(asked(usual(), "GET", "/" + std::string(10'000, 'x')).given.body.size(), 500u);
    EXPECT_LT(asked(usual(), std::string(10'000, 'X'), "/v1/jobs").given.body.size(), 500u);
}

TEST(Router, NamesAreThePatterns) {
    const router r = usual();
    EXPECT_EQ(r.name_of("GET", "/v1/jobs/17"), "GET /v1/jobs/{job}");
    EXPECT_EQ(r.name_of("HEAD", "/v1/jobs/17"), "GET /v1/jobs/{job}");
    EXPECT_EQ(r.name_of("POST", "/v1/jobs/17/pause"), "POST /v1/jobs/{job}/pause");
    EXPECT_EQ(r.name_of("DELETE", "/v1/jobs/17"), "");
    EXPECT_EQ(r.name_of("GET", "/nowhere"), "");
    EXPECT_EQ(r.names().size(), 7u);
    EXPECT_THAT(r.names(), testing::Contains("POST /v1/jobs/{job}/pause"));
}

TEST(Router, WhatAHandlerThrowsPassesThrough) {
    router r;
    r.add("GET", "/", [](request&, const path_values&) -> boost::asio::awaitable<void> {
        throw std::runtime_error("bad");
        co_return;
    });
    request_head head;
    head.method = "GET";
    head.path = "/";
    memory_request x(head);
    EXPECT_THROW(run_to_end(r.handle(x)), std::runtime_error);
}

TEST(Router, AParameterThatTheRouteDoesNotHaveIs400AndTheNearestIsNamed) {
    router r;
    r.add("GET", "/rows", says("rows"), std::vector<std::string>{"format", "only"});
    r.add("POST", "/rows", says("none"), std::vector<std::string>{});
    r.add("GET", "/probe", says("probe"));
    const auto ask = [&](std::string method, std::string path, header_list query) {
        request_head head;
        head.method = std::move(method);
        head.path = std::move(path);
        head.query = std::move(query);
        memory_request x(head);
        run_to_end(r.handle(x));
        return x.given;
    };
    EXPECT_EQ(ask("GET", "/rows", {{"only", "failed"}, {"format", "csv"}}).status, 200);
    for (const char* method : {"GET", "HEAD"}) {
        const auto refused = ask(method, "/rows", {{"format", "csv"}, {"onyl", "failed"}});
        EXPECT_EQ(refused.status, 400);
        EXPECT_THAT(refused.body, HasSubstr("no parameter onyl; the nearest is only"));
    }
    EXPECT_EQ(ask("POST", "/rows", {{"format", "csv"}}).status, 400);
    EXPECT_EQ(ask("GET", "/probe", {{"t", "1"}}).status, 200) << "without a list any will do";
}

}  // namespace
