#include "service/inbox/note_file.hpp"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <boost/url/encode.hpp>
#include <boost/url/grammar/lut_chars.hpp>
#include <boost/url/pct_string_view.hpp>
#include <optional>
#include <string_view>

#include "service/inbox/item_names.hpp"
#include "taskbarge/core/json_text.hpp"

namespace taskbarge::service::inbox {

namespace {

// A file's name may be any bytes, JSON is UTF-8: what is not plain ASCII is written as %XX.
std::string escaped(std::string_view bytes) {
    constexpr boost::urls::grammar::lut_chars plain([](char c) { return c > 0x20 && c < 0x7F && c != '%'; });
    return boost::urls::encode(bytes, plain);
}

std::optional<std::string> unescaped(std::string_view text) {
    const auto checked = boost::urls::make_pct_string_view(text);
    if (!checked) return std::nullopt;
    return checked->decode();
}

core::failure wrong(std::string_view what) {
    return {core::errc::input, fmt::format("{} has {}", note_file, what)};
}

std::optional<std::string_view> text_of(const simdjson::dom::element& note, std::string_view key) {
    std::string_view out;
    if (note[key].get(out) != simdjson::SUCCESS) return std::nullopt;
    return out;
}

core::result<std::string> dropped_name(const simdjson::dom::element& note) {
    const auto text = text_of(note, "dropped_as");
    if (!text) return std::string();
    auto name = unescaped(*text);
    // It becomes part of a path when settings are given back.
    if (!name || !is_segment(*name)) return wrong("a wrong 'dropped_as'");
    return *name;
}

core::result<std::string> ticket_of(const simdjson::dom::element& note) {
    const auto text = text_of(note, "ticket").value_or("");
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (text.size() != ticket_length || !std::all_of(text.begin(), text.end(), is_hex))
        return wrong("no usable 'ticket'");
    return std::string(text);
}

}  // namespace

std::string note_text(const stored_note& stored) {
    std::string out;
    core::json_object o(out);
    o.text("name", stored.note.name);
    o.text("origin", stored.note.origin);
    o.text("taken_at", core::to_rfc3339(stored.note.taken_at));
    o.number("first_rows", stored.note.first_rows);
    o.truth("again", stored.note.again);
    if (stored.note.held) o.truth("held", true);
    if (!stored.dropped_as.empty()) o.text("dropped_as", escaped(stored.dropped_as));
    o.text("ticket", stored.ticket);
    o.close();
    return out + "\n";
}

core::result<stored_note> parse_note(const std::string& text) {
    simdjson::dom::parser parser;
    simdjson::dom::element note;
    if (const auto error = parser.parse(text).get(note); error != simdjson::SUCCESS || !note.is_object())
        return wrong("no JSON object");
    const auto name = text_of(note, "name");
    const auto origin = text_of(note, "origin");
    const auto taken_at = core::parse_rfc3339(text_of(note, "taken_at").value_or(""));
    stored_note out;
    if (!name || !check_name(*name)) return wrong("no usable 'name'");
    if (!origin || (*origin != "inbox" && *origin != "upload" && *origin != "path")) return wrong("no known 'origin'");
    if (!taken_at) return wrong("no usable 'taken_at'");
    if (note["first_rows"].get(out.note.first_rows) != simdjson::SUCCESS) return wrong("no usable 'first_rows'");
    if (note["again"].get(out.note.again) != simdjson::SUCCESS) return wrong("no usable 'again'");
    if (const auto held = note["held"];
        held.error() == simdjson::SUCCESS && held.get(out.note.held) != simdjson::SUCCESS)
        return wrong("no usable 'held'");
    auto dropped_as = dropped_name(note);
    if (!dropped_as) return dropped_as.error();
    auto ticket = ticket_of(note);
    if (!ticket) return ticket.error();
    out.ticket = std::move(*ticket);
    out.note.name = *name;
    out.note.origin = *origin;
    out.note.taken_at = *taken_at;
    out.dropped_as = std::move(*dropped_as);
    return out;
}

}  // namespace taskbarge::service::inbox
