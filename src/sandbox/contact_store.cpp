#include "sandbox/contact_store.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace taskbarge::sandbox {

namespace {

constexpr char between_fields = '\n';
constexpr char between_entries = '\t';
// Pages of so many different filters are quick at the same time.
constexpr std::size_t answered_at_most = 24;
// Fewer new contacts are inserted one by one.
constexpr std::size_t sorted_at_once = 64;

// What parts the texts in a record does not belong in them.
void append_clean(std::string& to, std::string_view text) {
    for (const char c : text)
        to.push_back(c == between_fields || c == between_entries ? ' ' : c);
}

void append_entries(std::string& to, const std::vector<std::string>& entries) {
    for (const std::string& entry : entries) {
        append_clean(to, entry);
        to.push_back(between_entries);
    }
    to.push_back(between_fields);
}

// What stands before the next `mark`, which is taken away with it.
std::string_view cut_before(std::string_view& text, char mark) {
    const std::string_view part = text.substr(0, text.find(mark));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
}

std::vector<std::string> read_entries(std::string_view text) {
    std::vector<std::string> entries;
    while (!text.empty())
        entries.emplace_back(cut_before(text, between_entries));
    return entries;
}

// 15 and 18 characters are the same id.
std::string_view salesforce_part(std::string_view id) {
    return id.substr(0, 15);
}

bool has_address(const stored_contact& c, std::string_view lower_address, bool in_all) {
    if (core::lower_case(c.email) == lower_address) return true;
    return in_all && std::ranges::any_of(c.other_emails,
                                         [&](const std::string& e) { return core::lower_case(e) == lower_address; });
}

bool has_word(std::string_view text, std::string_view wanted) {
    bool has = false;
    for_each_word(text, [&](std::string_view word) { has = has || word == wanted; });
    return has;
}

// Keywords as they are looked for. An address finds the contact that has it, and whoever has a word of it in name,
// title or employer; else all the words must be there.
class keyword_match {
 public:
    keyword_match(std::string_view keywords, bool in_all_addresses) : in_all_(in_all_addresses) {
        const auto at = keywords.find('@');
        if (at == std::string_view::npos || keywords.find(' ') != std::string_view::npos) {
            add_words(keywords);
            return;
        }
        address_ = core::lower_case(keywords);
        marks_.emplace_back(text_marks::kind::address, address_);
        add_words(keywords.substr(0, at));
        const std::string_view domain = keywords.substr(at + 1);
        add_words(domain.substr(0, domain.find('.')));
    }

    bool may_match(const text_marks& marks) const {
        const auto marked = [&](const text_marks& mark) { return marks.has(mark); };
        if (address_.empty()) return std::ranges::all_of(marks_, marked);
        return std::ranges::any_of(marks_, marked);
    }

    bool matches(const stored_contact& c) const {
        const auto of_person = [&](const std::string& word) {
            return has_word(c.first_name, word) || has_word(c.last_name, word) || has_word(c.title, word) ||
                   has_word(c.organization_name, word);
        };
        if (!address_.empty()) return has_address(c, address_, in_all_) || std::ranges::any_of(words_, of_person);
        const auto anywhere = [&](const std::string& word) {
            return of_person(word) || has_word(c.email, word) ||
                   (in_all_ &&
                    std::ranges::any_of(c.other_emails, [&](const std::string& e) { return has_word(e, word); }));
        };
        return !words_.empty() && std::ranges::all_of(words_, anywhere);
    }

 private:
    void add_words(std::string_view text) {
        for_each_word(text, [this](std::string_view word) {
            words_.emplace_back(word);
            marks_.emplace_back(text_marks::kind::word, word);
        });
    }

    bool in_all_;
    std::string address_;  // empty: these are words
    std::vector<std::string> words_;
    std::vector<text_marks> marks_;  // of each word and of the address
};

std::string name_of(const contact_query& q) {
    std::string name = q.keywords;
    name.push_back(q.in_all_addresses ? '+' : '-');
    name.push_back(static_cast<char>('0' + static_cast<int>(q.order)));
    for (const auto* ids : {&q.stages, &q.labels}) {
        name.push_back('\n');
        for (const std::string& id : *ids)
            name.append(id).push_back(' ');
    }
    return name;
}

}  // namespace

text_marks contact_store::marks_of(const stored_contact& c) {
    using enum text_marks::kind;
    text_marks marks;
    const auto add_words = [&](std::string_view text) {
        for_each_word(text, [&](std::string_view part) { marks.add(word, part); });
    };
    for (const std::string* text : {&c.first_name, &c.last_name, &c.title, &c.organization_name, &c.email})
        add_words(*text);
    marks.add(address, core::lower_case(c.email));
    for (const std::string& email : c.other_emails) {
        add_words(email);
        marks.add(address, core::lower_case(email));
    }
    for (const std::string* id : {&c.salesforce_id, &c.salesforce_lead_id, &c.salesforce_contact_id}) {
        if (!id->empty()) marks.add(salesforce, salesforce_part(*id));
    }
    if (!c.hubspot_vid.empty()) marks.add(hubspot, c.hubspot_vid);
    return marks;
}

