#include "sandbox/task_store.hpp"

#include <algorithm>
#include <cstring>

#include "sandbox/seeded.hpp"

namespace taskbarge::sandbox {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

// By character; -1 for what is no hex digit.
constexpr auto hex_values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 16; ++i) {
        const auto digit = static_cast<unsigned char>(hex_digits[i]);
        values[digit] = static_cast<std::int8_t>(i);
        if (i >= 10) values[digit - 'a' + 'A'] = static_cast<std::int8_t>(i);
    }
    return values;
}();

int hex_value(char c) {
    return hex_values[static_cast<unsigned char>(c)];
}

void write_hex(std::uint32_t v, char* to) {
    for (int shift = 28; shift >= 0; shift -= 4)
        *to++ = hex_digits[(v >> shift) & 15u];
}

std::uint32_t read_hex(std::string_view eight_digits) {
    std::uint32_t v = 0;
    for (const char c : eight_digits)
        v = v << 4 | static_cast<std::uint32_t>(hex_value(c));
    return v;
}

}  // namespace

bool task_store::pack_hex(std::string_view text, packed_id& to) {
    if (text.size() != 24) return false;
    for (std::size_t i = 0; i < 12; ++i) {
        const int high = hex_value(text[2 * i]);
        const int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) return false;
        to[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
}

std::string task_store::unpack_hex(const packed_id& from) {
    std::string text(24, '0');
    for (std::size_t i = 0; i < 12; ++i) {
        text[2 * i] = hex_digits[from[i] >> 4];
        text[2 * i + 1] = hex_digits[from[i] & 15];
    }
    return text;
}

std::uint32_t task_store::intern_details(const core::task_view& details) {
    if (const auto it = details_numbers_.find(details); it != details_numbers_.end()) return it->second;
    const auto number = static_cast<std::uint32_t>(details_.size());
    details_numbers_.emplace(details_.emplace_back(details).view(), number);
    return number;
}

task_store::packed_id task_store::intern_text(std::string_view text) {
    auto it = text_numbers_.find(text);
    if (it == text_numbers_.end()) {
        const auto number = static_cast<std::uint32_t>(texts_.size());
        it = text_numbers_.emplace(texts_.emplace_back(text), number).first;
    }
    packed_id packed{};
    std::memcpy(packed.data(), &it->second, sizeof it->second);
    return packed;
}

// Continues the last batch where the task shares all with it but the contact, provided that the batch began at
// `not_before` or later: one that the search may have seen already must not grow.
void task_store::append(batch like, std::string_view contact, index not_before) {
    packed_task task{};
    like.contacts_are_hex = pack_hex(contact, task.contact);
    if (!like.contacts_are_hex) task.contact = intern_text(contact);
    const auto continues = [&](const batch& last) {
        return last.first >= not_before && last.number + (size() - last.first) == like.number &&
               last.created_at == like.created_at && last.details == like.details && last.salt == like.salt &&
               last.contacts_are_hex == like.contacts_are_hex;
    };
    if (batches_.empty() || !continues(batches_.back())) {
        like.first = size();
        batches_.push_back(like);
        hidden_batches_.emplace(like.visible_at, static_cast<std::uint32_t>(batches_.size() - 1));
    }
    task.batch = static_cast<std::uint32_t>(batches_.size() - 1);
    tasks_.push_back(task);
    ++sizes_[static_cast<std::size_t>(like.origin)];
}

task_store::index task_store::add(const core::task_view& details, std::span<const std::string_view> contacts,
                                  core::instant created_at, time_point visible_at, task_origin origin) {
    const index first = size();
    batch like{created_at, visible_at, intern_details(details), salt_, first, first, origin, true};
    for (const std::string_view contact : contacts) {
        append(like, contact, first);
        ++like.number;
    }
    return first;
}

bool task_store::restore(std::string_view id, const core::task_view& details, std::string_view contact,
                         core::instant created_at) {
    packed_id packed;
    if (!pack_hex(id, packed)) return false;
    const std::uint32_t salt = read_hex(id.substr(8, 8));
    const std::uint32_t number = read_hex(id.substr(16, 8));
    const auto details_number = intern_details(details);
    append({created_at, time_point::min(), details_number, salt, number, 0, task_origin::api, true}, contact, 0);
    return id_of(size() - 1) == core::canonical_id(id);
}

std::string task_store::id_of(index i) const {
    const batch& b = batches_[tasks_[i].batch];
    std::string id(24, '0');
    const auto second = std::chrono::floor<std::chrono::seconds>(b.created_at).time_since_epoch().count();
    write_hex(static_cast<std::uint32_t>(second), id.data());
    write_hex(b.salt, id.data() + 8);
    write_hex(b.number + (i - b.first), id.data() + 16);
    return id;
}

task_store::view task_store::at(index i) const {
    const packed_task& task = tasks_[i];
    const batch& b = batches_[task.batch];
    view v{id_of(i), {}, &details_[b.details], b.created_at, b.origin};
    if (b.contacts_are_hex) {
        v.contact_id = unpack_hex(task.contact);
    } else {
        std::uint32_t number = 0;
        std::memcpy(&number, task.contact.data(), sizeof number);
        v.contact_id = texts_[number];
    }
    return v;
}

void task_store::reveal(time_point now) {
    const auto end = hidden_batches_.upper_bound(now);
    for (auto it = hidden_batches_.begin(); it != end; ++it) {
        const std::uint32_t number = it->second;
        const batch& b = batches_[number];
        const core::task_details& details = details_[b.details];
        if (hides_finished_ && details.status != core::task_status::scheduled) continue;
        auto& fresh = by_due_[details.due_at].fresh;
        const index last = number + 1 < batches_.size() ? batches_[number + 1].first : size();
        for (index i = b.first; i < last; ++i)
            fresh.push_back(i);
        visible_ += last - b.first;
    }
    hidden_batches_.erase(hidden_batches_.begin(), end);
}

void task_store::settle(due_bucket& bucket) const {
    if (bucket.fresh.empty()) return;
    const auto before = [this](index a, index b) { return mix(seed_, a) < mix(seed_, b); };
    std::sort(bucket.fresh.begin(), bucket.fresh.end(), before);
    const auto middle = static_cast<std::ptrdiff_t>(bucket.sorted.size());
    bucket.sorted.insert(bucket.sorted.end(), bucket.fresh.begin(), bucket.fresh.end());
    std::inplace_merge(bucket.sorted.begin(), bucket.sorted.begin() + middle, bucket.sorted.end(), before);
    bucket.fresh.clear();
    bucket.fresh.shrink_to_fit();
}

bool task_store::matches(index i, const search_filter& filter) const {
    if (filter.empty()) return true;
    const view v = at(i);
    return (filter.contact_id.empty() || v.contact_id == filter.contact_id) &&
           (filter.user_id.empty() || v.details->user_id == filter.user_id);
}

// Without a filter whole due dates can be skipped, so that a late page of millions costs no more than an early one.
task_store::found task_store::search_plain(std::uint64_t offset, std::uint64_t count) {
    found result{visible_, {}};
    for (auto& [due, bucket] : by_due_) {
        if (result.tasks.size() == count) break;
        const std::uint64_t size = bucket.sorted.size() + bucket.fresh.size();
        if (offset >= size) {
            offset -= size;
            continue;
        }
        settle(bucket);
        const std::uint64_t take = std::min(size - offset, count - result.tasks.size());
        const auto from = bucket.sorted.begin() + static_cast<std::ptrdiff_t>(offset);
        result.tasks.insert(result.tasks.end(), from, from + static_cast<std::ptrdiff_t>(take));
        offset = 0;
    }
    return result;
}

task_store::found task_store::search_matching(const std::function<bool(index)>& wanted, std::uint64_t offset,
                                              std::uint64_t count) {
    found result;
    for (auto& [due, bucket] : by_due_) {
        settle(bucket);
        for (const index i : bucket.sorted) {
            if (!wanted(i)) continue;
            if (result.total >= offset && result.tasks.size() < count) result.tasks.push_back(i);
            ++result.total;
        }
    }
    return result;
}

task_store::found task_store::search(search_order order, const search_filter& filter, std::uint64_t offset,
                                     std::uint64_t count, time_point now) {
    reveal(now);
    if (order == search_order::due_at) {
        if (filter.empty()) return search_plain(offset, count);
        return search_matching([&](index i) { return matches(i, filter); }, offset, count);
    }
    found all;
    for (const auto priority : {core::task_priority::high, core::task_priority::medium, core::task_priority::low}) {
        const auto wanted = [&](index i) {
            return details_[batches_[tasks_[i].batch].details].priority == priority && matches(i, filter);
        };
        const std::uint64_t skip = offset > all.total ? offset - all.total : 0;
        const found part = search_matching(wanted, skip, count - all.tasks.size());
        all.total += part.total;
        all.tasks.insert(all.tasks.end(), part.tasks.begin(), part.tasks.end());
    }
    return all;
}

task_store::pair_counts task_store::count_pairs() const {
    struct key {
        packed_id contact;
        std::uint32_t details_and_kind;
        auto operator<=>(const key&) const = default;
    };
    std::vector<key> keys;
    keys.reserve(size_of(task_origin::api));
    for (const packed_task& task : tasks_) {
        const batch& b = batches_[task.batch];
        if (b.origin == task_origin::api)
            keys.push_back({task.contact, b.details << 1 | (b.contacts_are_hex ? 1u : 0u)});
    }
    std::sort(keys.begin(), keys.end());
    pair_counts counts;
    for (std::size_t i = 0; i < keys.size(); ++counts.pairs) {
        const std::size_t from = i;
        while (i < keys.size() && keys[i] == keys[from])
            ++i;
        if (i - from > 1) ++counts.twice;
    }
    return counts;
}

}  // namespace taskbarge::sandbox
