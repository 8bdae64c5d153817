#include "taskbarge/service/service.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "service/api/control_api.hpp"
#include "service/configuration.hpp"
#include "service/http/guard.hpp"
#include "service/http/server.hpp"
#include "service/inbox/folder_watch.hpp"
#include "service/inbox/item_store.hpp"
#include "service/notify/notifier.hpp"
#include "service/telemetry/event_hub.hpp"
#include "service/telemetry/log.hpp"
#include "service/telemetry/metrics.hpp"
#include "service/work/board.hpp"
#include "service/work/contact_refresher.hpp"
#include "service/work/intake.hpp"
#include "service/work/scheduler.hpp"
#include "taskbarge/async/task_group.hpp"
#include "taskbarge/async/worker.hpp"
#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/ledger/ledger.hpp"
#include "taskbarge/notification/notification.hpp"
#include "taskbarge/report/brief.hpp"

namespace taskbarge::service {

namespace asio = boost::asio;
using core::errc;
using core::failure;
using core::result;
using namespace std::chrono_literals;

namespace {

// Every input that is worked on holds a descriptor, and so does every connection. Gives how many there may be.
std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<std::size_t>(limit.rlim_cur);
}

// Who may ask the service.
result<void> check_entrance(const configuration& c) {
    if (!c.token.empty()) return http::check_token(c.token);
    if (!http::is_loopback(c.settings.serve.listen))
        return failure{errc::settings,
                       fmt::format("serve.listen = {} can be reached from other machines, and there is no token: set "
                                   "serve.token_file (or TASKBARGE_TOKEN), or listen on 127.0.0.1",
                                   c.settings.serve.listen)};
    return {};
}

result<void> check(const configuration& c) {
    if (c.key.empty())
        return failure{errc::no_key, "no API key: set APOLLO_API_KEY, or apollo.api_key_file in the settings"};
    // A file of authorities that cannot be read would fail each job and each notification.
    if (auto fit = client::check_ca_file(c.settings.apollo.ca_file, "apollo.ca_file"); !fit) return fit;
    if (auto fit = client::check_ca_file(c.settings.notify.ca_file, "notify.ca_file"); !fit) return fit;
    return check_entrance(c);
}

// Everything that runs, in the order in which it is made; it ends in the opposite order.
class daemon {
 public:
    daemon(const environment& env, configuration first)
        : env_(env),
          configuration_(std::move(first)),
          log_(configuration_.get()->settings.log),
          metrics_(env.version),
          board_(
              log_, metrics_,
              [this](std::string type, core::job_id job, std::string data) {
                  events_.publish(std::move(type), job, std::move(data));
              },
              env.clock) {}

    result<void> prepare() {
        const auto configuration = configuration_.get();
        const auto& s = configuration->settings;
        for (const auto& warning : configuration->warnings)
            log_.warn("setting", {}, warning);
        if (auto book = ledger::open_ledger(s.ledger.path); !book) return book.error();
        auto store = inbox::item_store::open(s.serve.inbox);
        if (!store) return store.error();
        store_ = std::move(*store);
        if (auto r = open_notifier(); !r) return r;
        make_workers();
        return open_server();
    }

    result<void> run() {
        const auto configuration = configuration_.get();
        const auto& s = configuration->settings;
        if (auto r = intake_->start(); !r) return r;
        auto watched = inbox::folder_watch::start(
            {s.serve.inbox, s.serve.settle, s.serve.poll, true, [this] { return intake_->has_room(); }},
            [this](const std::string& name) { return intake_->offer(name); },
            [this](const std::string& why) { log_.error("inbox_trouble", {}, why); });
        if (!watched) return watched.error();
        watch_ = std::move(*watched);
        scheduler_->start();
        contacts_->start();
        log_.info("service_started", {{"listen", server_->where()},
                                      {"inbox", store_->root()},
                                      {"ledger", s.ledger.path},
                                      {"version", env_.version}});
        env_.ready(server_->where());
        (void)::sd_notify(0, "READY=1");
        asio::co_spawn(loop_, live(), [this](std::exception_ptr e) { died_ = e; });
        loop_.run();
        if (died_) std::rethrow_exception(died_);
        log_.info("service_stopped", {});
        return {};
    }

