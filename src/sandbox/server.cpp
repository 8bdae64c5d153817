#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <thread>

#include "sandbox/apollo.hpp"
#include "sandbox/certificates.hpp"
#include "sandbox/connection.hpp"
#include "sandbox/seeded.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

core::failure usage(std::string text) {
    return {core::errc::usage, "sandbox: " + std::move(text)};
}

core::result<tcp::endpoint> parse_listen(const std::string& text) {
    const auto colon = text.rfind(':');
    std::string host = text.substr(0, colon);
    unsigned short port = 0;
    const char* end = text.data() + text.size();
    const bool port_read = colon != std::string::npos && std::from_chars(text.data() + colon + 1, end, port).ptr == end;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    error_code bad;
    const auto address = asio::ip::make_address(host, bad);
    if (!port_read || bad || !address.is_loopback()) {
        return usage(fmt::format("listen \"{}\" is no loopback address; write 127.0.0.1:PORT or [::1]:PORT", text));
    }
    return tcp::endpoint(address, port);
}

std::string key_from(std::uint64_t seed) {
    constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string key = "sandbox-";
    for (std::uint64_t i = 0; i < 22; ++i)
        key.push_back(letters[mix(seed, i) % letters.size()]);
    return key;
}

// A number below zero comes as one far above these.
constexpr std::uint64_t most_contacts = 5'000'000;
constexpr std::uint64_t most_existing_tasks = 100'000'000;

// The options in force: with a key, and with what could be said as a fault said as one.
core::result<sandbox_options> complete(sandbox_options options) {
    if (options.api_key.empty()) options.api_key = key_from(options.seed);
    for (const std::string& name : options.forbid) {
        const auto named = [&](route r) { return to_string(r) == name; };
        if (std::ranges::none_of(all_routes, named)) {
            return usage(fmt::format("route \"{}\" is unknown; there are {}", name, route_names()));
        }
    }
    if (options.latency.count() < 0 || options.latency_jitter.count() < 0) return usage("latency must not be negative");
    if (!(options.contacts_alike >= 0 && options.contacts_alike <= 100)) {
        return usage("contacts-alike is a number of percent from 0 to 100");
    }
    if (options.contacts > most_contacts || options.existing_tasks > most_existing_tasks) {
        return usage(fmt::format("more than {} contacts or {} existing tasks do not fit into memory", most_contacts,
                                 most_existing_tasks));
    }
    for (const auto length : options.lengths) {
        if (length.count() <= 0) return usage("a window's length must be positive");
    }
    if (options.max_contacts > 0) options.faults.push_back(fmt::format("cap={}", options.max_contacts));
    for (const std::string& id : options.bad_contacts)
        options.faults.push_back("bad_contact=" + id);
    return options;
}

// A folder that goes when its owner does.
class temporary_folder {
 public:
    static core::result<temporary_folder> make() {
        std::string pattern = (std::filesystem::temp_directory_path() / "taskbarge-sandbox-XXXXXX").string();
        if (mkdtemp(pattern.data()) == nullptr) {
            return core::failure{core::errc::io, "sandbox: cannot make a folder like " + pattern};
        }
        return temporary_folder(std::move(pattern));
    }
    temporary_folder(temporary_folder&& o) noexcept : path_(std::exchange(o.path_, {})) {}
    temporary_folder& operator=(temporary_folder&&) = delete;
    ~temporary_folder() {
        std::error_code ignored;
        if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
    }
    const std::string& path() const { return path_; }

 private:
    explicit temporary_folder(std::string path) : path_(std::move(path)) {}
    std::string path_;
};

// For what a coroutine throws: leaves run() and so ends the server.
void rethrow(std::exception_ptr e) {
    if (e) std::rethrow_exception(e);
}

}  // namespace

std::uint64_t route_stats::requests() const {
    std::uint64_t sum = 0;
    for (const auto& [status, count] : by_status)
        sum += count;
    return sum;
}

class server::impl {
 public:
    impl(const sandbox_options& options, fault_plan plan, const core::clock& clock)
        : apollo_(options, std::move(plan), clock), context_{apollo_, nullptr, {}} {}
    ~impl() { stop(); }

    core::result<void> prepare(const tcp::endpoint& endpoint) {
        if (auto r = apollo_.open(); !r) return r;
        if (apollo_.options().tls) {
            if (auto r = prepare_tls(); !r) return r;
        }
        return listen(endpoint);
    }

    void run() {
        asio::co_spawn(io_, accept_all(), rethrow);
        thread_ = std::thread([this] { run_loop(); });
    }

    void stop() {
        if (!thread_.joinable()) return;
        io_.stop();
        thread_.join();
        error_code ignored;
        acceptor_.close(ignored);
        apollo_.finish();
    }

    apollo& state() { return apollo_; }
    const sandbox_ready& where() const { return ready_; }
    void log_to(std::function<void(std::string_view)> log) { context_.log = std::move(log); }
    // `f` is called on the server's thread when it cannot go on.
    void on_death(std::function<void(const std::string&)> f) { on_death_ = std::move(f); }

