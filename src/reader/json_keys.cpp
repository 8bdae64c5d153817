#include "reader/json_keys.hpp"

#include <algorithm>

#include "reader/invisible.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::size_t most_known = 256;     // different keys remembered of a file
constexpr std::size_t most_reported = 100;  // unused keys named in the report

}  // namespace

json_keys::json_keys(const name_rules& rules, file_report& report) : rules_(rules), report_(report) {
    for (const field f : all_fields)
        if (f == field::note && !rules_.note().empty())
            report_.columns.push_back(
                {std::string(to_string(f)), rules_.note().text(), std::string(to_string(name_match::settings))});
        else if (rules_.has_default(f))
            report_.columns.push_back(from_default(f));
}

json_key& json_keys::find(std::string_view name, std::size_t place) {
    if (place < known_.size() && known_[place].name == name) return known_[place];
    const auto found = std::find_if(known_.begin(), known_.end(), [&](const json_key& k) { return k.name == name; });
    if (found != known_.end()) return *found;
    if (known_.size() >= most_known) return passing_ = understand(name);
    json_key& fresh = known_.emplace_back(understand(name));
    fresh.remembered = true;
    report(fresh);
    return fresh;
}

json_key json_keys::understand(std::string_view name) const {
    json_key key;
    key.name = name;
    key.match = rules_.match(name);
    key.is_contact_ids = !key.match && normalised(name) == "contactids";
    return key;
}

void json_keys::report(const json_key& key) {
    if (!key.match && !key.is_contact_ids) {
        if (name_rules::is_error_column(key.name) || rules_.ignores(key.name) || rules_.is_part_of_note(key.name))
            return;
        if (report_.unused.size() + report_.passed_over.size() >= most_reported) return;
        if (auto why = rules_.why_not(key.name); !why.empty())
            report_.passed_over.push_back({plain_name(key.name), std::move(why)});
        else
            report_.unused.push_back(plain_name(key.name));
        return;
    }
    const std::string_view at = to_string(key.match ? key.match->at : field::contact_id);
    std::erase_if(report_.columns, [&](const mapped_column& c) { return c.field == at && c.column.empty(); });
    report_.columns.push_back(
        {std::string(at), plain_name(key.name), std::string(to_string(key.match ? key.match->how : name_match::name))});
}

}  // namespace taskbarge::reader
