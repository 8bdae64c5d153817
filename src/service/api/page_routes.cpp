#include <algorithm>
#include <array>
#include <utility>

#include "service/api/routes.hpp"
#include "service/web/embedded.hpp"

namespace taskbarge::service {

using http::problem;
using http::request;
using http::response;

namespace {

// What the page may do: run its own scripts and styles, and ask this service. No text becomes markup or script
// (Trusted Types), so what a file, a name or Apollo says stays text.
constexpr const char* page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'";

std::string_view type_of(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> types{{
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".md", "text/markdown; charset=utf-8"},
        {".yaml", "application/yaml"},
    }};
    const auto found = std::ranges::find_if(types, [&](const auto& t) { return name.ends_with(t.first); });
    return found == types.end() ? "application/octet-stream" : found->second;
}

response page_file(std::string_view name) {
    const auto all = web::embedded_files();
    const auto found = std::ranges::find(all, name, &web::embedded_file::name);
    if (found == all.end())
        return problem(404, "unknown-path", "There is nothing at this path", "The dashboard is at /.");
    response a;
    a.content_type = type_of(name);
    a.body = found->bytes;
    a.headers.emplace_back("Content-Security-Policy", page_policy);
    return a;
}

}  // namespace

awaitable<void> page_routes::index(request& x, const path_values&) {
    response a = page_file("index.html");
    co_await x.reply(std::move(a));
}

awaitable<void> page_routes::asset(request& x, const path_values& v) {
    response a = page_file(v.at(0));
    co_await x.reply(std::move(a));
}

awaitable<void> page_routes::description(request& x, const path_values&) {
    response a = page_file("openapi.yaml");
    co_await x.reply(std::move(a));
}

}  // namespace taskbarge::service
