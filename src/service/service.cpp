#include "taskbarge/service/service.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "service/api/control_api.hpp"
#include "service/current_configuration.hpp"
#include "service/entrance.hpp"
#include "service/inbox/folder_watch.hpp"
#include "service/inbox/item_store.hpp"
#include "service/inbox/places.hpp"
#include "service/notifications.hpp"
#include "service/supervision.hpp"
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

namespace taskbarge::service {

namespace asio = boost::asio;
using core::errc;
using core::failure;
using core::result;

namespace {

// Every input that is worked on holds a descriptor, and so does every connection. Gives how many there may be.
std::size_t raise_descriptor_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<std::size_t>(limit.rlim_cur);
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
    daemon(const serve_options& options, configuration first)
        : options_(options),
          configuration_(std::move(first)),
          log_(configuration_.get()->settings.log),
          metrics_(options.version),
          board_(
              log_, metrics_,
              [this](std::string type, core::job_id job, std::string data) {
                  events_.publish(std::move(type), job, std::move(data));
              },
              options.clock) {}

    result<void> prepare() {
        const auto configuration = configuration_.get();
        const auto& s = configuration->settings;
        for (const auto& warning : configuration->warnings)
            log_.warn("setting", {}, warning);
        if (auto book = ledger::open_ledger(s.ledger.path); !book) return book.error();
        auto store = inbox::item_store::open(s.serve.inbox);
        if (!store) return store.error();
        store_ = std::move(*store);
        if (auto r = notifications_.open(store_->root()); !r) return r;
        make_workers();
        return entrance_.open(api_->routes());
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
        log_.info("service_started", {{"listen", entrance_.where()},
                                      {"inbox", store_->root()},
                                      {"ledger", s.ledger.path},
                                      {"version", options_.version}});
        options_.ready(entrance_.where());
        supervision::tell_ready();
        asio::co_spawn(loop_, live(), [this](std::exception_ptr e) { died_ = e; });
        loop_.run();
        if (died_) std::rethrow_exception(died_);
        log_.info("service_stopped", {});
        return {};
    }

 private:
    void make_workers() {
        scheduler::parts sp{configuration_, options_.clock, board_, options_.seed, {}, {}, {}};
        sp.begun = [this](core::job_id job) { notifications_.job_begun(job); };
        sp.finished = [this](core::job_id job) { intake_->job_finished(job); };
        sp.notify = [this](std::string_view event, const job::report& r) { notifications_.job_ended(event, r); };
        scheduler_ = std::make_unique<scheduler>(std::move(sp));
        const auto descriptors = raise_descriptor_limit();
        intake::parts ip{configuration_, options_.clock, *store_, board_, 0, {}, {}, {}};
        ip.most_items = std::clamp<std::size_t>(descriptors / 2, 64, 4096);
        ip.job_ready = [this] { scheduler_->wake(); };
        ip.found_finished = [this](core::job_id job) {
            const auto r = scheduler_->report_of(job);
            if (!r.why) notifications_.job_ended("completed", r);
        };
        ip.failed = [this](const inbox::item& item, const failure& why) { notifications_.import_failed(item, why); };
        intake_ = std::make_unique<intake>(std::move(ip));
        contacts_ =
            std::make_unique<contact_refresher>(contact_refresher::parts{configuration_, options_.clock, board_});
        api_ = std::make_unique<control_api>(
            control_api::parts{configuration_, options_.clock, *store_, *intake_, *scheduler_, *contacts_, board_,
                               events_, tickets_, loop_.get_executor(), [this] { return entrance_.connections(); },
                               [this](const http::request_head& head) { return entrance_.may_write(head); },
                               [this] { return notifications_.waiting(); }, options_.version, options_.clock.now()});
    }

    // The event loop's own coroutine: signals, the watchdog, and a look around now and then.
    asio::awaitable<void> live() {
        supervision::reactions reactions;
        reactions.reload = [this] { reload(); };
        reactions.stop = [this] {
            log_.info("service_stopping", {});
            begin_stop();
        };
        reactions.force = [this] { scheduler_->stop(); };
        async::task_group group(loop_.get_executor());
        group.spawn(or_stop(look_around()));
        group.spawn(or_stop(supervision::feed_watchdog()));
        group.spawn(or_stop(supervision_.hear(std::move(reactions))));
        co_await entrance_.run();
        // The run under way ends on its own thread. The loop goes on meanwhile: a second signal forces, and the
        // watchdog is fed.
        async::worker closer;
        auto close = [this] {
            watch_.reset();
            scheduler_->close();
            intake_->close();
            contacts_->close();
            notifications_.close();
        };
        co_await closer.run(close);
        supervision_.close();
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
        entrance_.stop();
        events_.wake();
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

    void reload() {
        auto next = options_.load();
        const auto before = configuration_.get();
        const auto& was = before->settings;
        bool partial = false;
        if (next) {
            auto& is = next->settings;
            partial = is.serve.listen != was.serve.listen || is.serve.inbox != was.serve.inbox ||
                      is.ledger.path != was.ledger.path || is.serve.connections != was.serve.connections ||
                      is.serve.upload_limit != was.serve.upload_limit || is.serve.settle != was.serve.settle;
            is.ledger.path = was.ledger.path;
            is.serve.listen = was.serve.listen;
            is.serve.inbox = was.serve.inbox;
            // As they will hold: who may do without a token is said by the address that is listened on.
            if (auto fit = check(*next); !fit) next = fit.error();
        }
        if (!next) {
            log_.error("reload_failed", {}, next.error().text + "; the settings stay as they were");
            return;
        }
        const auto& is = next->settings;
        if (partial)
            log_.warn(
                "reload_partial", {},
                "serve.listen, inbox, connections, upload_limit and settle, and ledger.path change at a restart only");
        for (const auto& warning : next->warnings)
            log_.warn("setting", {}, warning);
        const bool other_notify =
            is.notify != was.notify || next->notify_secret.reveal() != before->notify_secret.reveal();
        configuration_.set(std::move(*next));
        log_.configure(configuration_.get()->settings.log);
        asio::post(loop_, [this] { entrance_.reloaded(); });
        if (other_notify)
            if (auto r = notifications_.open(store_->root()); !r) log_.error("notify_trouble", {}, r.error().text);
        scheduler_->reloaded();
        intake_->reloaded();
        contacts_->reloaded();
        log_.info("reloaded", {});
    }

    const serve_options& options_;
    current_configuration configuration_;
    asio::io_context loop_{1};
    supervision supervision_{loop_};
    log log_;
    metrics metrics_;
    event_hub events_{loop_.get_executor()};
    http::tickets tickets_{options_.clock};
    board board_;
    std::unique_ptr<inbox::item_store> store_;
    notifications notifications_{notifications::parts{configuration_, options_.clock, log_, metrics_}};
    std::unique_ptr<scheduler> scheduler_;
    std::unique_ptr<intake> intake_;
    std::unique_ptr<contact_refresher> contacts_;
    std::unique_ptr<control_api> api_;
    entrance entrance_{entrance::parts{configuration_, log_, metrics_, tickets_, loop_.get_executor()}};
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
    const auto inbox = inbox::examine_places(c.settings.serve.inbox);
    add("inbox", inbox ? *inbox : std::string(), inbox ? std::nullopt : std::optional(inbox.error()));
}

result<void> serve(const serve_options& options) {
    auto first = options.load();
    if (!first) return first.error();
    if (auto fit = check(*first); !fit) return fit;
    daemon d(options, std::move(*first));
    if (auto ready = d.prepare(); !ready) return ready;
    return d.run();
}

}  // namespace taskbarge::service
