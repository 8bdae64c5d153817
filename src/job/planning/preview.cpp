// plan: what an import would do, without keeping anything.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "job/contacts/contact_finder.hpp"
#include "job/online/online.hpp"
#include "job/planning/group_tally.hpp"
#include "job/planning/owners.hpp"
#include "job/planning/planning.hpp"
#include "job/planning/repeats.hpp"
#include "job/sending/search_plan.hpp"
#include "taskbarge/client/rate_windows.hpp"
#include "taskbarge/grouper/grouper.hpp"
#include "taskbarge/job/commands.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::result;

namespace {

constexpr std::size_t shown_groups = 10;
constexpr std::size_t shown_rows = 5;
// What is forecast for bad contacts: so many are in a list that nobody has looked through for a while.
constexpr double forecast_stale = 0.01;
// Counts instead of keeping.
class counting_sink final : public row_sink, private grouper::chunk_sink {
 public:
    // `repeats`: nothing where there are no earlier jobs to look at.
    counting_sink(const core::import_settings& s, std::optional<repeat_finder> repeats, const take_reject& take)
        : take_(take),
          repeats_(std::move(repeats)),
          tally_(s.chunk_size),
          grouper_({s.chunk_size, s.memory, {}, s.dedupe_by}, *this) {}

    void expect(std::uint64_t rows) override { grouper_.expect(rows); }
    result<void> on_rows(std::span<const core::row> rows) override {
        for (const auto& row : rows) {
            if (first_rows_.size() == shown_rows) break;
            first_rows_.push_back({row.number, std::string(row.contact_id), core::task_details(row.details)});
        }
        return grouper_.add(rows);
    }
    result<void> on_reject(const core::rejected_row& row, const ledger::file_note& file) override {
        return take_ ? take_(row, file) : result<void>();
    }
    result<void> finish() { return grouper_.finish(); }
    const grouper::grouper_stats& stats() const { return grouper_.stats(); }
    const std::vector<sample_line>& first_rows() const { return first_rows_; }
    const group_tally& groups() const { return tally_; }
    std::optional<plan_report::repeat> repeats() const {
        return repeats_ ? repeats_->found() : std::optional<plan_report::repeat>();
    }
    // The requests beyond the minimum, were that share of the contacts refused.
    std::uint64_t search_requests(double share) const {
        if (requests_of_.empty()) return 0;
        const search_plan plan(share, requests_of_.rbegin()->first);
        double more = 0;
        for (const auto& [size, requests] : requests_of_)
            more += static_cast<double>(requests) * (plan.expected(size) - 1);
        return static_cast<std::uint64_t>(std::llround(std::max(more, 0.0)));
    }
    // Read back from the grouper, which has them anyway: a copy of all notes would pass import.memory.
    result<std::vector<group_line>> largest_groups() const {
        std::vector<group_line> out;
        for (const auto& one : tally_.largest(shown_groups)) {
            auto details = grouper_.details(one.group);
            if (!details) return details.error();
            out.push_back({std::move(*details), one.rows, one.requests});
        }
        return out;
    }

 private:
    result<void> on_group(core::group_number, const core::task_view& details) override {
        tally_.add_group(details);
        return {};
    }
    result<void> on_chunk(core::planned_chunk&& chunk) override {
        tally_.add_rows(chunk.group, chunk.contacts.size());
        ++requests_of_[chunk.contacts.size()];
        if (!repeats_ || !repeats_->wants_more()) return {};
        auto details = grouper_.details(chunk.group);
        if (!details) return details.error();
        // A hint alone: a ledger that cannot be read is told of by the import.
        if (!repeats_->add(chunk, details->view())) repeats_.reset();
        return {};
    }
    result<void> on_duplicate(const core::duplicate_row&) override { return {}; }

    const take_reject& take_;
    std::optional<repeat_finder> repeats_;
    group_tally tally_;
    std::map<std::size_t, std::uint64_t> requests_of_;  // by their number of contacts
    std::vector<sample_line> first_rows_;
    grouper::grouper grouper_;
};

// The ledger of earlier jobs; null where there is none that can be read.
std::unique_ptr<ledger::ledger> earlier_ledger(const core::settings& settings) {
    std::error_code ignored;
    if (!std::filesystem::exists(settings.ledger.path, ignored)) return nullptr;
    auto book = ledger::open_ledger(settings.ledger.path, ledger::witness_check::ignored);
    return book ? std::move(*book) : nullptr;
}

// Where what Apollo tells of its windows is kept. A plan keeps nothing, but who makes many of them must not ask again
// each time, and what was asked counts.
class asked_ledger {
 public:
    explicit asked_ledger(const environment& env) : book_(env.book) {
        if (book_) return;
        if (auto scratch = ledger::open_ledger(":memory:")) own_ = std::move(*scratch);
        book_ = own_.get();
    }
    ledger::ledger* get() const { return book_; }

