#include "reader/owner_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "reader/invisible.hpp"
#include "reader/text.hpp"
#include "reader/word_rules.hpp"
#include "taskbarge/core/object_id.hpp"

namespace taskbarge::reader {
namespace {

constexpr std::string_view every_other = "*";

// "Dana  Reyes" and "dana reyes" are one name.
std::string same_name(std::string_view text) {
    std::string out;
    for (const char c : lower_case(trimmed(plain_name(text))))
        if (c != ' ' || !out.ends_with(' ')) out += c;
    return out;
}

// The address in "Dana Reyes (dana@example.com)", "Dana Reyes <dana@example.com>" and "[dana@example.com]"; else all of
// it.
std::string_view address_in(std::string_view text) {
    text = trimmed(text);
    const auto open = text.find_last_of("(<[");
    const auto close = text.find_last_of(")>]");
    if (open == std::string_view::npos || close != text.size() - 1) return text;
    const auto within = trimmed(text.substr(open + 1, close - open - 1));
    // Of two people none is the owner.
    return within.find('@') != std::string_view::npos && std::count(text.begin(), text.end(), '@') == 1 ? within : text;
}

std::string key_of(std::string_view owner) {
    const auto address = address_in(owner);
    return address.find('@') != std::string_view::npos ? lower_case(trimmed(address)) : same_name(owner);
}

}  // namespace

owner_rules::owner_rules(const core::word_map& values, owner_directory directory) : directory_(std::move(directory)) {
    for (const auto& [word, meaning] : values)
        values_.emplace(word == every_other ? word : same_name(word), meaning);
}

std::optional<std::string_view> owner_rules::meaning_of(std::string_view cell) const {
    if (values_.empty()) return std::nullopt;
    const auto found = values_.find(same_name(cell));
    return found == values_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

std::optional<std::string_view> owner_rules::meaning_of_others() const {
    const auto found = values_.find(std::string(every_other));
    return found == values_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

void owner_rules::look_up() {
    if (!directory_) return;
    const auto users = std::exchange(directory_, nullptr)();
    if (!users) {
        failure_ = users.error();
        return;
    }
    std::map<std::string, std::string> id_of_name;
    std::set<std::string> seen;
    for (const auto& user : *users) {
        auto id = core::canonical_id(user.id);
        if (!seen.insert(id).second) continue;  // listed twice, as pages shift
        if (!user.email.empty()) {
            id_of_[lower_case(user.email)] = id;
            known_.push_back(lower_case(user.email));
        }
        if (user.name.empty()) continue;
        addresses_of_name_[same_name(user.name)].push_back(user.email.empty() ? user.id : lower_case(user.email));
        id_of_name[same_name(user.name)] = std::move(id);
    }
    for (const auto& [name, addresses] : addresses_of_name_) {
        known_.push_back(name);
        if (addresses.size() == 1) id_of_.emplace(name, id_of_name[name]);
    }
}

std::optional<std::string> owner_rules::find(std::string_view owner, std::string_view& id) {
    look_up();
    const auto key = key_of(owner);
    if (const auto known = id_of_.find(key); known != id_of_.end()) {
        id = known->second;
        return std::nullopt;
    }
    auto found = reasons_.find(key);
    if (found == reasons_.end()) {
        constexpr std::size_t enough = 1024;
        if (reasons_.size() >= enough) reasons_.clear();
        found = reasons_.emplace(key, why_unknown(owner, key)).first;
    }
    return found->second;
}

std::string owner_rules::why_unknown(std::string_view owner, const std::string& key) const {
    if (const auto several = addresses_of_name_.find(key); several != addresses_of_name_.end())
        return fmt::format(
            "{} Apollo users are called {}: {}; write the address, or say which one under [values.owner]",
            several->second.size(), shown(owner), listed(several->second));
    const bool address = key.find('@') != std::string::npos;
    const auto closest = nearest(key, known_);
    return fmt::format("no Apollo user {} {}{}", address ? "has the address" : "is called",
                       shown(address ? std::string_view(key) : owner),
                       closest.empty() ? "" : "; the nearest is " + closest);
}

}  // namespace taskbarge::reader
