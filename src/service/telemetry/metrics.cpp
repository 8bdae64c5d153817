#include "service/telemetry/metrics.hpp"

#include <dirent.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>

namespace taskbarge::service {

namespace {

using prometheus::Labels;
using bounds = prometheus::Histogram::BucketBoundaries;

// Served from memory or the ledger: mostly milliseconds; an upload takes as long as it takes.
const bounds served_bounds{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60};
// Apollo answers in tenths of seconds; send.request_timeout is 60 s.
const bounds answer_bounds{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
// One fsync: tenths of a millisecond on a good disk, seconds on one in trouble.
const bounds commit_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5};
// From a small file to a day of rate windows.
const bounds run_bounds{1, 5, 15, 60, 300, 900, 3600, 14400, 43200, 86400};

double seconds(std::chrono::microseconds d) {
    return std::chrono::duration<double>(std::max(d, std::chrono::microseconds(0))).count();
}

// A label must not take endlessly many values, whoever sends the status.
std::string status_label(int status) {
    if (status == 0) return "none";
    return status >= 100 && status <= 599 ? std::to_string(status) : "other";
}

constexpr std::array row_members{
    std::pair{core::row_state::created, &core::row_counts::created},
    std::pair{core::row_state::duplicate, &core::row_counts::duplicate},
    std::pair{core::row_state::rejected, &core::row_counts::rejected},
    std::pair{core::row_state::failed, &core::row_counts::failed},
    std::pair{core::row_state::unknown, &core::row_counts::unknown},
    std::pair{core::row_state::pending, &core::row_counts::pending},
};

using families = std::vector<prometheus::MetricFamily>;

// Gauges are written as they are at the moment of asking, not kept: what is gone is not told any more.
class gauge_writer {
 public:
    explicit gauge_writer(families& out) : out_(out) {}
    void family(const char* name, const char* help) { out_.push_back({name, help, prometheus::MetricType::Gauge, {}}); }
    void sample(double value, std::initializer_list<std::pair<const char*, std::string_view>> labels = {}) {
        prometheus::ClientMetric metric;
        for (const auto& [name, text] : labels)
            metric.label.push_back({name, std::string(text)});
        metric.gauge.value = value;
        out_.back().metric.push_back(std::move(metric));
    }
    void single(const char* name, const char* help, double value) {
        family(name, help);
        sample(value);
    }

