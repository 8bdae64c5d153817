// plan: what an import would do, without keeping anything.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <filesystem>

#include "job/online.hpp"
#include "job/owners.hpp"
#include "job/planning.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/job/job.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::result;

namespace {

constexpr std::size_t shown_groups = 10;
constexpr std::size_t shown_rows = 5;
// Details of so many groups are kept for showing the largest; a file with more has no large ones worth listing first.
constexpr std::size_t remembered_groups = 20'000;

// The fields that can split groups, in the API's order.
constexpr std::array<std::string_view, 6> fields{"user_id", "type", "priority", "status", "due_at", "note"};

// The details with one field made the same everywhere.
core::task_view without(core::task_view v, std::size_t field) {
    switch (field) {
        case 0:
            v.user_id = {};
            break;
        case 1:
            v.type = {};
            break;
        case 2:
            v.priority = {};
            break;
        case 3:
            v.status = {};
            break;
        case 4:
            v.due_at = {};
            break;
        default:
            v.note = {};
            break;
    }
    return v;
}

// Only that field.
core::task_view only(const core::task_view& v, std::size_t field) {
    core::task_view alone;
    switch (field) {
        case 0:
            alone.user_id = v.user_id;
            break;
        case 1:
            alone.type = v.type;
            break;
        case 2:
            alone.priority = v.priority;
            break;
        case 3:
            alone.status = v.status;
            break;
        case 4:
            alone.due_at = v.due_at;
            break;
        default:
            alone.note = v.note;
            break;
    }
    return alone;
}

// Counts instead of keeping. What a field costs is reckoned by hashes: a report, not a promise.
class counting_sink final : public row_sink, private grouper::chunk_sink {
 public:
    explicit counting_sink(const core::import_settings& s)
        : chunk_size_(s.chunk_size), grouper_({s.chunk_size, s.memory, {}}, *this) {}

    void expect(std::uint64_t rows) override { grouper_.expect(rows); }
    result<void> on_rows(std::span<const core::row> rows) override {
        for (const auto& row : rows) {
            if (first_rows_.size() == shown_rows) break;
            first_rows_.push_back({row.number, std::string(row.contact_id), core::task_details(row.details)});
        }
        return grouper_.add(rows);
    }
    result<void> on_reject(const core::rejected_row&) override { return {}; }
    result<void> finish() { return grouper_.finish(); }
    const grouper::grouper_stats& stats() const { return grouper_.stats(); }
    std::vector<sample_line> first_rows() const { return first_rows_; }

    std::vector<group_line> largest_groups() const {
        std::vector<std::size_t> order(std::min(details_.size(), groups_.size()));
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i] = i;
        const auto shown = std::min(shown_groups, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                          [&](auto a, auto b) { return groups_[a].rows > groups_[b].rows; });
        std::vector<group_line> out;
        for (std::size_t i = 0; i < shown; ++i)
            out.push_back({details_[order[i]], groups_[order[i]].rows, requests(groups_[order[i]].rows)});
        return out;
    }

    std::vector<plan_report::splitter> splitters() const {
        std::vector<plan_report::splitter> out;
        for (std::size_t f = 0; f < fields.size(); ++f) {
            boost::unordered_flat_map<std::uint64_t, std::uint64_t> merged;
            boost::unordered_flat_set<std::uint64_t> values;
            for (const auto& g : groups_) {
                merged[g.without[f]] += g.rows;
                values.insert(g.only[f]);
            }
            if (values.size() < 2) continue;
            std::uint64_t sum = 0;
            for (const auto& [hash, rows] : merged)
                sum += requests(rows);
            out.push_back({std::string(fields[f]), values.size(), sum});
        }
        std::stable_sort(out.begin(), out.end(),
                         [](const auto& a, const auto& b) { return a.requests_without < b.requests_without; });
        return out;
    }

 private:
    struct group {
        std::array<std::uint64_t, fields.size()> without{}, only{};
        std::uint64_t rows = 0;
    };

    std::uint64_t requests(std::uint64_t rows) const { return (rows + chunk_size_ - 1) / chunk_size_; }

