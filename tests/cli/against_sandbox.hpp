// The real program with a local Apollo beside it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <memory>
#include <string>
#include <vector>

#include "cli/program.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::test {

// What a task needs besides its contact comes from the settings, so that files can be small.
class against_sandbox : public testing::Test {
 protected:
    void SetUp() override { start({}); }

    void start(sandbox::sandbox_options options, bool unlimited = true) {
        if (unlimited) options.limits = options.search_limits = {0, 0, 0};
        options.quiet = true;
        auto started = sandbox::server::start(options);
        ASSERT_TRUE(started) << started.error().text;
        server_ = std::move(*started);
        p.environment["APOLLO_API_KEY"] = server_->where().api_key;
    }

    outcome run(std::vector<std::string> arguments, const std::string& input = "") const {
        return p.run(with_server(std::move(arguments)), input);
    }
    std::vector<std::string> with_server(std::vector<std::string> arguments) const {
        for (const auto& word : {std::string("--base-url"), server_->where().base_url, std::string("--ca-file"),
                                 server_->where().ca_file, std::string("--ledger"), p.path("l.db")})
            arguments.push_back(word);
        for (const char* setting :
             {"defaults.type=call", "defaults.status=scheduled", "defaults.due_at=2036-12-01T10:00:00Z"}) {
            arguments.emplace_back("--set");
            arguments.emplace_back(setting);
        }
        return arguments;
    }
    // A file of so many contacts.
    std::string contacts(int count, const std::string& more = "") const {
        std::string text = "contact_id\n";
        for (int i = 0; i < count; ++i)
            text += fmt::format("{:024x}\n", 0xabcdef + i);
        return p.file("contacts.csv", text + more);
    }
    static std::uint64_t number(const outcome& o, const char* key) {
        simdjson::dom::parser parser;
        std::uint64_t n = 0;
        EXPECT_EQ(parser.parse(o.out)[key].get(n), simdjson::SUCCESS) << key << " in " << o.out;
        return n;
    }

    static constexpr const char* owner = "defaults.user_id=66302798d03b9601c7934ebf";
    program p;
    std::unique_ptr<sandbox::server> server_;
};

}  // namespace taskbarge::test
