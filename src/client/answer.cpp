#include "taskbarge/client/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "client/json_values.hpp"
#include "client/server_message.hpp"
#include "client/text.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::client {

namespace {

using std::string_view_literals::operator""sv;
namespace dom = simdjson::dom;

bool mentions(std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
}

// Whether a refusal is about how many contacts there are, so that fewer may pass. A limit on a text's length is not.
bool speaks_of_too_many(std::string_view message) {
    const std::string text = lower_case(message);
    constexpr std::array about_length{"character"sv, "too long"sv, "length"sv};
    constexpr std::array about_number{"too many"sv, "maximum"sv, "at most"sv, "limit"sv, "exceed"sv, "no more than"sv};
    const auto in_text = [&](std::string_view word) { return mentions(text, word); };
    return std::none_of(about_length.begin(), about_length.end(), in_text) &&
           std::any_of(about_number.begin(), about_number.end(), in_text);
}

create_answer unreadable(std::string why) {
    return {create_verdict::doubtful, {}, "answer_unreadable", one_line(why)};
}

// What a 200 says. Nothing but a clear success with a list of tasks is one.
create_answer read_created(const exchange& x) {
    dom::element root;
    if (const auto error = parse_json(x.body).get(root))
        return unreadable(
            fmt::format("status 200, but the body is no JSON: {}", message_or(x, simdjson::error_message(error))));
    dom::object object;
    if (root.get_object().get(object)) return unreadable("status 200, but the body is no JSON object");
    bool success = false;
    if (object.at_key("success").get_bool().get(success) || !success)
        return {create_verdict::doubtful, {}, "no_success", message_or(x, "status 200 without success")};
    dom::array tasks;
    if (object.at_key("tasks").get_array().get(tasks)) return unreadable("status 200 without a list of tasks");

    create_answer answer{create_verdict::created, {}, "created", {}};
    answer.tasks.contact_ids.reserve(tasks.size(), core::object_id_size);
    answer.tasks.task_ids.reserve(tasks.size(), core::object_id_size);
    for (const dom::element entry : tasks) {
        dom::object task;
        if (entry.get_object().get(task)) continue;
        std::string_view contact, id;
        text_members(task, {{"id", &id}, {"contact_id", &contact}});
        if (contact.empty() || id.empty()) continue;
        if (core::spelling_of(contact) == core::id_spelling::with_capitals)
            answer.tasks.add(core::canonical_id(contact), id);
        else
            answer.tasks.add(contact, id);
    }
    return answer;
}

create_answer read_refusal(const exchange& x) {
    std::string message = message_or(x, "no reason given");
    if (x.status == 413 || speaks_of_too_many(message))
        return {create_verdict::too_many, {}, "too_many_contacts", std::move(message)};
    return {create_verdict::refused, {}, fmt::format("refused_{}", x.status), std::move(message)};
}

}  // namespace

create_answer classify_bulk_create(const exchange& x) {
    if (x.reach == reach::not_sent) return {create_verdict::not_sent, {}, x.error_code, one_line(x.error_text)};
    if (x.reach == reach::no_answer) return {create_verdict::doubtful, {}, x.error_code, one_line(x.error_text)};
    switch (x.status) {
        case 200:
            return read_created(x);
        case 400:
        case 413:
        case 422:
            return read_refusal(x);
        case 401:
            return {create_verdict::unauthorized, {}, "unauthorized", message_or(x, "the API key is not accepted")};
        case 403:
            return {create_verdict::forbidden, {}, "forbidden", message_or(x, "the API key has no right to this")};
        case 429:
            return {create_verdict::throttled, {}, "throttled", message_or(x, "too many requests")};
        default:
            return {create_verdict::doubtful,
                    {},
                    fmt::format("http_{}", x.status),
                    message_or(x, fmt::format("status {}", x.status))};
    }
}

}  // namespace taskbarge::client
