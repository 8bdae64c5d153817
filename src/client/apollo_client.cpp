#include "taskbarge/client/apollo_client.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include "client/https_pool.hpp"
#include "client/text.hpp"

namespace taskbarge::client {

namespace asio = boost::asio;
namespace urls = boost::urls;

namespace {

// A request as it goes out, head and body in one buffer. It holds the key, so it is wiped.
class request_text {
 public:
    request_text(std::string_view line, const core::secret& common_head, std::string_view body) {
        constexpr std::size_t length_line = 40;
        text_.reserve(line.size() + common_head.reveal().size() + length_line + body.size());
        text_ += line;
        text_ += common_head.reveal();
        fmt::format_to(std::back_inserter(text_), "Content-Length: {}\r\n\r\n", body.size());
        text_ += body;
    }
    request_text(const request_text&) = delete;
    request_text& operator=(const request_text&) = delete;
    ~request_text() { OPENSSL_cleanse(text_.data(), text_.size()); }

    std::string_view view() const { return text_; }

 private:
    std::string text_;
};

std::string encoded(std::string_view text) {
    return urls::encode(text, urls::unreserved_chars);
}

std::string query_of(const contact_search& what) {
    std::string query =
        fmt::format("?sort_by_field={}&sort_ascending={}&page={}&per_page={}",
                    what.order == contact_order::created_at ? "contact_created_at" : "contact_updated_at",
                    what.ascending, what.page, what.per_page);
    const auto filter = [&](std::string_view name, const std::string& value) {
        if (!value.empty()) query += fmt::format("&{}={}", encoded(name), encoded(value));
    };
    filter("q_keywords", what.keywords);
    filter("contact_stage_ids[]", what.stage_id);
    filter("contact_label_ids[]", what.label_id);
    return query;
}

core::secret common_head(const target& to, const client_options& options) {
    const std::string agent = options.user_agent.empty() ? "taskbarge" : options.user_agent;
    return core::secret(
        fmt::format("Host: {}\r\nUser-Agent: {}\r\nx-api-key: {}\r\nAccept: application/json\r\n"
                    "Accept-Encoding: gzip\r\nCache-Control: no-cache\r\n"
                    "Content-Type: application/json\r\n",
                    to.host_header, agent, options.key.reveal()));
}

// Whether each contact stands in the request, as it does in a JSON text. Answers name them in its order, or nearly.
bool asked_for(std::string_view request, const core::id_list& contacts) {
    std::size_t from = 0;
    const auto find = [&](std::string_view contact, std::size_t at) {
        for (at = request.find(contact, at); at != std::string_view::npos; at = request.find(contact, at + 1)) {
            const auto end = at + contact.size();
            if (at > 0 && request[at - 1] == '"' && end < request.size() && request[end] == '"') return end;
        }
        return std::string_view::npos;
    };
    for (const auto contact : contacts) {
        auto end = find(contact, from);
        if (end == std::string_view::npos) end = find(contact, 0);
        if (end == std::string_view::npos) return false;
        from = end;
    }
    return true;
}

class pooled_client final : public apollo_client {
 public:
    pooled_client(asio::any_io_executor ex, connection_plan plan, const client_options& options)
        : path_(plan.to.path),
          key_(options.key),
          head_(common_head(plan.to, options)),
          pool_(std::move(ex), std::move(plan), options.connections, options.connection_age) {}

    asio::awaitable<creation> bulk_create(const std::string& body, const core::task_view& asked) override {
        return create(std::make_unique<request_text>(request_line("POST", "/tasks/bulk_create"), head_, body), asked);
    }

    asio::awaitable<exchange> search_tasks(std::uint32_t page, std::uint32_t per_page,
                                           const std::vector<std::pair<std::string, std::string>>& filters) override {
        std::string query = fmt::format("?sort_by_field=task_due_at&page={}&per_page={}", page, per_page);
        for (const auto& [name, value] : filters)
            query += "&" + encoded(name) + "=" + encoded(value);
        auto request = std::make_unique<request_text>(request_line("POST", "/tasks/search" + query), head_, "");
        return checked(std::move(request),
                       [=](const exchange& x) { return read_search(x, page, per_page).has_value(); });
    }

    asio::awaitable<exchange> search_users(std::uint32_t page, std::uint32_t per_page) override {
        return ask(request_line("GET", fmt::format("/users/search?page={}&per_page={}", page, per_page)));
    }

