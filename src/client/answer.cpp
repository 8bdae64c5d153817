#include "taskbarge/client/answer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/unordered/unordered_flat_set.hpp>
#include <cctype>
#include <string>

#include "client/json_values.hpp"
#include "client/server_message.hpp"
#include "client/text.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::client {

namespace {

using namespace std::string_view_literals;
namespace dom = simdjson::dom;

bool mentions(std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
}

// Whether a refusal may be about how many contacts there are. A limit on a text's length is not. No more than a hint:
// what it means is seen from what passes.
bool speaks_of_too_many(std::string_view message) {
    const std::string text = lower_case(message);
    constexpr std::array about_length{"character"sv, "too long"sv, "length"sv};
    constexpr std::array about_number{"too many"sv, "maximum"sv, "at most"sv, "limit"sv, "exceed"sv, "no more than"sv};
    const auto in_text = [&](std::string_view word) { return mentions(text, word); };
    const bool length = std::any_of(about_length.begin(), about_length.end(), in_text);
    const bool number = std::any_of(about_number.begin(), about_number.end(), in_text);
    return in_text("contact_ids") ? length || number : number && !length;
}

create_answer unreadable(const std::string& why) {
    return {create_verdict::doubtful, {}, "answer_unreadable", one_line(why)};
}

// What is read of a task in an answer. Empty: it is absent or of another type.
struct named_task {
    std::string_view id, contact, type, user, due, note, created;
};

// The place of a member, and its bit.
std::pair<std::string_view*, unsigned> place_of(std::string_view key, named_task& t) {
    switch (key.size()) {
        case 2:
            if (key == "id") return {&t.id, 1U};
            break;
        case 4:
            if (key == "type") return {&t.type, 2U};
            if (key == "note") return {&t.note, 4U};
            break;
        case 6:
            if (key == "due_at") return {&t.due, 8U};
            break;
        case 7:
            if (key == "user_id") return {&t.user, 16U};
            break;
        case 10:
            if (key == "contact_id") return {&t.contact, 32U};
            if (key == "created_at") return {&t.created, 64U};
            break;
        default:
            break;
    }
    return {nullptr, 0};
}

// One pass, which ends with the last of them. Of two members with one key the first counts.
named_task read_named(const dom::object& object) {
    constexpr unsigned all = 127;
    named_task task;
    unsigned found = 0;
    for (const auto [key, value] : object) {
        const auto [member, bit] = place_of(key, task);
        if (member == nullptr || (found & bit) != 0) continue;
        found |= bit;
        std::string_view text;
        if (value.get_string().get(text) == simdjson::SUCCESS) *member = text;
        if (found == all) break;
    }
    return task;
}

bool is_blank(char c) {
    return static_cast<unsigned char>(c) <= 0x20;
}

// Whether two texts have the same words: runs of blanks are one, those around the text none.
bool same_words(std::string_view a, std::string_view b) {
    if (a == b) return true;
    const auto skip = [](std::string_view text, std::size_t at) {
        while (at < text.size() && is_blank(text[at]))
            ++at;
        return at;
    };
    std::size_t i = skip(a, 0), j = skip(b, 0);
    while (i < a.size() && j < b.size()) {
        const bool gap = is_blank(a[i]);
        if (gap != is_blank(b[j]) || (!gap && a[i] != b[j])) break;
        i = gap ? skip(a, i) : i + 1;
        j = gap ? skip(b, j) : j + 1;
    }
    return skip(a, i) == a.size() && skip(b, j) == b.size();
}

// What is left of a text without what a server may change when it tidies it: words of letters, digits and what is not
// ASCII. `tags`: also without HTML tags and entities, which it may have added.
std::string bare_text(std::string_view text, bool tags) {
    constexpr std::size_t longest_entity = 10;
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto end = !tags || (c != '<' && c != '&') ? std::string_view::npos : text.find(c == '<' ? '>' : ';', i);
        const bool markup = end != std::string_view::npos && (c == '<' || end - i < longest_entity);
        if (markup) i = end;
        if (!markup && (static_cast<unsigned char>(c) >= 0x80 || std::isalnum(static_cast<unsigned char>(c)) != 0))
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    if (!out.empty() && out.back() == ' ') out.pop_back();
    return out;
}

// Whether the note may be what became of the one that was sent.
bool same_note(std::string_view seen, std::string_view sent) {
    if (same_words(seen, sent)) return true;
    const auto bare = bare_text(seen, true);
    return bare == bare_text(sent, false) || bare == bare_text(sent, true);
}

bool same_id(std::string_view a, std::string_view b) {
    if (a == b) return true;
    return a.size() == b.size() && core::canonical_id(a) == core::canonical_id(b);
}

// Holds the tasks of one answer against what was asked for. What they do not have differs in nothing.
class comparison {
 public:
    explicit comparison(const core::task_view& asked) : asked_(asked), type_(core::to_string(asked.type)) {}