contact_store::record contact_store::pack(const stored_contact& c) {
    record r;
    for (const contact_field& field : contact_fields) {
        if (field.text != &stored_contact::contact_stage_id) append_clean(r.text, c.*field.text);
        r.text.push_back(between_fields);
    }
    append_entries(r.text, c.other_emails);
    append_entries(r.text, c.merged_crm_ids);
    r.text.shrink_to_fit();
    r.times = {c.created_at, c.updated_at, c.last_activity_at.value_or(core::instant::min())};
    const auto [stage, new_stage] =
        stage_numbers_.try_emplace(c.contact_stage_id, static_cast<std::uint32_t>(stages_.size()));
    if (new_stage) stages_.push_back(c.contact_stage_id);
    r.stage = stage->second;
    const auto [set, new_set] =
        label_set_numbers_.try_emplace(c.label_ids, static_cast<std::uint32_t>(label_sets_.size()));
    if (new_set) label_sets_.push_back(c.label_ids);
    r.labels = set->second;
    return r;
}

stored_contact contact_store::at(index i) const {
    const record& r = records_[i];
    stored_contact c;
    std::string_view rest = r.text;
    for (const contact_field& field : contact_fields)
        c.*field.text = cut_before(rest, between_fields);
    c.other_emails = read_entries(cut_before(rest, between_fields));
    c.merged_crm_ids = read_entries(cut_before(rest, between_fields));
    c.contact_stage_id = stages_[r.stage];
    c.label_ids = label_sets_[r.labels];
    c.created_at = r.times[0];
    c.updated_at = r.times[1];
    if (r.times[2] > core::instant::min()) c.last_activity_at = r.times[2];
    return c;
}

std::optional<contact_store::index> contact_store::add(const stored_contact& c, time_point visible_at) {
    const auto i = static_cast<index>(records_.size());
    if (!numbers_.try_emplace(core::canonical_id(c.id), i).second) return std::nullopt;
    records_.push_back(pack(c));
    marks_.push_back(marks_of(c));
    if (visible_at == time_point::min()) {
        show(i);
    } else {
        hidden_.emplace(visible_at, i);
    }
    return i;
}

void contact_store::change(index i, const stored_contact& c) {
    const bool shown = records_[i].shown;
    if (shown) hide(i);
    records_[i] = pack(c);
    marks_[i] = marks_of(c);
    if (shown) show(i);
}

void contact_store::remove(index i) {
    if (records_[i].shown) hide(i);
    std::erase_if(hidden_, [i](const auto& entry) { return entry.second == i; });
    const std::string id = core::canonical_id(at(i).id);
    numbers_.erase(id);
    removed_.insert(id);
    records_[i] = {};
}

std::optional<contact_store::index> contact_store::find(std::string_view id) const {
    const auto it = numbers_.find(core::canonical_id(id));
    return it != numbers_.end() ? std::optional(it->second) : std::nullopt;
}

std::optional<contact_store::index> contact_store::any(std::uint64_t mixed) const {
    if (numbers_.empty()) return std::nullopt;
    auto i = static_cast<index>(mixed % records_.size());
    while (records_[i].text.empty())
        i = static_cast<index>((i + 1) % records_.size());
    return i;
}

void contact_store::for_each(const std::function<void(const stored_contact&)>& visit) const {
    for (index i = 0; i < records_.size(); ++i) {
        if (!records_[i].text.empty()) visit(at(i));
    }
}

// Where a contact stands in an order.
auto contact_store::place_of(contact_order order, index i) const {
    return std::pair(records_[i].times[static_cast<std::size_t>(order)], mix(seed_, i));
}

void contact_store::show(index i) {
    records_[i].shown = true;
    unordered_.push_back(i);
    answered_.clear();
}

void contact_store::hide(index i) {
    settle();
    for (std::size_t n = 0; n < contact_orders; ++n) {
        const auto order = static_cast<contact_order>(n);
        list& l = orders_[n];
        l.erase(std::ranges::lower_bound(l, place_of(order, i), {}, [&](index at) { return place_of(order, at); }));
    }
    records_[i].shown = false;
    answered_.clear();
}

void contact_store::reveal(time_point now) {
    const auto end = hidden_.upper_bound(now);
    for (auto it = hidden_.begin(); it != end; ++it)
        show(it->second);
    hidden_.erase(hidden_.begin(), end);
}

