// Apollo's routes over a pool of HTTPS connections: what was asked, and what is known of the answer.
#pragma once

#include <array>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "taskbarge/client/answer.hpp"
#include "taskbarge/client/contacts.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/secret.hpp"
#include "taskbarge/core/settings.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::client {

struct client_options {
    std::string base_url;
    std::string ca_file;  // PEM, trusted instead of the system's store; empty: the system's
    core::secret key;
    std::uint32_t connections = 8;
    // Each of: resolve, connect, proxy, handshake. The addresses of a host share one connect_timeout.
    std::chrono::milliseconds connect_timeout = std::chrono::seconds(10);
    // From the first byte written to the last read.
    std::chrono::milliseconds request_timeout = std::chrono::seconds(60);
    // Bytes of a body, as sent and as decoded. All answers that are being read share so much beyond their first MiB.
    std::uint64_t answer_limit = 64ull << 20;
    std::chrono::milliseconds connection_age = std::chrono::minutes(5);  // older connections are not used again
    // Nor are those that were idle for longer: a server, or a firewall on the way, may have forgotten them.
    std::chrono::milliseconds connection_idle = std::chrono::seconds(30);
    std::string proxy;  // "http://user:pass@host:port"; empty: none. Plain http to loopback never uses it.
    std::string proxy_from = "send.proxy";  // what messages say that names it
    std::string user_agent;                 // empty: "taskbarge"
};

// One client per event loop. Requests beyond `connections` wait for a free one, in order. All calls are made on, and
// complete on, the executor given at construction, which one thread runs; the client outlives them.
//
// No call throws for anything that happens on the way: a request that did not get there is an exchange too. A stop
// (cancellation) before the first byte of a request was written gives reach::not_sent, code `stopped`; awaiting is not
// interrupted once it may have been written: request_timeout is the bound. A coroutine that was stopped before its call
// does not make it (operation_aborted, as from any wait).
//
// The key is in no text of what a call gives, however the server spells it. A connection is used for another request
// only after a clear success: a 2xx with the page that was asked for, or with tasks for contacts that were.
//
// Codes of exchanges without an answer. not_sent: stopped, dns_failed, connect_failed, connect_timeout, proxy_failed,
// tls_failed, tls_timeout. no_answer: write_failed, request_timeout, connection_lost (before the first byte of the
// answer), answer_cut_off (after it), answer_too_large, answer_unreadable (no HTTP, or an unknown or broken coding).
class apollo_client {
 public:
    // Fails with errc::settings: base URL malformed or plain http to a host that is not loopback, CA file unreadable,
    // proxy malformed, key or user agent not fit for a header; with errc::no_key: key empty.
    static core::result<std::unique_ptr<apollo_client>> make(boost::asio::any_io_executor ex,
                                                             const client_options& options);
    virtual ~apollo_client() = default;

    // POST /tasks/bulk_create. `body` is a bulk_create_body(), `asked` the details in it: the answer is held against
    // them. `body` lives until the call has begun (it is copied before the first wait; co_await of a temporary is
    // fine), the texts of `asked` until it is done.
    virtual boost::asio::awaitable<creation> bulk_create(const std::string& body, const core::task_view& asked) = 0;
    // POST /tasks/search, sorted by due date, most future-dated first; page from 1. `filters`: undocumented query
    // parameters, such as {"contact_id", "..."}.
    virtual boost::asio::awaitable<exchange> search_tasks(
        std::uint32_t page, std::uint32_t per_page,
        const std::vector<std::pair<std::string, std::string>>& filters) = 0;
    // GET /users/search
    virtual boost::asio::awaitable<exchange> search_users(std::uint32_t page, std::uint32_t per_page) = 0;
    // POST /contacts/search
    virtual boost::asio::awaitable<exchange> search_contacts(const contact_search& what) = 0;
    // GET /contacts/{id}
    virtual boost::asio::awaitable<exchange> contact(const std::string& id) = 0;
    // POST /contacts/bulk_create. It may have done what it was asked for, whatever the answer, as bulk_create().
    virtual boost::asio::awaitable<exchange> create_contacts(const std::string& body) = 0;
    // GET /contact_stages, GET /labels
    virtual boost::asio::awaitable<exchange> contact_stages() = 0;
    virtual boost::asio::awaitable<exchange> labels() = 0;
    // POST /usage_stats/api_usage_stats
    virtual boost::asio::awaitable<exchange> usage_stats() = 0;

    // Closes idle connections; those in use close when their request is done. Later requests open new ones.
    virtual void close() = 0;
};

// How long packets of a connection that was reset may still wait below it, in queues of devices and for a neighbour's
// address (Linux: three tries of a second): after that nothing of its requests leaves this machine any more.
inline constexpr std::chrono::seconds packet_hold{5};
// Whether requests to this URL leave this machine.
bool leaves_this_machine(const std::string& base_url);

// A proxy's URL, and what named it. No URL: none.
struct named_proxy {
    std::string url, from;
};
// The proxy that the environment names for this base URL: https_proxy, HTTPS_PROXY, all_proxy or ALL_PROXY, the first
// that says anything, unless no_proxy, else NO_PROXY, lists the host (exact names and addresses, networks such as
// 10.0.0.0/8, domains with or without a leading dot, host:port, *). Loopback and plain http never use one.
named_proxy proxy_for(const std::string& base_url, const std::map<std::string, std::string>& environment);
// All the variables it looks at.
inline constexpr std::array proxy_variables{"https_proxy", "HTTPS_PROXY", "all_proxy",
                                            "ALL_PROXY",   "no_proxy",    "NO_PROXY"};
// A proxy's URL as it may be shown.
std::string without_password(const std::string& url);

// Whether apollo.base_url, send.proxy (empty: none) and a PEM file of authorities that `setting` names can be used:
// errc::settings else, in the words of make().
core::result<void> check_base_url(const std::string& url);
core::result<void> check_proxy(const std::string& url);
core::result<void> check_ca_file(const std::string& path, const char* setting);

// The JSON body of a bulk_create request.
std::string bulk_create_body(const core::task_view& details, const core::id_list& contact_ids);

}  // namespace taskbarge::client