    // The member that differs; empty: none.
    std::string_view difference(const named_task& task) {
        if (!task.type.empty() && task.type != type_) return "type";
        if (!task.user.empty() && !same_id(task.user, asked_.user_id)) return "user_id";
        if (!due_fits(task.due)) return "due_at";
        if (!task.note.empty() && !same_note(task.note, asked_.note)) return "note";
        return {};
    }

 private:
    // All tasks of an answer write it alike: the text is read once.
    bool due_fits(std::string_view text) {
        if (text == last_due_) return last_fits_;
        const auto due = core::parse_rfc3339(text);
        using std::chrono::seconds;
        last_due_ = text;
        last_fits_ = !due || std::chrono::floor<seconds>(*due) == std::chrono::floor<seconds>(asked_.due_at);
        return last_fits_;
    }

    const core::task_view& asked_;
    const std::string_view type_;
    std::string_view last_due_;
    bool last_fits_ = true;
};

create_answer not_ours(std::string_view why, const named_task& task, const core::secret& key) {
    std::string text = fmt::format("{} (task {}, contact {})", why, task.id, task.contact);
    key.erase_from(text);
    return {create_verdict::doubtful, {}, "answer_not_ours", one_line(text)};
}

// What a 200 or 201 says. Nothing but a clear success with a list of tasks is one.
create_answer read_created(exchange& x, const core::task_view& asked, const core::secret& key) {
    dom::element root;
    if (const auto error = parse_json(x.body).get(root)) {
        key.erase_from(x.body);
        return unreadable(fmt::format("status {}, but the body is no JSON: {}", x.status,
                                      message_or(x, simdjson::error_message(error))));
    }
    dom::object object;
    if (root.get_object().get(object))
        return unreadable(fmt::format("status {}, but the body is no JSON object", x.status));
    bool success = false;
    if (object.at_key("success").get_bool().get(success) || !success) {
        key.erase_from(x.body);
        return {create_verdict::doubtful,
                {},
                "no_success",
                message_or(x, fmt::format("status {} without success", x.status))};
    }
    dom::array tasks;
    if (object.at_key("tasks").get_array().get(tasks))
        return unreadable(fmt::format("status {} without a list of tasks", x.status));

    create_answer answer{create_verdict::created, {}, "created", {}};
    constexpr std::size_t most_foreseen = 1000;
    const auto foreseen = std::min(tasks.size(), most_foreseen);
    answer.tasks.contact_ids.reserve(foreseen, core::object_id_size);
    answer.tasks.task_ids.reserve(foreseen, core::object_id_size);
    boost::unordered_flat_set<std::string_view> ids(foreseen);
    comparison with_asked(asked);
    for (const dom::element entry : tasks) {
        dom::object members;
        if (entry.get_object().get(members)) continue;
        const auto task = read_named(members);
        if (task.contact.empty() || task.id.empty()) continue;
        if (key.is_in(task.id) || key.is_in(task.contact)) return not_ours("an id holds the API key", task, key);
        if (!ids.insert(task.id).second) return not_ours("a task is named twice", task, key);
        if (const auto member = with_asked.difference(task); !member.empty())
            return not_ours(fmt::format("the {} of a task is not the one that was sent", member), task, key);
        if (answer.tasks.empty()) answer.created_at = core::parse_rfc3339(task.created);
        if (core::spelling_of(task.contact) == core::id_spelling::with_capitals)
            answer.tasks.add(core::canonical_id(task.contact), task.id);
        else
            answer.tasks.add(task.contact, task.id);
    }
    return answer;
}

// By these statuses Apollo says that it did nothing, and others that they let nothing through.
bool says_no(int status) {
    constexpr std::array statuses{400, 401, 402, 403, 406, 411, 413, 414, 415, 421, 422, 426, 431, 451};
    return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

create_answer read_refusal(const exchange& x) {
    std::string message = message_or(x, "no reason given");
    if (x.status == 413 || speaks_of_too_many(message))
        return {create_verdict::too_many, {}, fmt::format("refused_{}", x.status), std::move(message)};
    return {create_verdict::refused, {}, fmt::format("refused_{}", x.status), std::move(message)};
}

create_answer read_answer(exchange& x, const core::task_view& asked, const core::secret& key) {
    if (x.reach == reach::not_sent) return {create_verdict::not_sent, {}, x.error_code, one_line(x.error_text)};
    if (x.reach == reach::no_answer) return {create_verdict::doubtful, {}, x.error_code, one_line(x.error_text)};
    if (x.status != 200 && x.status != 201) key.erase_from(x.body);
    const auto from = respondent_of(x);
    if (from == respondent::no_route)
        return {create_verdict::no_route, {}, "no_route", not_apollo(x, "tasks/bulk_create").text};
    if (from == respondent::gateway && says_no(x.status))
        return {create_verdict::gateway, {}, "gateway", not_apollo(x, "tasks/bulk_create").text};
    switch (x.status) {
        case 200:
        case 201:
            return read_created(x, asked, key);
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

}  // namespace

respondent respondent_of(const exchange& x) {
    if (x.reach != reach::answered) return respondent::apollo;
    if (x.status / 100 == 3 || x.status == 404 || x.status == 405 || x.status == 410) return respondent::no_route;
    if (x.status / 100 != 2 && !says_no(x.status)) return respondent::apollo;
    if (speaks_json(x.body) || (x.status == 401 && !is_page(x.body))) return respondent::apollo;
    // A refusal without a word says nothing of who gave it; a gateway has a page for it.
    if (x.body.empty() && (x.status == 400 || x.status == 413 || x.status == 422)) return respondent::apollo;
    return respondent::gateway;
}

core::failure not_apollo(const exchange& x, std::string_view route) {
    const auto words = message_or(x, "without a word");
    const auto trace = x.trace.empty() ? std::string() : fmt::format(" ({})", x.trace);
    if (respondent_of(x) == respondent::no_route) {
        const auto to = x.location.empty() ? std::string() : fmt::format(", Location {}", x.location);
        return {core::errc::settings,
                fmt::format("apollo.base_url leads to nothing of Apollo's: {} answered {}{}: {}{}; Apollo's own is "
                            "https://api.apollo.io/api/v1, and redirects are not followed",
                            route, x.status, to, words, trace)};
    }
    return {core::errc::unreachable,
            fmt::format("not Apollo, but something on the way to it answered {} with {}: {}{}; ask whoever runs the "
                        "network or the proxy",
                        route, x.status, words, trace)};
}

create_answer classify_bulk_create(exchange& x, const core::task_view& asked, const core::secret& key) {
    const json_use in_use;
    auto answer = read_answer(x, asked, key);
    // Of a clear success nothing but the ids is kept; they were looked at one by one.
    if (answer.verdict != create_verdict::created) {
        key.erase_from(x.body);
        key.erase_from(answer.message);
    }
    return answer;
}

}  // namespace taskbarge::client