 private:
    core::result<void> prepare_tls() {
        std::string folder = apollo_.options().state_folder;
        if (folder.empty()) {
            auto made = temporary_folder::make();
            if (!made) return made.error();
            folder = temporary_.emplace(std::move(*made)).path();
        }
        const auto files = provide_certificates(folder);
        if (!files) return files.error();
        tls_.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                         asio::ssl::context::no_tlsv1_1);
        error_code error;
        tls_.use_certificate_chain_file(files->server, error);
        if (!error) tls_.use_private_key_file(files->key, asio::ssl::context::pem, error);
        if (error)
            return core::failure{core::errc::io, "sandbox: cannot use " + files->server + ": " + error.message()};
        ready_.ca_file = files->ca;
        context_.tls = &tls_;
        return {};
    }

    core::result<void> listen(const tcp::endpoint& endpoint) {
        error_code error;
        acceptor_.open(endpoint.protocol(), error);
        if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
        if (!error) acceptor_.bind(endpoint, error);
        if (!error) acceptor_.listen(tcp::acceptor::max_listen_connections, error);
        if (error) {
            return core::failure{core::errc::unreachable,
                                 fmt::format("sandbox: cannot listen on {}:{}: {}", endpoint.address().to_string(),
                                             endpoint.port(), error.message())};
        }
        const std::string host =
            endpoint.address().is_v6() ? "[" + endpoint.address().to_string() + "]" : endpoint.address().to_string();
        ready_.base_url = fmt::format("{}://{}:{}/api/v1", context_.tls != nullptr ? "https" : "http", host,
                                      acceptor_.local_endpoint().port());
        ready_.api_key = apollo_.options().api_key;
        return {};
    }

    asio::awaitable<void> accept_all() {
        while (acceptor_.is_open()) {
            error_code error;
            tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
            if (!error) {
                asio::co_spawn(io_, serve_connection(std::move(socket), context_), rethrow);
            } else if (acceptor_.is_open()) {
                // Out of descriptors, most likely: connections end, and then there are some again.
                asio::steady_timer timer(io_, std::chrono::milliseconds(50));
                co_await timer.async_wait(asio::use_awaitable);
            }
        }
    }

    void run_loop() {
        try {
            io_.run();
        } catch (const std::exception& e) {
            if (on_death_) on_death_(e.what());
        }
    }

    std::optional<temporary_folder> temporary_;
    apollo apollo_;
    sandbox_ready ready_;
    asio::ssl::context tls_{asio::ssl::context::tls_server};
    connection_context context_;
    std::function<void(const std::string&)> on_death_;
    asio::io_context io_{1};  // its destruction drops what is left of the connections: after all that they use
    tcp::acceptor acceptor_{io_};
    std::thread thread_;
};

server::server(std::unique_ptr<impl> i) : impl_(std::move(i)) {}
server::~server() = default;

namespace {

struct checked_options {
    sandbox_options options;
    tcp::endpoint endpoint;
    fault_plan plan;
};

core::result<checked_options> check(const sandbox_options& given) {
    auto options = complete(given);
    if (!options) return options.error();
    const auto endpoint = parse_listen(options->listen);
    if (!endpoint) return endpoint.error();
    auto faults = parse_faults(options->faults);
    if (!faults) return faults.error();
    fault_plan plan(std::move(*faults), options->seed);
    return checked_options{std::move(*options), *endpoint, std::move(plan)};
}

}  // namespace

core::result<std::unique_ptr<server>> server::start(const sandbox_options& options, const core::clock& clock) {
    auto checked = check(options);
    if (!checked) return checked.error();
    auto made = std::make_unique<impl>(checked->options, std::move(checked->plan), clock);
    if (auto r = made->prepare(checked->endpoint); !r) return r.error();
    made->run();
    return std::unique_ptr<server>(new server(std::move(made)));
}

void server::stop() {
    impl_->stop();
}
const sandbox_ready& server::where() const {
    return impl_->where();
}
sandbox_stats server::stats() const {
    return impl_->state().stats();
}
void server::for_each_task(const std::function<void(const stored_task&)>& visit) const {
    impl_->state().for_each_task(visit);
}
std::uint64_t server::count_of(std::string_view contact_id, const core::task_view& details) const {
    return impl_->state().count_of(contact_id, details);
}
void server::for_each_contact(const std::function<void(const stored_contact&)>& visit) const {
    impl_->state().for_each_contact(visit);
}
core::result<std::string> server::add_contact(std::string_view json) {
    return impl_->state().add_contact(json);
}
bool server::remove_contact(std::string_view id) {
    return impl_->state().remove_contact(id);
}
bool server::merge_contacts(std::string_view from, std::string_view into) {
    return impl_->state().merge_contacts(from, into);
}
core::result<void> server::set_faults(const std::vector<std::string>& faults) {
    return impl_->state().set_faults(faults);
}

core::result<void> run_sandbox(const sandbox_options& options, const std::function<void(const sandbox_ready&)>& ready) {
    asio::io_context waiting(1);
    asio::signal_set signals(waiting, SIGINT, SIGTERM);
    core::result<void> outcome;
    signals.async_wait([](error_code, int) {});

    auto checked = check(options);
    if (!checked) return checked.error();
    server::impl sandbox(checked->options, std::move(checked->plan), core::system_clock());
    if (!options.quiet) {
        sandbox.log_to([](std::string_view line) { fmt::print(stderr, "{}\n", line); });
    }
    sandbox.on_death([&](const std::string& why) {
        outcome = core::failure{core::errc::io, why};
        waiting.stop();
    });
    if (auto r = sandbox.prepare(checked->endpoint); !r) return r;
    sandbox.run();
    ready(sandbox.where());
    waiting.run();
    sandbox.stop();
    return outcome;
}

}  // namespace taskbarge::sandbox