 private:
    // What is told meanwhile waits.
    result<void> open_notifier() {
        const std::lock_guard lock(notifier_mutex_);
        const auto configuration = configuration_.get();
        const auto& s = configuration->settings;
        notifier_.reset();  // two must not work on one outbox
        if (s.notify.url.empty() && s.notify.ping_url.empty()) return {};
        notify::notifier::options o;
        o.settings = s.notify;
        o.key = configuration->notify_secret;
        o.folder = store_->root() + "/.outbox";
        o.post = notification::make_poster(s.notify);
        o.clock = &env_.clock;
        o.note = [this](std::string_view outcome, const std::string& id, const std::string& text) {
            metrics_.notification(outcome);
            log_.write(outcome == "given_up" ? log_level::error : log_level::info, "notification",
                       {{"id", id}, {"outcome", outcome}}, text);
        };
        auto made = notify::notifier::start(std::move(o));
        if (!made) return made.error();
        notifier_ = std::move(*made);
        return {};
    }

    void make_workers() {
        scheduler::parts sp{configuration_, env_.clock, board_, env_.seed, {}, {}, {}};
        sp.begun = [this](core::job_id job) { tell_start(job); };
        sp.finished = [this](core::job_id job) { intake_->job_finished(job); };
        sp.notify = [this](std::string_view event, const job::report& r) { tell_job(event, r); };
        scheduler_ = std::make_unique<scheduler>(std::move(sp));
        const auto descriptors = raise_descriptor_limit();
        intake::parts ip{configuration_, env_.clock, *store_, board_, 0, {}, {}, {}};
        ip.most_items = std::clamp<std::size_t>(descriptors / 2, 64, 4096);
        ip.job_ready = [this] { scheduler_->wake(); };
        ip.found_finished = [this](core::job_id job) {
            const auto r = scheduler_->report_of(job);
            if (!r.why) tell_job("completed", r);
        };
        ip.failed = [this](const inbox::item& item, const failure& why) { tell_import(item, why); };
        intake_ = std::make_unique<intake>(std::move(ip));
        contacts_ = std::make_unique<contact_refresher>(contact_refresher::parts{configuration_, env_.clock, board_});
        api_ = std::make_unique<control_api>(
            control_api::parts{configuration_, env_.clock, *store_, *intake_, *scheduler_, *contacts_, board_, events_,
                               loop_.get_executor(), [this] { return server_->connections(); }});
        router_ = api_->routes();
    }

    result<void> open_server() {
        const auto configuration = configuration_.get();
        const auto& s = configuration->settings.serve;
        http::server_options o;
        o.listen = s.listen;
        o.most_connections = s.connections;
        o.body_limit = s.upload_limit;
        auto handle = [this](http::exchange& x) { return answer_one(x); };
        auto note = [this](const http::served& one) { note_served(one); };
        auto opened = http::server::open(loop_.get_executor(), o, handle, note);
        if (!opened) return opened.error();
        server_ = std::move(*opened);
        set_guard();
        return {};
    }

    void set_guard() {
        const auto configuration = configuration_.get();
        guard_ = std::make_unique<http::guard>(
            http::guard_options{configuration->token, server_->where(), configuration->settings.serve.allowed_hosts});
    }

    asio::awaitable<void> answer_one(http::exchange& x) {
        auto refused = guard_->refuse(x.head());
        if (refused)
            co_await x.reply(std::move(*refused));
        else
            co_await router_.handle(x);
    }

    void note_served(const http::served& one) {
        const auto name = one.path.empty() ? std::string() : router_.name_of(one.method, one.path);
        metrics_.http_served(name.empty() ? "other" : name, one.status, one.took);
        const auto level = !one.error.empty()                     ? log_level::error
                           : one.status >= 500 || one.status == 0 ? log_level::warning
                           : one.method == "GET"                  ? log_level::debug
                                                                  : log_level::info;
        log_.write(level, "request",
                   {{"id", one.id},
                    {"client", one.client},
                    {"method", one.method},
                    {"path", one.path},
                    {"status", static_cast<std::int64_t>(one.status)},
                    {"bytes_in", one.bytes_in},
                    {"bytes_out", one.bytes_out},
                    {"microseconds", static_cast<std::int64_t>(one.took.count())}},
                   one.error);
    }

