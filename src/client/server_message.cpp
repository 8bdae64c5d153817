#include "client/server_message.hpp"

#include "client/json_values.hpp"
#include "client/text.hpp"

namespace taskbarge::client {

namespace {

namespace dom = simdjson::dom;

// Error texts are short. A body beyond this is not parsed for one: it is an answer of another kind.
constexpr std::size_t parsed_up_to = 64U << 10U;

std::string json_message(std::string_view body) {
    dom::object object;
    if (body.size() > parsed_up_to || parse_json(body).get_object().get(object)) return {};
    for (const std::string_view key : {"error", "message", "error_message"}) {
        dom::element value;
        if (object.at_key(key).get(value) || value.is_null()) continue;
        if (const std::string_view text = text_member(object, key); !text.empty()) return one_line(text);
        if (!value.is_string()) return one_line(simdjson::minify(value));
    }
    return {};
}

std::string html_title(std::string_view body) {
    const std::string page = lower_case(body.substr(0, parsed_up_to));
    const auto tag = page.find("<title");
    const auto begin = tag == std::string::npos ? tag : page.find('>', tag);
    const auto end = begin == std::string::npos ? begin : page.find('<', begin);
    const std::string title = end == std::string::npos ? "" : one_line(body.substr(begin + 1, end - begin - 1));
    return title.empty() ? "an HTML page" : "an HTML page: " + title;
}

// Behind blanks and a byte order mark; NUL: nothing.
char first_of(std::string_view body) {
    const auto first = body.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    return first == std::string_view::npos ? '\0' : body[first];
}

}  // namespace

bool speaks_json(std::string_view body) {
    const char first = first_of(body);
    return first == '{' || first == '[';
}

bool is_page(std::string_view body) {
    return first_of(body) == '<';
}

std::string message_or(const exchange& x, std::string_view otherwise) {
    if (x.body.find_first_not_of(" \t\r\n") == std::string::npos) return one_line(otherwise);
    if (is_page(x.body)) return one_line(html_title(x.body));
    if (std::string message = json_message(x.body); !message.empty()) return message;
    std::string text = one_line(x.body);
    return text.empty() ? one_line(otherwise) : text;
}

}  // namespace taskbarge::client
