#include "reader/json_keys.hpp"

#include <algorithm>

namespace taskbarge::reader {
namespace {

constexpr std::size_t most_known = 256;     // different keys remembered of a file
constexpr std::size_t most_reported = 100;  // unused keys named in the report

}  // namespace

json_keys::json_keys(const name_rules& rules, file_report& report) : rules_(rules), report_(report) {
    for (const field f : all_fields)
        if (rules_.has_default(f)) report_.columns.push_back(from_default(f));
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
    // As in files with a header: a mere alias must not override the default owner.
    if (key.match && key.match->at == field::owner_email && key.match->how == name_match::alias &&
        rules_.has_default(field::user_id))
        key.match.reset();
    key.is_contact_ids = !key.match && normalised(name) == "contactids";
    return key;
}

void json_keys::report(const json_key& key) {
    if (!key.match && !key.is_contact_ids) {
        if (!name_rules::is_error_column(key.name) && report_.unused.size() < most_reported)
            report_.unused.push_back(key.name);
        return;
    }
    const std::string_view at = to_string(key.match ? key.match->at : field::contact_id);
    std::erase_if(report_.columns, [&](const mapped_column& c) { return c.field == at && c.column.empty(); });
    report_.columns.push_back(
        {std::string(at), key.name, std::string(to_string(key.match ? key.match->how : name_match::name))});
}

}  // namespace taskbarge::reader