    // Each end of a run has an id of its own: a receiver drops what it has seen. A job's end has the same one whenever
    // it is told.
    void tell_job(std::string_view event, const job::report& r) {
        const auto now = env_.clock.now();
        tell(event, notification::id_of(r, event, now), r, "", now);
    }

    void tell_import(const inbox::item& item, const failure& why) {
        job::report r;
        r.state = job::report_state::failed;
        r.why = why;
        tell("failed", "import-" + item.id, r, item.id, env_.clock.now());
    }

    void tell_start(core::job_id job) {
        const auto now = env_.clock.now();
        hand_over(fmt::format("ping-{}-start-{}", job, core::to_rfc3339(now)),
                  notification::to_string(notification::ping::start), fmt::format("job {} is begun\n", job));
    }

    void tell(std::string_view event, const std::string& id, const job::report& r, const std::string& import,
              core::instant now) {
        const auto configuration = configuration_.get();
        const auto& s = configuration->settings;
        const auto stale = report::stale_for(r, s.notify.stale_after, now);
        const auto text = report::brief_text(r, stale, "");
        if (const auto ping = notification::ping_of(r, stale.has_value()))
            hand_over("ping-" + id, notification::to_string(*ping), text);
        if (notification::is_wanted(s.notify, event))
            hand_over(id, event, notification::body_of(s.notify, {event, id, r, text, s.ledger.path, import, now}));
    }

    void hand_over(const std::string& id, std::string_view event, const std::string& body) {
        const std::lock_guard lock(notifier_mutex_);
        if (!notifier_) return;
        if (auto told = notifier_->tell(id, event, body); !told)
            log_.error("notification_not_kept", {{"id", id}}, told.error().text);
    }

    // The event loop's own coroutine: signals, the watchdog, and a look around now and then.
    asio::awaitable<void> live() {
        async::task_group group(loop_.get_executor());
        group.spawn(or_stop(look_around()));
        group.spawn(or_stop(feed_watchdog()));
        group.spawn(or_stop(hear_signals()));
        co_await server_->run();
        // The run under way ends on its own thread. The loop goes on meanwhile: a second signal forces, and the
        // watchdog is fed.
        async::worker closer;
        auto close = [this] {
            watch_.reset();
            scheduler_->close();
            intake_->close();
            contacts_->close();
            const std::lock_guard lock(notifier_mutex_);
            notifier_.reset();  // it ends with the notification under way
        };
        co_await closer.run(close);
        signals_.cancel();
        group.stop();
        co_await group.wait();
    }

    // A service that hears no signals and feeds no watchdog must not go on.
    asio::awaitable<void> or_stop(asio::awaitable<void> part) {
        std::exception_ptr bug;
        try {
            co_await std::move(part);
        } catch (const boost::system::system_error& e) {
            if (e.code() != asio::error::operation_aborted) bug = std::current_exception();
        } catch (...) {
            bug = std::current_exception();
        }
        if (!bug) co_return;
        begin_stop();
        std::rethrow_exception(bug);
    }

    void begin_stop() {
        intake_->stop();
        scheduler_->stop();
        contacts_->stop();
        server_->stop();
        events_.wake();
    }

    asio::awaitable<void> pause(std::chrono::milliseconds time) {
        asio::steady_timer timer(loop_, time);
        co_await timer.async_wait(asio::use_awaitable);
    }

    asio::awaitable<void> look_around() {
        async::worker worker;
        auto look = [this] {
            intake_->look();
            board_.log_progress();
        };
        while (true) {
            co_await pause(configuration_.get()->settings.serve.poll);
            co_await worker.run(look);
        }
    }

    // The watchdog is fed by the event loop, so that a loop that hangs is noticed.
    asio::awaitable<void> feed_watchdog() {
        std::uint64_t microseconds = 0;
        if (::sd_watchdog_enabled(0, &microseconds) <= 0) co_return;
        while (true) {
            (void)::sd_notify(0, "WATCHDOG=1");
            co_await pause(std::chrono::milliseconds(microseconds / 2000));
        }
    }