    result<void> on_group(core::group_number, const core::task_view& details) override {
        group g;
        for (std::size_t f = 0; f < fields.size(); ++f) {
            g.without[f] = core::hash_of(without(details, f));
            g.only[f] = core::hash_of(only(details, f));
        }
        groups_.push_back(g);
        if (details_.size() < remembered_groups) details_.emplace_back(details);
        return {};
    }
    result<void> on_chunk(core::planned_chunk&& chunk) override {
        groups_.at(chunk.group - 1).rows += chunk.contacts.size();
        return {};
    }
    result<void> on_duplicate(const core::duplicate_row&) override { return {}; }

    const std::uint32_t chunk_size_;
    std::vector<group> groups_;
    std::vector<core::task_details> details_;
    std::vector<sample_line> first_rows_;
    grouper::grouper grouper_;
};

// The windows as the ledger knows them, else as Apollo tells them where there is a key.
std::optional<core::rate_book> known_limits(const environment& env) {
    const auto& path = env.settings.ledger.path;
    const route_windows gate(route::bulk_create, env.settings, env.clock);
    const auto knows = [](const core::rate_book& b) {
        return std::any_of(b.windows.begin(), b.windows.end(), [](const auto& w) { return w.limit || w.unlimited; });
    };
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        if (auto book = ledger::open_ledger(path))
            if (auto kept = gate.load(**book); kept && knows(*kept)) return *kept;
    }
    if (env.key.empty()) return std::nullopt;
    auto scratch = ledger::open_ledger(":memory:");
    if (!scratch) return std::nullopt;
    auto asked =
        run_online(env, **scratch, [](session& s) -> asio::awaitable<void> { (void)co_await s.learn_limits(); });
    if (!asked) return std::nullopt;
    auto learnt = gate.load(**scratch);
    if (!learnt || !knows(*learnt)) return std::nullopt;
    return *learnt;
}

void fill(plan_report& out, const input_summary& input, const counting_sink& sink) {
    auto& rows = out.base.rows;
    rows.rows = input.rows;
    rows.rejected = input.rejected;
    rows.duplicate = sink.stats().duplicates;
    rows.pending = sink.stats().rows;
    out.base.requests.groups = sink.stats().groups;
    out.base.requests.minimum_requests = sink.stats().chunks;
    out.base.files = input.files;
    out.rejects = input.rejects;
    out.largest_groups = sink.largest_groups();
    out.splitters = sink.splitters();
    out.first_rows = sink.first_rows();
}

}  // namespace

core::result<void> read_rejects(
    const environment& env, const import_options& options,
    const std::function<void(const core::rejected_row&, const reader::file_report&)>& each) {
    auto source = reader::row_source::open(options.files, source_options_of(env, options, ask_apollo_for_owners(env)));
    if (!source) return source.error();
    reader::row_batch batch;
    while (env.stop.level() == stop_level::none) {
        auto more = source->next(batch);
        if (!more) return more.error();
        if (!*more) return {};
        for (const auto& reject : batch.rejects)
            each(reject, source->files().at(reject.at.file));
    }
    return core::failure{core::errc::interrupted, "stopped while reading the rejects"};
}

plan_report plan_files(const environment& env, const import_options& options) {
    const auto started = env.clock.steady_now();
    plan_report out;
    out.base.state = "planned";
    counting_sink sink(env.settings.import);
    auto input = read_input(env, options, ask_apollo_for_owners(env), sink, [&](progress& p) {
        p.requests.groups = sink.stats().groups;
        p.rows.duplicate = sink.stats().duplicates;
    });
    auto finished = input ? sink.finish() : result<void>(input.error());
    if (finished) {
        fill(out, *input, sink);
        if (auto r = check_rejects(env.settings.import.max_rejects, *input); !r) finished = r.error();
    }
    if (!finished) {
        out.base.why = finished.error();
        out.base.state = finished.error().code == core::errc::interrupted ? "parked" : "failed";
    } else if (const auto book = known_limits(env)) {
        out.book = book;
        out.expected_end =
            client::forecast_end(*book, env.settings.limits, out.base.requests.minimum_requests, env.clock.now()).end;
    }
    out.base.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(env.clock.steady_now() - started);
    return out;
}

}  // namespace taskbarge::job
