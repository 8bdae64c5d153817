#include "taskbarge/notification/notification.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <utility>

#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/client/webhook.hpp"
#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/text.hpp"
#include "taskbarge/report/exit_code.hpp"
#include "taskbarge/report/report_json.hpp"

namespace taskbarge::notification {

namespace {

constexpr std::array pings{std::pair{ping::start, std::string_view("ping-start")},
                           std::pair{ping::success, std::string_view("ping-success")},
                           std::pair{ping::fail, std::string_view("ping-fail")}};

std::map<std::string, std::string> proxy_environment() {
    std::map<std::string, std::string> out;
    for (const char* name : client::proxy_variables)
        if (const char* const value = std::getenv(name)) out.emplace(name, value);
    return out;
}

delivery judge(const client::exchange& x) {
    if (x.reach != client::reach::answered) return {false, true, x.error_text};
    constexpr int timed_out = 408, too_early = 425, too_many = 429;
    const int kind = x.status / 100;
    const std::string what = std::to_string(x.status);
    if (kind == 2) return {true, false, what};
    if (kind == 3) return {false, true, what + ", and redirects are not followed"};
    const bool for_now = x.status == timed_out || x.status == too_early || x.status == too_many;
    return {false, kind != 4 || for_now, what};
}

}  // namespace

std::string_view event_of(const job::report& r) {
    using core::errc;
    if (!r.why) return r.state == job::report_state::completed ? "completed" : "";
    const auto code = r.why->code;
    if (code == errc::interrupted || code == errc::job_held || code == errc::paused) return "";
    return r.state == job::report_state::parked ? "parked" : "failed";
}

std::string id_of(const job::report& r, std::string_view event, core::instant now) {
    const auto when = r.why ? now : r.finished_at.value_or(now);
    return fmt::format("job-{}-{}-{}", r.job.value_or(0), event, core::to_rfc3339(when));
}

bool is_wanted(const core::notify_settings& settings, std::string_view event) {
    const auto& events = settings.events;
    return !settings.url.empty() && std::find(events.begin(), events.end(), event) != events.end();
}

std::string body_of(const core::notify_settings& settings, const news& n) {
    std::string out;
    core::json_object o(out);
    if (settings.body == core::notify_body::text) {
        o.text("text", n.text);
        o.close();
        return out + '\n';
    }
    o.text("event", n.event);
    o.text("id", n.id);
    o.text("time", core::to_rfc3339(n.now));
    o.text_or_null("import", n.import);
    report::add_report(o, n.report, n.ledger_path, report::exit_code_of(n.report));
    o.close();
    return out + '\n';
}

std::optional<ping> ping_of(const job::report& r, bool stale) {
    const auto code = report::exit_code_of(r);
    if (code == report::exit_code::done) return ping::success;
    if (stale) return ping::fail;
    const bool goes_on = code == report::exit_code::parked || code == report::exit_code::unreachable;
    return goes_on ? std::nullopt : std::optional(ping::fail);
}

std::string_view to_string(ping p) {
    return pings.at(static_cast<std::size_t>(p)).second;
}

std::optional<ping> parse_ping(std::string_view event) {
    for (const auto& [p, word] : pings)
        if (word == event) return p;
    return std::nullopt;
}

std::string ping_address(const std::string& ping_url, ping p) {
    if (p == ping::success) return ping_url;
    const auto query = std::min(ping_url.find('?'), ping_url.size());
    auto path = ping_url.substr(0, query);
    while (path.ends_with('/'))
        path.pop_back();
    return path + (p == ping::start ? "/start" : "/fail") + ping_url.substr(query);
}

std::string signature(const core::secret& key, core::instant at, std::string_view body) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    const std::string text = fmt::format("{}.{}", seconds, body);
    const std::string& k = key.reveal();
    std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
    std::size_t length = 0;
    if (EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, k.data(), k.size(),
                  reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), code.size(),
                  &length) == nullptr)
        throw std::runtime_error("HMAC-SHA256 is not available");
    return fmt::format("t={},v1={}", seconds, core::hex({code.data(), length}));
}

posting address(const core::notify_settings& settings, const core::secret& key, const std::string& id,
                const std::string& event, const std::string& body, core::instant now) {
    if (const auto p = parse_ping(event)) return {ping_address(settings.ping_url, *p), id, event, body, ""};
    return {settings.url, id, event, body, key.empty() ? "" : signature(key, now, body)};
}

poster make_poster(const core::notify_settings& settings) {
    const auto environment = proxy_environment();
    return [ca_file = settings.ca_file, environment](const posting& p) -> delivery {
        client::webhook to;
        to.url = p.url;
        to.ca_file = ca_file;
        to.proxy = client::proxy_for(p.url, environment).url;
        const bool is_ping = parse_ping(p.event).has_value();
        to.setting = is_ping ? "notify.ping_url" : "notify.url";
        to.content_type = is_ping ? "text/plain; charset=utf-8" : "application/json";
        client::header_fields headers{{"X-Taskbarge-Id", p.id}, {"X-Taskbarge-Event", p.event}};
        if (!p.signature.empty()) headers.emplace_back("X-Taskbarge-Signature", p.signature);
        const auto answer = client::post(to, headers, p.body);
        // A file of certificates that is not there now may be there later.
        if (!answer) return {false, true, answer.error().text};
        return judge(*answer);
    };
}

}  // namespace taskbarge::notification