    asio::awaitable<void> hear_signals() {
        // A named value: GCC 12 miscompiles some awaits within a loop's condition.
        async::worker reloader;
        auto read_anew = [this] { reload(); };
        int signal = SIGHUP;
        while (signal == SIGHUP) {
            signal = co_await signals_.async_wait(asio::use_awaitable);
            // On a thread of its own: it waits for the notification under way.
            if (signal == SIGHUP) co_await reloader.run(read_anew);
        }
        log_.info("service_stopping", {});
        (void)::sd_notify(0, "STOPPING=1");
        begin_stop();
        boost::system::error_code cancelled;
        signal = SIGHUP;
        while (signal == SIGHUP && !cancelled)
            signal = co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
        if (!cancelled) scheduler_->stop();
    }

    void reload() {
        (void)::sd_notify(0, "RELOADING=1");
        auto next = env_.load();
        if (next)
            if (auto fit = check(*next); !fit) next = fit.error();
        if (!next) {
            log_.error("reload_failed", {}, next.error().text + "; the settings stay as they were");
            (void)::sd_notify(0, "READY=1");
            return;
        }
        const auto before = configuration_.get();
        const auto& was = before->settings;
        auto& is = next->settings;
        if (is.serve.listen != was.serve.listen || is.serve.inbox != was.serve.inbox ||
            is.ledger.path != was.ledger.path || is.serve.connections != was.serve.connections ||
            is.serve.upload_limit != was.serve.upload_limit || is.serve.settle != was.serve.settle) {
            log_.warn(
                "reload_partial", {},
                "serve.listen, inbox, connections, upload_limit and settle, and ledger.path change at a restart only");
            is.ledger.path = was.ledger.path;
            is.serve.listen = was.serve.listen;
            is.serve.inbox = was.serve.inbox;
        }
        for (const auto& warning : next->warnings)
            log_.warn("setting", {}, warning);
        const bool other_notify =
            is.notify != was.notify || next->notify_secret.reveal() != before->notify_secret.reveal();
        configuration_.set(std::move(*next));
        log_.configure(configuration_.get()->settings.log);
        asio::post(loop_, [this] { set_guard(); });
        if (other_notify)
            if (auto r = open_notifier(); !r) log_.error("notify_trouble", {}, r.error().text);
        scheduler_->reloaded();
        contacts_->reloaded();
        log_.info("reloaded", {});
        (void)::sd_notify(0, "READY=1");
    }

    const environment& env_;
    current_configuration configuration_;
    asio::io_context loop_{1};
    asio::signal_set signals_{loop_, SIGINT, SIGTERM, SIGHUP};
    log log_;
    metrics metrics_;
    event_hub events_{loop_.get_executor()};
    board board_;
    std::unique_ptr<inbox::item_store> store_;
    std::mutex notifier_mutex_;
    std::unique_ptr<notify::notifier> notifier_;
    std::unique_ptr<scheduler> scheduler_;
    std::unique_ptr<intake> intake_;
    std::unique_ptr<contact_refresher> contacts_;
    std::unique_ptr<control_api> api_;
    http::router router_;
    std::unique_ptr<http::guard> guard_;
    std::unique_ptr<http::server> server_;
    std::unique_ptr<inbox::folder_watch> watch_;
    std::exception_ptr died_;
};

}  // namespace

void examine(const configuration& c, job::doctor_report& report) {
    report.has_service = true;
    const auto add = [&](const char* what, const std::string& good, const std::optional<failure>& why) {
        report.lines.push_back({what, why ? job::health::bad : job::health::good, why ? why->text : good});
        if (why && !report.why_no_service) report.why_no_service = why;
    };
    const auto entrance = check_entrance(c);
    add("control API",
        fmt::format("{}, {}", c.settings.serve.listen, c.token.empty() ? "without a token" : "with a token"),
        entrance ? std::nullopt : std::optional(entrance.error()));
    const auto inbox = inbox::item_store::examine(c.settings.serve.inbox);
    add("inbox", inbox ? *inbox : std::string(), inbox ? std::nullopt : std::optional(inbox.error()));
}

result<void> serve(const environment& env) {
    auto first = env.load();
    if (!first) return first.error();
    if (auto fit = check(*first); !fit) return fit;
    daemon d(env, std::move(*first));
    if (auto ready = d.prepare(); !ready) return ready;
    return d.run();
}

}  // namespace taskbarge::service
