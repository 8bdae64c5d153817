#include "unit/sandbox/support.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "taskbarge/async/deadline.hpp"

namespace sandbox_tests {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

struct client::connection {
    connection(asio::io_context& io, asio::ssl::context& tls) : stream(io, tls) {}
    asio::ssl::stream<tcp::socket> stream;
    boost::beast::flat_buffer buffer;
};

client::client(const sandbox::sandbox_ready& where) : client(where, where.ca_file) {}

client::client(const sandbox::sandbox_ready& where, const std::string& ca_file) : key_(where.api_key) {
    tls_.load_verify_file(ca_file);
    tls_.set_verify_mode(asio::ssl::verify_peer);
    tls_.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));
    const auto colon = where.base_url.rfind(':');
    port_ = static_cast<unsigned short>(std::stoi(where.base_url.substr(colon + 1)));
}

namespace {

template <class Connection>
asio::awaitable<void> open_connection(Connection& c, unsigned short port) {
    co_await c.stream.next_layer().async_connect({asio::ip::address_v4::loopback(), port}, asio::use_awaitable);
    co_await c.stream.async_handshake(asio::ssl::stream_base::client, asio::use_awaitable);
}

using response_parser = http::response_parser<http::string_body>;

template <class Connection, class Request>
asio::awaitable<void> converse(Connection& c, Request& message, response_parser& parser) {
    co_await http::async_write(c.stream, message, asio::use_awaitable);
    co_await http::async_read(c.stream, c.buffer, parser, asio::use_awaitable);
}

asio::awaitable<error_code> as_error(asio::awaitable<void> operation) {
    try {
        co_await std::move(operation);
        co_return error_code();
    } catch (const boost::system::system_error& e) {
        co_return e.code();
    }
}

constexpr auto patience = std::chrono::seconds(60);

error_code run(asio::io_context& io, asio::awaitable<void> operation) {
    auto result =
        asio::co_spawn(io, taskbarge::async::with_deadline(as_error(std::move(operation)), patience), asio::use_future);
    io.restart();
    io.run();
    return result.get();
}

}  // namespace

void client::complete(request& message) const {
    message.set(http::field::host, "127.0.0.1");
    message.set("x-api-key", key_);
    if (accepts_gzip_) message.set(http::field::accept_encoding, "gzip");
    message.prepare_payload();
}

reply client::ask(request message) {
    complete(message);
    reply result;
    if (!connection_) {
        connection_ = std::make_shared<connection>(io_, tls_);
        ++connections_;
        result.error = run(io_, open_connection(*connection_, port_));
    }
    response_parser parser;
    parser.body_limit(256u << 20);
    if (!result.error) result.error = run(io_, converse(*connection_, message, parser));
    if (parser.is_header_done()) {
        result.status = parser.get().result_int();
        result.headers = parser.get();
        result.body = parser.get().body();
    }
    if (result.error || !parser.keep_alive()) hang_up();
    return result;
}

reply client::post(std::string_view target, std::string_view body) {
    request message(http::verb::post, target, 11, std::string(body));
    message.set(http::field::content_type, "application/json");
    return ask(std::move(message));
}

reply client::get(std::string_view target) {
    return ask(request(http::verb::get, target, 11));
}

reply client::remove(std::string_view target) {
    return ask(request(http::verb::delete_, target, 11));
}

void client::create_without_waiting(const std::vector<std::string>& contacts) {
    request message(http::verb::post, "/api/v1/tasks/bulk_create", 11, body_for(contacts));
    complete(message);
    http::write(connection_->stream, message);
}

std::size_t client::waiting() const {
    return connection_->stream.next_layer().available();
}

std::string client::body_for(const std::vector<std::string>& contacts, std::string_view due_at) {
    std::string ids;
    for (const std::string& id : contacts)
        ids += (ids.empty() ? "\"" : ",\"") + id + "\"";
    return fmt::format(R"({{"user_id":"66302798d03b9601c7934ebf","contact_ids":[{}],"type":"call","priority":"high",)"
                       R"("status":"scheduled","due_at":"{}","note":"Say \"hello\""}})",
                       ids, due_at);
}

core::task_details client::details() {
    core::task_details d;
    d.user_id = "66302798d03b9601c7934ebf";
    d.type = core::task_type::call;
    d.priority = core::task_priority::high;
    d.status = core::task_status::scheduled;
    d.due_at = core::parse_rfc3339("2026-03-01T10:00:00Z").value();
    d.note = "Say \"hello\"";
    return d;
}

std::vector<std::string> contact_ids(unsigned first, unsigned count) {
    std::vector<std::string> ids;
    for (unsigned i = 0; i < count; ++i)
        ids.push_back(fmt::format("{:024x}", first + i));
    return ids;
}

std::size_t occurrences(std::string_view text, std::string_view part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

std::vector<std::string> strings_in(const std::string& body, const char* list, const char* key) {
    simdjson::dom::parser parser;
    std::vector<std::string> found;
    simdjson::dom::array entries;
    if (parser.parse(body)[list].get(entries) != simdjson::SUCCESS) {
        ADD_FAILURE() << "no list of " << list << ": " << body.substr(0, 200);
        return found;
    }
    for (const simdjson::dom::element entry : entries) {
        std::string_view text;
        found.emplace_back(entry[key].get(text) == simdjson::SUCCESS ? text : "(none)");
    }
    return found;
}

std::int64_t number_at(const std::string& body, const char* pointer) {
    simdjson::dom::parser parser;
    std::int64_t number = -1;
    if (parser.parse(body).at_pointer(pointer).get(number) != simdjson::SUCCESS) {
        ADD_FAILURE() << "no number at " << pointer << ": " << body.substr(0, 200);
    }
    return number;
}

temporary_folder::temporary_folder() {
    path_ = (std::filesystem::temp_directory_path() / "taskbarge-sandbox-test-XXXXXX").string();
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary folder");
}

temporary_folder::~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

running_sandbox::running_sandbox(sandbox::sandbox_options options, std::vector<std::string> faults) {
    options.faults.insert(options.faults.end(), faults.begin(), faults.end());
    auto started = sandbox::server::start(options, clock);
    if (!started) throw std::runtime_error(started.error().text);
    server_ = std::move(*started);
}

}  // namespace sandbox_tests
