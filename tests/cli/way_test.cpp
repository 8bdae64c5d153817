// The way to Apollo: proxies named by the environment, wrong URLs, and others that answer instead of Apollo.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.hpp"
#include "support/connect_relay.hpp"
#include "support/scripted_server.hpp"
#include "support/test_authority.hpp"

namespace {

using taskbarge::test::outcome;
using taskbarge::test::program;
using taskbarge::testing::answer_with;
using taskbarge::testing::connect_relay;
using taskbarge::testing::header_list;
using taskbarge::testing::http_answer;
using taskbarge::testing::reply;
using taskbarge::testing::scripted_server;
using taskbarge::testing::seen_request;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

constexpr const char* page =
    "<html><head><title>Attention Required! | Example CDN</title></head><body>no</body></html>";
const header_list of_a_cdn{{"Content-Type", "text/html"}, {"Server", "cloudflare"}, {"CF-RAY", "8f2a-FRA"}};

// What stands where Apollo should be; each command asks one server of its own.
class Way : public testing::Test {
 protected:
    Way() { p.environment["APOLLO_API_KEY"] = "test-key"; }

    static const taskbarge::testing::test_authority& authority() {
        static const taskbarge::testing::test_authority one;
        return one;
    }
    static taskbarge::testing::server_options identity() {
        static const auto issued = authority().issue({"DNS:apollo.example", "IP:127.0.0.1"});
        taskbarge::testing::server_options o;
        o.identity = issued;
        return o;
    }

    // Rows of a group each.
    std::string rows(std::size_t count) const {
        std::string text = "contact_id,note\n";
        for (std::size_t i = 1; i <= count; ++i)
            text += fmt::format("66e8a1b2c3d4e5f6a7{:06x},note {}\n", i, i);
        return p.file("a.csv", text);
    }
    // Rows of one group.
    std::string twins(std::size_t count) const {
        std::string text = "contact_id\n";
        for (std::size_t i = 1; i <= count; ++i)
            text += fmt::format("66e8a1b2c3d4e5f6a7{:06x}\n", i);
        return p.file("b.csv", text);
    }

    outcome run(std::vector<std::string> words, const std::string& host = "127.0.0.1",
                const std::string& path = "/api/v1") const {
        const auto ca = p.file("ca.pem", authority().pem());
        for (const auto& word : {std::string("--base-url"), fmt::format("https://{}:{}{}", host, server.port(), path),
                                 std::string("--ca-file"), ca, std::string("--ledger"), p.path("l.db")})
            words.push_back(word);
        for (const char* setting :
             {"defaults.type=call", "defaults.status=scheduled", "defaults.due_at=2036-12-01T10:00:00Z",
              "defaults.user_id=66302798d03b9601c7934ebf", "send.backoff_base=10ms", "send.backoff_cap=2s",
              "send.settle_time=100ms", "send.max_wait=30s"}) {
            words.emplace_back("--set");
            words.emplace_back(setting);
        }
        return p.run(words);
    }
    std::size_t asked(const std::string& route) const {
        std::size_t n = 0;
        for (const auto& r : server.requests())
            n += r.target.find(route) != std::string::npos ? 1 : 0;
        return n;
    }
    std::size_t creates() const { return asked("tasks/bulk_create"); }