 private:
    families& out_;
};

// Requests left, as far as is known; nothing: no limit, or not known.
std::optional<std::uint64_t> left_of(const core::rate_window& window, core::instant now) {
    if (window.unlimited || !window.limit) return std::nullopt;
    if (window.ends_at && *window.ends_at <= now) return *window.limit;
    if (window.shut) return 0;
    return *window.limit - std::min(*window.limit, window.used);
}

void write_windows(gauge_writer& out, const gauges& now) {
    const auto each = [&](const auto& write) {
        for (const auto& [route, book] : now.windows)
            for (const core::window_kind kind : core::all_window_kinds)
                write(book[kind], route, core::to_string(kind));
    };
    out.family("taskbarge_apollo_rate_limit_requests",
               "Requests that Apollo allows in a window of a route. Absent: no limit, or none known yet.");
    each([&](const core::rate_window& w, std::string_view route, std::string_view kind) {
        if (w.limit && !w.unlimited) out.sample(static_cast<double>(*w.limit), {{"route", route}, {"window", kind}});
    });
    out.family("taskbarge_apollo_rate_limit_left_requests",
               "Requests left in the current window of a route, as far as is known.");
    each([&](const core::rate_window& w, std::string_view route, std::string_view kind) {
        if (const auto left = left_of(w, now.now))
            out.sample(static_cast<double>(*left), {{"route", route}, {"window", kind}});
    });
}

void write_ledger(gauge_writer& out, const gauges& now) {
    out.family("taskbarge_ledger_rows", "Rows in the ledger, by the state of their job and their own.");
    for (const auto& [job_state, counts] : now.rows_by_job_state)
        for (const auto& [state, member] : row_members)
            out.sample(static_cast<double>(counts.*member),
                       {{"job_state", job_state}, {"state", core::to_string(state)}});
    out.family("taskbarge_ledger_jobs", "Jobs in the ledger, by state.");
    for (const auto& [state, count] : now.jobs_by_state)
        out.sample(static_cast<double>(count), {{"state", state}});
}

void write_instant(gauge_writer& out, const char* name, const char* help, const std::optional<core::instant>& at) {
    if (at) out.single(name, help, std::chrono::duration<double>(at->time_since_epoch()).count());
}

std::optional<double> resident_bytes() {
    std::ifstream in("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    if (!(in >> size >> resident)) return std::nullopt;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

std::optional<double> open_files() {
    DIR* const folder = ::opendir("/proc/self/fd");
    if (folder == nullptr) return std::nullopt;
    double count = -1;  // the folder's own
    while (const auto* entry = ::readdir(folder))
        if (entry->d_name[0] != '.') ++count;
    ::closedir(folder);
    return count;
}

// The usual names, which dashboards for any program look for.
void write_process(gauge_writer& out, families& all, double started) {
    out.single("process_start_time_seconds", "When the process started, in seconds since 1970.", started);
    if (const auto bytes = resident_bytes())
        out.single("process_resident_memory_bytes", "Memory of the process that is in RAM.", *bytes);
    if (const auto files = open_files()) out.single("process_open_fds", "Open file descriptors.", *files);
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        out.single("process_max_fds", "How many file descriptors may be open.", static_cast<double>(limit.rlim_cur));
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
    const auto of = [](const timeval& t) {
        constexpr double micro = 1e-6;
        return static_cast<double>(t.tv_sec) + micro * static_cast<double>(t.tv_usec);
    };
    prometheus::ClientMetric metric;
    metric.counter.value = of(usage.ru_utime) + of(usage.ru_stime);
    all.push_back({"process_cpu_seconds_total",
                   "Time that the process has used the processor.",
                   prometheus::MetricType::Counter,
                   {metric}});
}

}  // namespace

struct metrics::impl {
    using counters = prometheus::Family<prometheus::Counter>;
    using histograms = prometheus::Family<prometheus::Histogram>;

    counters& counter(const char* name, const char* help) {
        return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    }
    histograms& histogram(const char* name, const char* help) {
        return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    }

    prometheus::Registry registry;
    std::string version;
    double started = std::chrono::duration<double>(core::system_clock().now().time_since_epoch()).count();

    counters& http_requests =
        counter("taskbarge_http_requests_total", "HTTP requests served, by route and status of the answer.");
    histograms& http_durations =
        histogram("taskbarge_http_request_duration_seconds", "Time from a request's head to the end of its answer.");

    prometheus::Counter& rows_read =
        counter("taskbarge_rows_read_total", "Records read from files by this process.").Add({});
    counters& rows = counter("taskbarge_rows_total", "Rows that came into a state by the work of this process.");

    prometheus::Counter& requests =
        counter("taskbarge_apollo_requests_total", "Requests sent to create tasks.").Add({});
    prometheus::Counter& retries =
        counter("taskbarge_apollo_retries_total", "Of these, requests beyond the first of their chunk.").Add({});
    prometheus::Counter& rate_limited =
        counter("taskbarge_apollo_rate_limited_total", "Requests that were answered 429.").Add({});
    counters& answers = counter("taskbarge_apollo_answers_total",
                                "Ends of requests to create tasks, by HTTP status; none: no whole answer came.");
    prometheus::Histogram& answer_durations =
        histogram("taskbarge_apollo_request_duration_seconds",
                  "Time from the first byte of a request to create tasks to its answer or its loss.")
            .Add({}, answer_bounds);
    prometheus::Counter& waits =
        counter("taskbarge_wait_seconds_total", "Time that runs waited for rate windows and for Apollo to recover.")
            .Add({});

    histograms& run_durations =
        histogram("taskbarge_run_duration_seconds", "Time of runs of jobs, by the state in which they left the job.");
    counters& items_taken = counter("taskbarge_items_taken_total", "Files taken, by the way they came.");
    counters& items_finished = counter("taskbarge_items_finished_total", "Files finished, by where they were put.");
    counters& notifications =
        counter("taskbarge_notifications_total", "Tries to notify the webhook, by what came of them.");
    counters& refreshes =
        counter("taskbarge_contacts_refreshes_total",
                "Refreshes of what is known of Apollo's contacts, by what came of them; waited: for a rate window.");
    prometheus::Histogram& commits =
        histogram("taskbarge_ledger_commit_duration_seconds", "Time of commits to the ledger.").Add({}, commit_bounds);
};

metrics::metrics(std::string_view version) : impl_(std::make_unique<impl>()) {
    impl_->version = version;
    // What can be counted is there from the start as 0, so that a first event is an increase.
    for (const auto& [state, member] : row_members)
        if (state != core::row_state::pending) impl_->rows.Add({{"state", std::string(core::to_string(state))}});
    for (const char* outcome : {"delivered", "retried", "given_up"})
        impl_->notifications.Add({{"outcome", outcome}});
    for (const char* outcome : {"completed", "waited", "failed"})
        impl_->refreshes.Add({{"outcome", outcome}});
    for (const char* state : {"completed", "parked", "failed"})
        impl_->run_durations.Add({{"state", state}}, run_bounds);
}

metrics::~metrics() = default;

void metrics::http_served(std::string_view route, int status, std::chrono::microseconds took) {
    const std::string name(route);
    impl_->http_requests.Add({{"route", name}, {"status", status_label(status)}}).Increment();
    impl_->http_durations.Add({{"route", name}}, served_bounds).Observe(seconds(took));
}

void metrics::add_rows(const core::row_counts& more) {
    impl_->rows_read.Increment(static_cast<double>(more.rows));
    for (const auto& [state, member] : row_members)
        if (state != core::row_state::pending && more.*member != 0)
            impl_->rows.Add({{"state", std::string(core::to_string(state))}})
                .Increment(static_cast<double>(more.*member));
}

void metrics::add_requests(std::uint64_t sent, std::uint64_t retries, std::uint64_t rate_limited) {
    impl_->requests.Increment(static_cast<double>(sent));
    impl_->retries.Increment(static_cast<double>(retries));
    impl_->rate_limited.Increment(static_cast<double>(rate_limited));
}

void metrics::run_ended(std::string_view state, std::chrono::milliseconds took) {
    impl_->run_durations.Add({{"state", std::string(state)}}, run_bounds).Observe(seconds(took));
}

void metrics::waited(std::chrono::milliseconds time) {
    impl_->waits.Increment(seconds(time));
}

void metrics::item_taken(std::string_view origin) {
    impl_->items_taken.Add({{"origin", std::string(origin)}}).Increment();
}

void metrics::item_finished(std::string_view place) {
    impl_->items_finished.Add({{"place", std::string(place)}}).Increment();
}

void metrics::notification(std::string_view outcome) {
    impl_->notifications.Add({{"outcome", std::string(outcome)}}).Increment();
}

void metrics::contacts_refreshed(std::string_view outcome) {
    impl_->refreshes.Add({{"outcome", std::string(outcome)}}).Increment();
}

void metrics::ledger_commit(std::chrono::microseconds took) {
    impl_->commits.Observe(seconds(took));
}

void metrics::answer(int status, std::chrono::microseconds took) {
    impl_->answers.Add({{"status", status_label(status)}}).Increment();
    impl_->answer_durations.Observe(seconds(took));
}

std::string metrics::text(const gauges& now) {
    families all = impl_->registry.Collect();
    gauge_writer out(all);
    out.family("taskbarge_build_info", "Always 1; which build runs is in the labels.");
    out.sample(1, {{"version", impl_->version}});
    write_ledger(out, now);
    out.family("taskbarge_items", "Files taken and not finished; waiting: not planned yet.");
    out.sample(static_cast<double>(now.items_waiting), {{"stage", "waiting"}});
    out.sample(static_cast<double>(now.items_processing), {{"stage", "processing"}});
    if (now.items_failed)
        out.single("taskbarge_failed_items", "Files that lie in failed/ and need a person.",
                   static_cast<double>(*now.items_failed));
    out.single("taskbarge_ready", "1: it takes files and works on jobs, as /readyz says; 0: it does not.",
               now.ready ? 1 : 0);
    write_instant(out, "taskbarge_oldest_unfinished_job_timestamp_seconds",
                  "When the oldest job that is not finished was made. Absent: all are.", now.oldest_unfinished);
    write_instant(out, "taskbarge_last_finished_job_timestamp_seconds",
                  "When a job came to its end last. Absent: none has.", now.last_finished);
    if (now.contacts) {
        out.single("taskbarge_contacts", "Apollo's contacts that are known.", static_cast<double>(now.contacts->known));
        out.single("taskbarge_contacts_complete", "1: all of the team's contacts are known, as of a time; 0: not all.",
                   now.contacts->complete ? 1 : 0);
        write_instant(out, "taskbarge_contacts_as_of_timestamp_seconds",
                      "Up to when changes of contacts are known. Absent: the list was never read.",
                      now.contacts->as_of);
    }
    out.single("taskbarge_http_connections", "Open connections to this service.", static_cast<double>(now.connections));
    out.single("taskbarge_http_event_streams", "Of these, streams of events.", static_cast<double>(now.event_streams));
    write_windows(out, now);
    write_process(out, all, impl_->started);

    // A family without a sample would be a name without a value, which only confuses.
    std::erase_if(all, [](const auto& f) { return f.metric.empty(); });
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
    for (auto& f : all)
        std::sort(f.metric.begin(), f.metric.end(), [](const auto& a, const auto& b) { return a.label < b.label; });
    std::ostringstream text;
    prometheus::TextSerializer().Serialize(text, all);
    return std::move(text).str();
}

}  // namespace taskbarge::service
