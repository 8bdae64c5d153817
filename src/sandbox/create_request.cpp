#include "sandbox/create_request.hpp"

#include "sandbox/texts.hpp"

namespace taskbarge::sandbox {

namespace {

namespace dom = simdjson::dom;

// The text under `key`; empty when it is absent, null or no text.
std::string_view text_of(const dom::object& object, std::string_view key) {
    std::string_view text;
    return object[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

// Apollo takes a time without an offset for GMT, and a bare date for its midnight.
std::optional<core::instant> read_due_at(std::string_view text) {
    if (const auto t = core::parse_rfc3339(text)) return t;
    if (const auto t = core::parse_rfc3339(std::string(text) + "Z")) return t;
    return core::parse_rfc3339(std::string(text) + "T00:00:00Z");
}

// The contacts; none at all when one entry is no text.
std::vector<std::string_view> read_contacts(const dom::object& object) {
    std::vector<std::string_view> contacts;
    dom::array entries;
    if (object["contact_ids"].get(entries) != simdjson::SUCCESS) return contacts;
    contacts.reserve(entries.size());
    for (const dom::element entry : entries) {
        std::string_view id;
        if (entry.get(id) != simdjson::SUCCESS || id.empty()) return {};
        contacts.push_back(id);
    }
    return contacts;
}

}  // namespace

or_answer<create_request> create_reader::read(std::string_view body) {
    dom::object object;
    if (parser_.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) {
        return error_answer(400, "There was a problem in the JSON you submitted");
    }
    create_request request;
    request.details.user_id = text_of(object, "user_id");
    request.details.note = text_of(object, "note");
    const std::string_view type_text = text_of(object, "type");
    if (type_text.empty() || request.details.user_id.empty()) {
        return error_answer(422, "type and user can not be blank");
    }
    request.contacts = read_contacts(object);
    if (request.contacts.empty()) return error_answer(422, "contact_ids can not be blank");
    const auto type = core::parse_task_type(type_text);
    if (!type) return error_answer(422, "type is not included in the list");
    request.details.type = *type;
    if (const std::string_view text = text_of(object, "priority"); !text.empty()) {
        const auto priority = core::parse_task_priority(text);
        if (!priority) return error_answer(422, "priority is not included in the list");
        request.details.priority = *priority;
    } else {
        request.details.priority = core::task_priority::medium;
    }
    const std::string_view status_text = text_of(object, "status");
    if (status_text.empty()) return error_answer(422, "status can not be blank");
    const auto status = core::parse_task_status(status_text);
    if (!status) return error_answer(422, "status is not included in the list");
    request.details.status = *status;
    const std::string_view due_text = text_of(object, "due_at");
    if (due_text.empty()) return error_answer(422, "due_at can not be blank");
    const auto due_at = read_due_at(due_text);
    if (!due_at) return error_answer(422, "due_at is not a valid date");
    request.details.due_at = *due_at;
    return request;
}

}  // namespace taskbarge::sandbox