    program p;
    scripted_server server{identity()};
};

TEST_F(Way, WrongBaseUrlCreatesNothingAndIsNamed) {
    struct wrong {
        int status;
        std::string body;
        header_list headers;
        const char* told;
    };
    const std::vector<wrong> answers{
        {404, R"({"error":"no such route"})", {}, "no such route"},
        {404, page, of_a_cdn, "Attention Required! | Example CDN (Server: cloudflare, CF-RAY: 8f2a-FRA)"},
        {405, "", {}, "answered 405"},
        {410, "gone", {}, "gone"},
        {301, "", {{"Location", "https://app.apollo.io/api/v1"}}, "Location https://app.apollo.io/api/v1"},
        {307, page, {{"Location", "https://login.example/"}}, "Location https://login.example/"}};
    const auto file = rows(30);
    std::size_t before = 0;
    for (const auto& one : answers) {
        server.fallback(answer_with(one.status, one.body, one.headers));
        const auto o = run({"import", file}, "127.0.0.1", "/v1");
        EXPECT_EQ(o.code, 78) << one.status << o.out << o.err;
        EXPECT_THAT(o.err, AllOf(HasSubstr("apollo.base_url"), HasSubstr(fmt::format("answered {}", one.status)),
                                 HasSubstr(one.told)));
        EXPECT_EQ(creates() - before, 1U) << one.status;
        before = creates();
    }
    EXPECT_THAT(run({"status", "1", "--json"}).out, HasSubstr(R"("pending":30)"));
}

TEST_F(Way, DoctorBelievesInNoImportThatNothingHasProven) {
    struct wrong {
        int status;
        std::string body;
        int code;
    };
    for (const auto& [status, body, code] :
         {wrong{404, R"({"error":"x"})", 78}, wrong{301, "", 78}, wrong{405, page, 78}, wrong{200, page, 69},
          wrong{422, page, 69}, wrong{400, "", 69}, wrong{403, page, 69}, wrong{401, page, 69}, wrong{503, page, 75},
          wrong{200, "{}", 75}}) {
        server.fallback(answer_with(status, body));
        const auto o = run({"doctor"});
        EXPECT_EQ(o.code, code) << status << o.out << o.err;
        EXPECT_THAT(o.out, HasSubstr("An import would fail.")) << status;
        if (body == "{}") continue;  // that is Apollo's way of speaking
        EXPECT_THAT(o.out, AllOf(HasSubstr("not checked"), Not(HasSubstr("accepted")))) << status;
    }
    server.fallback(answer_with(422, R"({"error":"user can not be blank"})"));
    const auto o = run({"doctor"});
    EXPECT_EQ(o.code, 0) << o.out;
    EXPECT_THAT(o.out, AllOf(HasSubstr("An import would work."), HasSubstr("accepted")));
}

TEST_F(Way, PageOfAGatewayIsNoRefusal) {
    const auto file = rows(300);
    std::size_t before = 0;
    for (const int status : {400, 403, 401, 451}) {
        server.fallback(answer_with(status, page, of_a_cdn));
        const auto o = run({"import", file});
        EXPECT_EQ(o.code, 69) << status << o.out << o.err;
        EXPECT_THAT(o.err, AllOf(HasSubstr("not Apollo"), HasSubstr(std::to_string(status)),
                                 HasSubstr("Attention Required! | Example CDN"), HasSubstr("CF-RAY: 8f2a-FRA")));
        EXPECT_LE(creates() - before, 20U) << status;
        before = creates();
    }
    EXPECT_THAT(run({"status", "1", "--json"}).out, HasSubstr(R"("pending":300)"));
}

TEST_F(Way, PageWithSuccessLeavesOneRequestInDoubt) {
    server.fallback(answer_with(200, "<html><head><title>Log in to the network</title></head></html>"));
    const auto o = run({"import", rows(300)});
    EXPECT_EQ(o.code, 69) << o.out << o.err;
    EXPECT_THAT(o.err, HasSubstr("Log in to the network"));
    EXPECT_EQ(creates(), 1U);
    EXPECT_THAT(run({"status", "1", "--json"}).out, AllOf(HasSubstr(R"("pending":299)"), HasSubstr(R"("unknown":1)")));
}

TEST_F(Way, RefusalOfEverythingWithTheSameWordsStopsTheRun) {
    server.fallback(answer_with(422, R"({"error":"Your account is suspended, case 4711"})"));
    const auto o = run({"import", rows(300)});
    EXPECT_EQ(o.code, 78) << o.out << o.err;
    EXPECT_THAT(o.err, AllOf(HasSubstr("Your account is suspended"), HasSubstr("send.refused_alike")));
    EXPECT_EQ(creates(), 10U);
    EXPECT_THAT(run({"status", "1", "--json"}).out, HasSubstr(R"("pending":290)"));
    EXPECT_EQ(run({"resume", "1", "--set", "send.refused_alike=0"}).code, 2) << "the way on, for who means it";
}

TEST_F(Way, RefusalOfLargeGroupsIsTriedWithSingleContactsBeforeTheRunStops) {
    std::string text = "contact_id,note\n";
    for (int i = 0; i < 600; ++i)
        text += fmt::format("66e8a1b2c3d4e5f6a7{:06x},note {}\n", i, i / 3);
    server.fallback(answer_with(422, R"({"error":"Invalid request"})"));
    const auto o = run({"import", p.file("c.csv", text)});
    EXPECT_EQ(o.code, 78) << o.out << o.err;
    EXPECT_LE(creates(), 20U) << "200 groups of three";
}

TEST_F(Way, FewGroupsThatAreRefusedAlikeFail) {
    server.fallback(answer_with(422, R"({"error":"no such contact"})"));
    EXPECT_EQ(run({"import", rows(4)}).code, 2);
    EXPECT_THAT(run({"status", "1", "--json"}).out, HasSubstr(R"("failed":4)"));
    EXPECT_EQ(creates(), 4U) << "none is asked for twice";
}

TEST_F(Way, SearchAndOwnersSayWhoAnswered) {
    const auto owners = p.file("o.csv", "contact_id,owner_email\n66e8a1b2c3d4e5f6a7000001,a@example.com\n");
    server.fallback(answer_with(404, "no"));
    auto o = run({"import", owners});
    EXPECT_EQ(o.code, 69) << o.err;
    EXPECT_THAT(o.err, AllOf(HasSubstr("apollo.base_url"), HasSubstr("users/search answered 404")));
    server.fallback(answer_with(403, page, of_a_cdn));
    o = run({"plan", owners});
    EXPECT_EQ(o.code, 69) << o.err;
    EXPECT_THAT(o.err, AllOf(HasSubstr("not Apollo"), HasSubstr("Example CDN")));
}

// ------------------------------------------------------------------------------------------------------------ proxies

class WayByProxy : public Way {
 protected:
    std::string relay_url(const std::string& user = "") const {
        return fmt::format("http://{}127.0.0.1:{}", user, relay.port());
    }
    static std::string created(const std::string& contact) {
        return fmt::format(R"({{"success":true,"tasks":[{{"id":"task-{}","contact_id":"{}"}}]}})", contact, contact);
    }
    connect_relay relay;
};

TEST_F(WayByProxy, ImportGoesThroughTheProxyOfTheEnvironment) {
    std::size_t tunnels = 0;
    for (const char* name : {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}) {
        p.environment = {{"APOLLO_API_KEY", "test-key"}, {name, relay_url()}};
        const auto contact = fmt::format("66e8a1b2c3d4e5f6a7{:06x}", tunnels + 1);
        const auto file = p.file("one.csv", "contact_id\n" + contact + "\n");
        server.fallback(answer_with(200, created(contact)));
        const auto o = run({"import", file}, "apollo.example");
        EXPECT_EQ(o.code, 0) << name << o.err;
        EXPECT_GT(relay.heads().size(), tunnels) << name;
        tunnels = relay.heads().size();
    }
    EXPECT_THAT(relay.heads().front(), HasSubstr(fmt::format("CONNECT apollo.example:{} ", server.port())));
}

TEST_F(WayByProxy, SettleTimeIsNoShorterThanPacketsMayWait) {
    p.environment["HTTPS_PROXY"] = relay_url();
    server.fallback(answer_with(422, R"({"error":"x"})"));
    EXPECT_THAT(run({"doctor"}, "apollo.example").err, HasSubstr("send.settle_time = 100ms is less than"));
    EXPECT_THAT(run({"doctor"}).err, Not(HasSubstr("settle_time"))) << "a sandbox on this machine";
}

TEST_F(WayByProxy, SettingGoesBeforeTheEnvironment) {
    p.environment["HTTPS_PROXY"] = "http://127.0.0.1:1";
    server.fallback(answer_with(422, R"({"error":"x"})"));
    const auto o = run({"doctor", "--set", "send.proxy=" + relay_url("me:s3cret@")}, "apollo.example");
    EXPECT_EQ(o.code, 0) << o.out << o.err;
    EXPECT_THAT(o.out, AllOf(HasSubstr(relay_url() + ", from send.proxy"), Not(HasSubstr("s3cret"))));
}

TEST_F(WayByProxy, DoctorNamesTheVariable) {
    p.environment["https_proxy"] = relay_url("me:s3cret@");
    server.fallback(answer_with(422, R"({"error":"x"})"));
    const auto o = run({"doctor"}, "apollo.example");
    EXPECT_EQ(o.code, 0) << o.out << o.err;
    EXPECT_THAT(o.out, AllOf(HasSubstr(relay_url() + ", from https_proxy"), Not(HasSubstr("s3cret"))));
}

TEST_F(WayByProxy, NoProxyGoesStraight) {
    p.environment["HTTPS_PROXY"] = relay_url();
    server.fallback(answer_with(422, R"({"error":"x"})"));
    for (const std::string& no_proxy :
         {std::string("apollo.example"), std::string(".example"), std::string("*"),
          fmt::format("apollo.example:{}", server.port()), std::string("other.example, apollo.example")}) {
        p.environment["NO_PROXY"] = no_proxy;
        const auto o = run({"doctor"}, "apollo.example");
        EXPECT_EQ(o.code, 69) << no_proxy << o.out;
        EXPECT_THAT(o.out, HasSubstr("could not be looked up")) << "there is no such name without the proxy";
    }
    p.environment["NO_PROXY"] = "apollo.example:1";
    EXPECT_EQ(run({"doctor"}, "apollo.example").code, 0);
    EXPECT_FALSE(relay.heads().empty());
}

TEST_F(WayByProxy, ProxyOfAnotherKindIsNamed) {
    p.environment["ALL_PROXY"] = "socks5://me:s3cret@127.0.0.1:1";
    const auto o = run({"import", rows(1)}, "apollo.example");
    EXPECT_EQ(o.code, 78) << o.err;
    EXPECT_THAT(o.err, AllOf(HasSubstr("ALL_PROXY"), Not(HasSubstr("s3cret"))));
    EXPECT_THAT(relay.heads(), SizeIs(0));
}

}  // namespace