 private:
    std::unique_ptr<ledger::ledger> own_;
    ledger::ledger* book_;
};

// The windows as the ledger knows them, else as Apollo tells them where there is a key.
std::optional<core::rate_book> known_limits(const environment& env) {
    const auto& path = env.settings.ledger.path;
    const route_windows gate(route::bulk_create, env.settings, env.clock);
    std::error_code ignored;
    if (std::filesystem::exists(path, ignored)) {
        if (auto book = ledger::open_ledger(path))
            if (auto kept = gate.load(**book); kept && knows_a_limit(*kept)) return *kept;
    }
    if (env.key.empty()) return std::nullopt;
    const asked_ledger book(env);
    if (!book.get()) return std::nullopt;
    tell_connecting(env);
    auto asked =
        run_online(env, *book.get(), [](session& s) -> asio::awaitable<void> { (void)co_await s.learn_limits(); });
    if (!asked) return std::nullopt;
    auto learnt = gate.load(*book.get());
    if (!learnt || !knows_a_limit(*learnt)) return std::nullopt;
    return *learnt;
}

// How contacts would be found, and what that costs; of a list whose length is not known it asks Apollo.
plan_report::finding cost_of_finding(const environment& env, ledger::ledger* earlier,
                                     const contact_resolver& contacts) {
    plan_report::finding out;
    const auto team = contact_team_of(env.settings);
    const auto now = env.clock.now();
    ledger::contact_index index;
    if (earlier)
        if (auto known = earlier->contacts().index(team)) index = std::move(*known);
    auto way = way_to(contacts.wanted(), index, env.settings, now);
    const asked_ledger asked(env);
    if (!way.total_known && !env.key.empty() && asked.get()) {
        if (const auto total = ask_for_total(env, *asked.get())) {
            index.total = *total;
            way = way_to(contacts.wanted(), index, env.settings, now);
        }
    }
    out.how = text_of(way, contacts.wanted(), index.total);
    out.requests = way.all();
    if (way.requests + way.create_requests > env.settings.contacts.budget)
        out.how += fmt::format("; contacts.budget allows {}, so an import would refuse", env.settings.contacts.budget);
    const auto until = [&](route r, std::uint64_t requests) {
        const route_windows gate(r, env.settings, env.clock);
        for (auto* book : {earlier, asked.get()}) {
            if (!book || requests == 0) continue;
            const auto kept = gate.load(*book);
            if (!kept || !knows_a_limit(*kept)) continue;
            const auto end = client::forecast_end(*kept, env.settings.limits, requests, now).end;
            out.expected_end = std::max(out.expected_end.value_or(end), end);
            return;
        }
    };
    until(route::contacts_search, way.requests);
    until(route::contact, way.id_requests);
    return out;
}

result<void> fill(plan_report& out, const input_summary& input, const counting_sink& sink) {
    auto& rows = out.base.rows;
    rows.rows = input.rows;
    rows.rejected = input.rejected;
    rows.duplicate = sink.stats().duplicates;
    rows.pending = sink.stats().rows;
    out.base.requests.groups = sink.stats().groups;
    out.base.requests.minimum_requests = sink.stats().chunks;
    out.base.files = input.files;
    out.base.contacts = input.contacts;
    out.rejects = input.rejects;
    out.unknown_words = input.unknown_words;
    auto largest = sink.largest_groups();
    if (!largest) return largest.error();
    out.largest_groups = std::move(*largest);
    out.group_sizes = sink.groups().sizes();
    out.splitters = sink.groups().splitters();
    out.first_rows = sink.first_rows();
    out.repeats = sink.repeats();
    out.search_requests = sink.search_requests(forecast_stale);
    return {};
}

}  // namespace

plan_report plan_files(const environment& env, const import_options& options, const take_reject& take) {
    const auto started = env.clock.steady_now();
    plan_report out;
    out.base.state = report_state::planned;
    const auto earlier = earlier_ledger(env.settings);
    const bool by_date = env.settings.import.dedupe_by.has(core::task_field::due_at);
    auto repeats =
        earlier && by_date ? std::optional<repeat_finder>(std::in_place, *earlier, env.settings, 0) : std::nullopt;
    counting_sink sink(env.settings.import, std::move(repeats), take);
    const auto index = earlier ? earlier->contacts().index(contact_team_of(env.settings))
                               : result<ledger::contact_index>(ledger::contact_index());
    open_contacts store;
    if (earlier) store = [&]() -> result<ledger::contact_store*> { return &earlier->contacts(); };
    contact_resolver contacts(index ? *index : ledger::contact_index(), std::move(store), env.settings, env.clock.now(),
                              unknown_contacts::stand_in);
    import_input given(env, options);
    auto input = read_input(given, ask_apollo_for_owners(env), contacts, sink, [&](progress& p) {
        p.requests.groups = sink.stats().groups;
        p.rows.duplicate = sink.stats().duplicates;
    });
    auto finished = input ? sink.finish() : result<void>(input.error());
    if (finished) finished = fill(out, *input, sink);
    if (finished && !contacts.wanted().empty()) out.contacts_to_find = cost_of_finding(env, earlier.get(), contacts);
    if (finished) {
        if (auto r = check_rejects(env.settings.import.max_rejects, *input); !r) finished = r.error();
    }
    if (!finished) {
        out.base.why = finished.error();
        out.base.state = finished.error().code == core::errc::interrupted ? report_state::parked : report_state::failed;
    } else if (const auto book = known_limits(env)) {
        out.book = book;
        const auto end_of = [&](std::uint64_t requests) {
            return client::forecast_end(*book, env.settings.limits, requests, env.clock.now()).end;
        };
        out.expected_end = end_of(out.base.requests.minimum_requests);
        out.expected_end_with_search = end_of(out.base.requests.minimum_requests + out.search_requests);
        for (auto& splitter : out.splitters)
            splitter.expected_end = end_of(splitter.requests_without);
    }
    out.base.elapsed = std::chrono::duration_cast<std::chrono::milliseconds>(env.clock.steady_now() - started);
    return out;
}

}  // namespace taskbarge::job