    asio::awaitable<exchange> search_contacts(const contact_search& what) override {
        auto request =
            std::make_unique<request_text>(request_line("POST", "/contacts/search" + query_of(what)), head_, "");
        return checked(std::move(request), [what](const exchange& x) { return read_contacts(x, what).has_value(); });
    }

    asio::awaitable<exchange> contact(const std::string& id) override {
        return ask(request_line("GET", "/contacts/" + encoded(id)));
    }

    asio::awaitable<exchange> create_contacts(const std::string& body) override {
        auto request = std::make_unique<request_text>(request_line("POST", "/contacts/bulk_create"), head_, body);
        return checked(
            std::move(request), [](const exchange& x) { return read_created_contacts(x).has_value(); },
            async::outer_stop::held_back);
    }

    asio::awaitable<exchange> contact_stages() override { return ask(request_line("GET", "/contact_stages")); }
    asio::awaitable<exchange> labels() override { return ask(request_line("GET", "/labels")); }

    asio::awaitable<exchange> usage_stats() override {
        return ask(request_line("POST", "/usage_stats/api_usage_stats"));
    }

    void close() override { pool_.close(); }

 private:
    std::string request_line(std::string_view method, std::string_view route) const {
        return fmt::format("{} {}{} HTTP/1.1\r\n", method, path_, route);
    }

    asio::awaitable<creation> create(std::unique_ptr<request_text> request, core::task_view asked) {
        creation made;
        const https_pool::examiner examine = [&](exchange& x) {
            made.answer = classify_bulk_create(x, asked, key_);
            const bool created = made.answer.verdict == create_verdict::created;
            // Its tasks are taken over; of another answer the beginning is enough for every message and record.
            constexpr std::size_t looked_at = 64U << 10U;
            if (created || x.body.size() > looked_at) std::string(x.body, 0, created ? 0 : looked_at).swap(x.body);
            // What contacts it names that were not asked for is for the caller to weigh, but not on this connection.
            return created && asked_for(request->view(), made.answer.tasks.contact_ids);
        };
        // What it does to tasks must be known: its answer or its deadline is waited for.
        made.http = co_await pool_.send(request->view(), async::outer_stop::held_back, examine);
        co_return made;
    }

    // An answer that is not the one to what was asked for shows that those on this connection are mixed up.
    asio::awaitable<exchange> checked(std::unique_ptr<request_text> request,
                                      std::function<bool(const exchange&)> is_the_answer,
                                      async::outer_stop stop = async::outer_stop::passed_on) {
        const https_pool::examiner examine = [&](exchange& x) {
            key_.erase_from(x.body);
            return is_the_answer(x);
        };
        co_return co_await pool_.send(request->view(), stop, examine);
    }

    // No coroutine: the request is written down before the caller can go on.
    asio::awaitable<exchange> ask(const std::string& line) {
        return checked(std::make_unique<request_text>(line, head_, ""),
                       [](const exchange& x) { return x.reach == reach::answered && x.status / 100 == 2; });
    }
    std::string path_;
    core::secret key_;
    core::secret head_;
    https_pool pool_;
};

}  // namespace

core::result<std::unique_ptr<apollo_client>> apollo_client::make(asio::any_io_executor ex,
                                                                 const client_options& options) {
    if (options.key.empty()) return core::failure{core::errc::no_key, "no API key given"};
    if (!fits_a_header(options.key.reveal()) || options.key.reveal().find(' ') != std::string::npos)
        return core::failure{core::errc::settings, "the API key holds a blank or a character that no key has"};
    if (!fits_a_header(options.user_agent))
        return core::failure{core::errc::settings, "the user agent holds a character that no header may have"};
    if (options.connections == 0)
        return core::failure{core::errc::settings, "send.connections: at least one is needed"};
    const auto to = parse_base_url(options.base_url);
    if (!to) return to.error();
    const auto proxy = parse_proxy(options.proxy, options.proxy_from);
    if (!proxy) return proxy.error();
    const auto tls = tls_context::make(options.ca_file);
    if (!tls) return tls.error();

    connection_plan plan;
    plan.to = *to;
    if (to->tls) plan.proxy = *proxy;
    plan.tls = *tls;
    plan.connect_timeout = options.connect_timeout;
    plan.request_timeout = options.request_timeout;
    plan.idle_limit = options.connection_idle;
    plan.answer_limit = options.answer_limit;
    plan.key = options.key;
    plan.budget = std::make_shared<answer_budget>(options.answer_limit);
    return std::make_unique<pooled_client>(std::move(ex), std::move(plan), options);
}

}  // namespace taskbarge::client
