// What the tests of the sandbox share: a running one, and a client that speaks to it over TLS.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "support/manual_clock.hpp"
#include "taskbarge/core/task.hpp"
#include "taskbarge/sandbox/sandbox.hpp"

namespace sandbox_tests {

namespace core = taskbarge::core;
namespace sandbox = taskbarge::sandbox;

using taskbarge::testing::manual_clock;

struct reply {
    boost::system::error_code error;  // set when no whole answer came
    int status = 0;
    std::string body;  // as far as it came
    boost::beast::http::fields headers;

    std::string header(std::string_view name) const { return std::string(headers[name]); }
    bool whole() const { return !error; }
};

// One connection at a time; opens a new one when the last was ended. A wait has a limit only so that no test hangs for
// ever.
class client {
 public:
    explicit client(const sandbox::sandbox_ready& where);
    // Trusting another CA than the sandbox's.
    client(const sandbox::sandbox_ready& where, const std::string& ca_file);

    reply post(std::string_view target, std::string_view body);
    reply get(std::string_view target);
    reply remove(std::string_view target);
    reply create(const std::vector<std::string>& contacts) {
        return post("/api/v1/tasks/bulk_create", body_for(contacts));
    }
    // Sends a request on the open connection and leaves its answer alone.
    void create_without_waiting(const std::vector<std::string>& contacts);
    // Bytes that have come unasked since the last answer.
    std::size_t waiting() const;
    reply search_contacts(std::string_view query, std::string_view body = {}) {
        return post("/api/v1/contacts/search?" + std::string(query), body);
    }
    reply search(std::string_view query) { return post("/api/v1/tasks/search?" + std::string(query), ""); }

    static std::string body_for(const std::vector<std::string>& contacts,
                                std::string_view due_at = "2026-03-01T10:00:00Z");
    // The details of body_for().
    static core::task_details details();

    void use_key(std::string key) { key_ = std::move(key); }
    void accept_gzip() { accepts_gzip_ = true; }
    // Ends the connection; the next request opens another.
    void hang_up() { connection_.reset(); }
    std::uint64_t connections() const { return connections_; }

 private:
    using request = boost::beast::http::request<boost::beast::http::string_body>;
    struct connection;

    void complete(request& message) const;
    reply ask(request message);

    boost::asio::io_context io_{1};
    boost::asio::ssl::context tls_{boost::asio::ssl::context::tls_client};
    unsigned short port_ = 0;
    std::string key_;
    bool accepts_gzip_ = false;
    std::uint64_t connections_ = 0;
    std::shared_ptr<connection> connection_;
};

// "000000000000000000000001" and so on: `count` contact ids from `first` on.
std::vector<std::string> contact_ids(unsigned first, unsigned count);

// How often `part` stands in `text`.
std::size_t occurrences(std::string_view text, std::string_view part);

// The strings under `key` in the list `list`, in order. Fails the test when the body has no such list.
std::vector<std::string> strings_in(const std::string& body, const char* list, const char* key);
inline std::vector<std::string> strings_in_tasks(const std::string& body, const char* key) {
    return strings_in(body, "tasks", key);
}
inline std::vector<std::string> ids_of_contacts(const std::string& body) {
    return strings_in(body, "contacts", "id");
}

// A number in a JSON body by pointer, such as "/pagination/total_entries".
std::int64_t number_at(const std::string& body, const char* pointer);

// A folder of the test's own, gone at its end.
class temporary_folder {
 public:
    temporary_folder();
    temporary_folder(const temporary_folder&) = delete;
    ~temporary_folder();
    std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

// A sandbox with wide windows and a clock that stands still. Throws when it does not start.
class running_sandbox {
 public:
    explicit running_sandbox(sandbox::sandbox_options options = {}, std::vector<std::string> faults = {});
    sandbox::server& operator*() { return *server_; }
    sandbox::server* operator->() { return server_.get(); }
    client connect() { return client(server_->where()); }
    std::uint64_t tasks_of(std::string_view contact) { return server_->count_of(contact, client::details().view()); }

    manual_clock clock;

 private:
    std::unique_ptr<sandbox::server> server_;
};

}  // namespace sandbox_tests