void contact_store::settle() {
    if (unordered_.empty()) return;
    for (std::size_t n = 0; n < contact_orders; ++n) {
        const auto order = static_cast<contact_order>(n);
        list& l = orders_[n];
        const auto place = [&](index i) { return place_of(order, i); };
        if (unordered_.size() < sorted_at_once) {
            for (const index i : unordered_)
                l.insert(std::ranges::upper_bound(l, place(i), {}, place), i);
            continue;
        }
        std::vector<std::pair<decltype(place(0)), index>> all;
        all.reserve(l.size() + unordered_.size());
        for (const auto* part : {&l, &unordered_}) {
            for (const index i : *part)
                all.emplace_back(place(i), i);
        }
        std::sort(all.begin(), all.end());
        l.resize(all.size());
        std::ranges::transform(all, l.begin(), [](const auto& entry) { return entry.second; });
    }
    unordered_.clear();
}

const contact_store::list& contact_store::matching(const contact_query& query) {
    const list& all = orders_[static_cast<std::size_t>(query.order)];
    if (query.keywords.empty() && query.stages.empty() && query.labels.empty()) return all;
    if (answered_.size() >= answered_at_most) answered_.clear();
    const auto [it, fresh] = answered_.try_emplace(name_of(query));
    if (!fresh) return it->second;

    const auto wanted = [](const std::vector<std::string>& asked, std::string_view id) {
        return asked.empty() || std::ranges::find(asked, id) != asked.end();
    };
    std::vector<bool> stages, sets;
    for (const std::string& id : stages_)
        stages.push_back(wanted(query.stages, id) && (query.stages.empty() || !id.empty()));
    for (const auto& set : label_sets_) {
        sets.push_back(query.labels.empty() ||
                       std::ranges::any_of(set, [&](const std::string& id) { return wanted(query.labels, id); }));
    }
    // In the order of memory, which is much quicker than that of the list.
    const keyword_match keywords(query.keywords, query.in_all_addresses);
    std::vector<std::pair<decltype(place_of(query.order, 0)), index>> hits;
    for (index i = 0; i < records_.size(); ++i) {
        if (!query.keywords.empty() && !keywords.may_match(marks_[i])) continue;
        const record& r = records_[i];
        if (!r.shown || !stages[r.stage] || !sets[r.labels]) continue;
        if (query.keywords.empty() || keywords.matches(at(i))) hits.emplace_back(place_of(query.order, i), i);
    }
    std::ranges::sort(hits);
    std::ranges::transform(hits, std::back_inserter(it->second), [](const auto& hit) { return hit.second; });
    return it->second;
}

contact_store::found contact_store::search(const contact_query& query, std::uint64_t offset, std::uint64_t count,
                                           time_point now) {
    reveal(now);
    settle();
    const list& all = matching(query);
    found result{all.size(), {}};
    for (std::uint64_t n = offset; n < all.size() && n - offset < count; ++n)
        result.contacts.push_back(query.ascending ? all[n] : all[all.size() - 1 - n]);
    return result;
}

std::optional<contact_store::index> contact_store::first_shown(
    text_marks::kind kind, std::string_view text, const std::function<bool(const stored_contact&)>& same) const {
    const text_marks wanted(kind, text);
    for (index i = 0; i < marks_.size(); ++i) {
        if (marks_[i].has(wanted) && records_[i].shown && same(at(i))) return i;
    }
    return std::nullopt;
}

std::optional<contact_store::index> contact_store::same_as(const stored_contact& c, time_point now) {
    reveal(now);
    if (const auto i = find(c.id); i && records_[*i].shown) return i;
    for (const std::string* id : {&c.salesforce_id, &c.salesforce_contact_id, &c.salesforce_lead_id}) {
        if (id->empty()) continue;
        const auto wanted = salesforce_part(*id);
        const auto has = [&](const stored_contact& other) {
            return salesforce_part(other.salesforce_id) == wanted ||
                   salesforce_part(other.salesforce_contact_id) == wanted ||
                   salesforce_part(other.salesforce_lead_id) == wanted;
        };
        if (const auto i = first_shown(text_marks::kind::salesforce, wanted, has)) return i;
    }
    if (!c.hubspot_vid.empty()) {
        const auto has = [&](const stored_contact& other) { return other.hubspot_vid == c.hubspot_vid; };
        if (const auto i = first_shown(text_marks::kind::hubspot, c.hubspot_vid, has)) return i;
    }
    std::vector<std::string> addresses = c.other_emails;
    addresses.insert(addresses.begin(), c.email);
    for (const std::string& address : addresses) {
        if (address.empty()) continue;
        const std::string wanted = core::lower_case(address);
        const auto has = [&](const stored_contact& other) { return has_address(other, wanted, true); };
        if (const auto i = first_shown(text_marks::kind::address, wanted, has)) return i;
    }
    return std::nullopt;
}

std::map<std::string, std::uint64_t> contact_store::count_labels() const {
    std::map<std::string, std::uint64_t> counts;
    for (const record& r : records_) {
        if (r.text.empty()) continue;
        for (const std::string& id : label_sets_[r.labels])
            ++counts[id];
    }
    return counts;
}

}  // namespace taskbarge::sandbox
