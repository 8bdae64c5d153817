#include "sandbox/query.hpp"

#include <simdjson.h>

#include <charconv>

namespace taskbarge::sandbox {

namespace {

std::string decoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned value = 0;
        if (text[i] == '%' && i + 2 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
            out.push_back(static_cast<char>(value));
            i += 2;
        } else {
            out.push_back(text[i] == '+' ? ' ' : text[i]);
        }
    }
    return out;
}

}  // namespace

request_target::request_target(std::string_view target) : path(target.substr(0, target.find('?'))) {
    std::string_view rest = path.size() < target.size() ? target.substr(path.size() + 1) : std::string_view();
    while (!rest.empty()) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(pair.size() < rest.size() ? pair.size() + 1 : rest.size());
        const auto equals = pair.find('=');
        const auto value = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        parameters.emplace_back(decoded(pair.substr(0, equals)), decoded(value));
    }
}

namespace {

std::string parameter_text(const simdjson::dom::element& value) {
    std::string_view text;
    return value.get(text) == simdjson::SUCCESS ? std::string(text) : simdjson::to_string(value);
}

}  // namespace

bool request_target::add_body(std::string_view body) {
    if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return true;
    simdjson::dom::parser parser;
    simdjson::dom::object object;
    if (parser.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) return false;
    for (const auto& [key, value] : object) {
        simdjson::dom::array entries;
        if (value.is_null()) continue;
        if (value.get(entries) != simdjson::SUCCESS) {
            parameters.emplace_back(key, parameter_text(value));
            continue;
        }
        std::string name(key);
        if (!name.ends_with("[]")) name += "[]";
        for (const simdjson::dom::element entry : entries)
            parameters.emplace_back(name, parameter_text(entry));
    }
    return true;
}

std::vector<std::string> request_target::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : parameters) {
        if (key == name) values.push_back(value);
    }
    return values;
}

std::string_view request_target::get(std::string_view name) const {
    for (auto it = parameters.rbegin(); it != parameters.rend(); ++it) {
        if (it->first == name) return it->second;
    }
    return {};
}

std::uint64_t request_target::number(std::string_view name, std::uint64_t otherwise) const {
    const std::string_view text = get(name);
    std::uint32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value > 0 ? value : otherwise;
}

}  // namespace taskbarge::sandbox
