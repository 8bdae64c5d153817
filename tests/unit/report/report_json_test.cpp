#include "taskbarge/report/report_json.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <algorithm>

namespace {

namespace reports = taskbarge::report;
namespace core = taskbarge::core;
namespace job = taskbarge::job;
using reports::exit_code;

job::report parked() {
    job::report r;
    r.job = 7;
    r.state = job::report_state::parked;
    r.rows = {10, 4, 1, 1, 1, 1, 2};
    r.requests = {3, 5, 6, 1, 2};
    r.requests_this_run = 2;
    r.elapsed = std::chrono::milliseconds(1234);
    r.resume_at = *core::parse_rfc3339("2026-11-23T10:00:00Z");
    r.unfinished_jobs = {3, 4};
    r.why = core::failure{core::errc::waiting, "the day window"};
    return r;
}

// Every key of the contract.
const char* const keys[] = {"job",
                            "state",
                            "rows",
                            "created",
                            "duplicate",
                            "duplicate_pending",
                            "duplicate_unknown",
                            "duplicate_failed",
                            "rejected",
                            "failed",
                            "unknown",
                            "pending",
                            "groups",
                            "minimum_requests",
                            "requests",
                            "retries",
                            "rate_limited",
                            "requests_this_run",
                            "elapsed_seconds",
                            "ledger",
                            "resume_at",
                            "unfinished_jobs",
                            "pruned_at",
                            "error_code",
                            "files",
                            "created_at",
                            "finished_at",
                            "reasons"};

void expect_all_keys(const std::string& text) {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    ASSERT_EQ(parser.parse(text).get(object), simdjson::SUCCESS) << text;
    for (const char* key : keys)
        EXPECT_EQ(object[key].error(), simdjson::SUCCESS) << key;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    EXPECT_EQ(text.back(), '\n');
}

TEST(ReportJson, HoldsTheWholeContract) {
    EXPECT_EQ(
        reports::report_json(parked(), "/l.db", exit_code::parked),
        R"({"job":7,"state":"parked","rows":10,"created":4,"duplicate":1,"duplicate_pending":0,"duplicate_unknown":0,"duplicate_failed":0,"rejected":1,"failed":1,"unknown":1,)"
        R"("pending":2,"groups":3,"minimum_requests":5,"requests":6,"retries":1,"rate_limited":2,)"
        R"("requests_this_run":2,"elapsed_seconds":1.234,"ledger":"/l.db",)"
        R"("resume_at":"2026-11-23T10:00:00.000Z","unfinished_jobs":[3,4],"pruned_at":null,)"
        R"("exit_code":75,"error_code":"waiting","error":"the day window","files":[],"created_at":null,"finished_at":null,"reasons":[]})"
        "\n");
}

TEST(ReportJson, NamesFilesTimesAndReasons) {
    auto r = parked();
    r.files.emplace_back().name = "a.csv";
    r.created_at = *core::parse_rfc3339("2026-11-23T09:00:00Z");
    r.reasons = {{core::row_state::failed, "refused_422", 3, 9, "gone"}};
    EXPECT_NE(
        reports::report_json(r, "/l.db", exit_code::parked)
            .find(
                R"("files":["a.csv"],"created_at":"2026-11-23T09:00:00.000Z","finished_at":null,"reasons":[{"state":"failed","code":"refused_422","rows":3,"example_row":9,"example_message":"gone"}])"),
        std::string::npos);
}

TEST(ReportJson, HasEveryKeyEvenWithoutAJob) {
    const auto text = reports::report_json({}, "", exit_code::settings);
    expect_all_keys(text);
    EXPECT_NE(text.find(R"("job":null,"state":"failed","rows":0)"), std::string::npos);
    EXPECT_NE(text.find(R"("ledger":null,"resume_at":null,"unfinished_jobs":[])"), std::string::npos);
    EXPECT_NE(reports::report_json({}, "", exit_code::unreachable).find(R"("state":"parked")"), std::string::npos);
}

TEST(PlanJson, AddsWhatOnlyAPlanKnows) {
    job::plan_report plan;
    plan.base.state = job::report_state::planned;
    plan.base.rows = {3, 0, 0, 1, 0, 0, 2};
    job::group_line group;
    group.rows = 2;
    group.requests = 1;
    group.details.user_id = "u";
    plan.largest_groups.push_back(group);
    plan.rejects.push_back({"bad_due_at", 1, {}});
    plan.group_sizes.push_back({2, 9, 1, 2, 1});
    plan.splitters.push_back({"note", 2, 1, 1, {}});
    plan.search_requests = 7;
    const auto text = reports::plan_json(plan, "/l.db", exit_code::done_partly);
    expect_all_keys(text);
    EXPECT_NE(text.find(R"("state":"planned")"), std::string::npos);
    EXPECT_NE(text.find(R"("largest_groups":[{"rows":2,"requests":1,"user_id":"u","type":"call")"), std::string::npos);
    EXPECT_NE(text.find(R"("group_sizes":[{"from":2,"to":9,"groups":1,"rows":2,"requests":1}])"), std::string::npos);
    EXPECT_NE(
        text.find(
            R"("splitters":[{"field":"note","distinct":2,"requests_without":1,"rows_differing":1,"expected_end":null}])"),
        std::string::npos);
    EXPECT_NE(text.find(R"("expected_end":null)"), std::string::npos);
    EXPECT_NE(text.find(R"("search_requests":7,"expected_end_with_search":null)"), std::string::npos);
}

TEST(ReportsJson, SumsSeveralJobsAndListsThem) {
    auto done = parked();
    done.job = 8;
    done.state = job::report_state::completed;
    done.rows = {4, 4, 0, 0, 0, 0, 0};
    done.why.reset();
    done.resume_at.reset();
    const auto text = reports::reports_json({parked(), done}, "/l.db", exit_code::parked);
    expect_all_keys(text);
    EXPECT_NE(text.find(R"({"job":null,"state":"parked","rows":14,"created":8,)"), std::string::npos);
    EXPECT_NE(
        text.find(
            R"("unfinished_jobs":[7],"pruned_at":null,"exit_code":75,"error_code":"waiting","error":"the day window","files":[],"created_at":null,"finished_at":null,"reasons":[],"jobs":[{"job":7,)"),
        std::string::npos);
    EXPECT_NE(text.find(R"({"job":8,"state":"completed","rows":4,)"), std::string::npos);
}

TEST(ReportsJson, OfNoJobsIsAnEmptySum) {
    const auto text = reports::reports_json({}, "/l.db", exit_code::done);
    expect_all_keys(text);
    EXPECT_NE(text.find(R"("state":"completed")"), std::string::npos);
    EXPECT_NE(text.find(R"("jobs":[])"), std::string::npos);
}

}  // namespace
