#include "service/http/target.hpp"

#include <simdjson.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/pct_string_view.hpp>
#include <boost/url/url_view.hpp>
#include <optional>

#include "service/http/ascii.hpp"

namespace taskbarge::service::http {

namespace urls = boost::urls;

namespace {

core::failure refused(std::string_view why) {
    return {core::errc::input, "The request's target " + std::string(why) + "."};
}

// C0, DEL and, as UTF-8 writes them, C1.
bool has_control(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_control(c) || c == '\t') return true;
        if (static_cast<unsigned char>(c) == 0xc2 && i + 1 < text.size() &&
            static_cast<unsigned char>(text[i + 1]) < 0xa0)
            return true;
    }
    return false;
}

enum class plus_sign : std::uint8_t { itself, space };

// Nothing for what is no UTF-8 or has control characters. The text's escapes are well-formed.
std::optional<std::string> decode(std::string_view text, plus_sign plus) {
    urls::encoding_opts options;
    options.space_as_plus = plus == plus_sign::space;
    std::string decoded = urls::pct_string_view(urls::string_view(text.data(), text.size())).decode(options);
    if (!simdjson::validate_utf8(decoded.data(), decoded.size()) || has_control(decoded)) return std::nullopt;
    return decoded;
}

bool is_plain_segment(std::string_view segment) {
    return !segment.empty() && segment != "." && segment != ".." && segment.find('/') == std::string_view::npos;
}

core::result<std::string> decode_path(std::string_view encoded) {
    std::string path;
    if (encoded.empty() || encoded == "/") return std::string("/");
    while (!encoded.empty()) {
        encoded.remove_prefix(1);  // the slash
        const std::size_t end = std::min(encoded.find('/'), encoded.size());
        const auto segment = decode(encoded.substr(0, end), plus_sign::itself);
        if (!segment) return refused("has bytes in its path that are no UTF-8, or are control characters");
        if (!is_plain_segment(*segment))
            return refused("has an empty, \".\" or \"..\" part in its path, or a hidden \"/\"");
        path += '/' + *segment;
        encoded.remove_prefix(end);
    }
    return path;
}

core::result<header_list> decode_query(std::string_view encoded) {
    header_list query;
    while (!encoded.empty()) {
        const std::size_t end = std::min(encoded.find('&'), encoded.size());
        const std::string_view pair = encoded.substr(0, end);
        encoded.remove_prefix(std::min(end + 1, encoded.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        auto name = decode(pair.substr(0, equals), plus_sign::space);
        auto value = decode(pair.substr(std::min(equals + 1, pair.size())), plus_sign::space);
        if (!name || !value) return refused("has bytes in its query that are no UTF-8, or are control characters");
        query.emplace_back(std::move(*name), std::move(*value));
    }
    return query;
}

std::string_view view(urls::string_view text) {
    return {text.data(), text.size()};
}

core::result<request_target> decode(const urls::url_view& url) {
    auto path = decode_path(view(url.encoded_path()));
    if (!path) return path.error();
    auto query = decode_query(view(url.encoded_query()));
    if (!query) return query.error();
    return request_target{std::move(*path), std::move(*query), std::string(view(url.encoded_host_and_port()))};
}

}  // namespace

core::result<request_target> parse_target(std::string_view text) {
    const urls::string_view target(text.data(), text.size());
    // Two slashes would begin a host in a URL; here they are an empty part.
    if (text.starts_with("//")) return refused("has an empty part in its path");
    if (text.starts_with('/')) {
        const auto url = urls::parse_origin_form(target);
        if (!url) return refused("is no path with a query; percent-encode what is none of a URL's characters");
        return decode(*url);
    }
    const auto url = urls::parse_absolute_uri(target);
    if (!url || !url->has_authority()) return refused("begins with no \"/\", and is no absolute URL");
    const bool web = url->scheme_id() == urls::scheme::http || url->scheme_id() == urls::scheme::https;
    if (!web || url->has_userinfo()) return refused("is a URL of another scheme, or has a user name");
    return decode(*url);
}

}  // namespace taskbarge::service::http
