#include "grouper/details_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

#include "grouper/fetch_ahead.hpp"

namespace taskbarge::grouper {

namespace {

constexpr std::uint64_t in_file = std::uint64_t{1} << 63;

using length = std::uint32_t;  // before each record in the file

// What stands before the texts of a record. The length of user_id is among it, so that no two details give the same
// record. Without padding.
struct record_head {
    record_head() = default;
    explicit record_head(const core::task_view& details)
        : due_at(details.due_at.time_since_epoch().count()),
          user_id_size(static_cast<std::uint32_t>(details.user_id.size())),
          words{static_cast<std::uint8_t>(details.type), static_cast<std::uint8_t>(details.priority),
                static_cast<std::uint8_t>(details.status), 0} {}
    std::int64_t due_at = 0;
    std::uint32_t user_id_size = 0;
    std::array<std::uint8_t, 4> words{};
};
static_assert(std::has_unique_object_representations_v<record_head>);

// All fields as one text.
void write_record(const core::task_view& details, std::string& out) {
    const record_head head(details);
    out.assign(reinterpret_cast<const char*>(&head), sizeof head);
    out += details.user_id;
    out += details.note;
}

// What write_record() wrote.
core::task_details read_record(std::string_view record) {
    record_head head;
    std::memcpy(&head, record.data(), sizeof head);
    const auto texts = record.substr(sizeof head);
    core::task_details out;
    out.user_id = texts.substr(0, head.user_id_size);
    out.type = static_cast<core::task_type>(head.words[0]);
    out.priority = static_cast<core::task_priority>(head.words[1]);
    out.status = static_cast<core::task_status>(head.words[2]);
    out.due_at = core::instant(core::instant::duration(head.due_at));
    out.note = texts.substr(head.user_id_size);
    return out;
}

// All hashing and comparing goes 8 or 16 bytes at a time, the last of them overlapping those before: every row's texts
// pass through here, and most are shorter than the call of a library function takes.
std::uint64_t load(const char* from) {
    std::uint64_t out;
    std::memcpy(&out, from, sizeof out);
    return out;
}

// The products do not wait for each other.
std::uint64_t hash_text(std::string_view text) {
    const char* const begin = text.data();
    const auto size = text.size();
    std::uint64_t out = size;
    if (size < 16) {
        std::array<char, 16> padded{};
        if (size > 0) std::memcpy(padded.data(), begin, size);
        return mix(out ^ load(padded.data()), load(padded.data() + 8));
    }
    for (std::size_t i = 0; i + 16 < size; i += 16)
        out = std::rotl(out, 23) ^ mix(load(begin + i), load(begin + i + 8));
    return std::rotl(out, 23) ^ mix(load(begin + size - 16), load(begin + size - 8));
}

bool same_bytes(const char* a, const char* b, std::size_t size) {
    if (size < 8) return size == 0 || std::memcmp(a, b, size) == 0;
    std::uint64_t difference = load(a + size - 8) ^ load(b + size - 8);
    for (std::size_t i = 0; i + 8 < size; i += 8)
        difference |= load(a + i) ^ load(b + i);
    return difference == 0;
}

// The same as comparing with write_record(), without writing it.
bool is_record_of(const core::task_view& details, std::string_view record) {
    const record_head head(details);
    const char* const user_id = record.data() + sizeof head;
    const auto user_id_size = details.user_id.size(), note_size = details.note.size();
    return record.size() == sizeof head + user_id_size + note_size &&
           std::memcmp(record.data(), &head, sizeof head) == 0 &&
           same_bytes(user_id, details.user_id.data(), user_id_size) &&
           same_bytes(user_id + user_id_size, details.note.data(), note_size);
}

}  // namespace

details_table::details_table(std::uint64_t memory, const std::string& spill_folder)
    : memory_(memory), file_(spill_folder) {}

std::uint64_t details_table::hash_of(const core::task_view& details) {
    const record_head head(details);
    std::array<std::uint64_t, 2> words;
    static_assert(sizeof words == sizeof head);
    std::memcpy(words.data(), &head, sizeof head);
    return mix(mix(words[0], words[1]) ^ hash_text(details.user_id), hash_text(details.note));
}

void details_table::fetch(std::span<const std::uint64_t> hashes) const {
    constexpr std::size_t many = 2000;  // fewer are in the processor's cache anyway
    if (places_.size() < many) return;
    std::array<core::group_number, 64> likely;
    for (; !hashes.empty(); hashes = hashes.subspan(std::min(hashes.size(), likely.size()))) {
        const auto count = std::min(hashes.size(), likely.size());
        for (std::size_t i = 0; i < count; ++i)
            index_.fetch(hashes[i]);
        for (std::size_t i = 0; i < count; ++i) {
            likely[i] = index_.fetch_more(hashes[i]);
            if (likely[i] != 0) fetch_ahead(&places_[likely[i] - 1]);
        }
        for (std::size_t i = 0; i < count; ++i) {
            if (likely[i] == 0) continue;
            const auto place = places_[likely[i] - 1];
            if (!(place & in_file)) texts_.fetch(place);
        }
    }
}

core::result<details_table::answer> details_table::find_or_add(const core::task_view& details, std::uint64_t hash) {
    const auto found = index_.look(hash, [&](core::group_number group) { return equal(group, details); });
    if (trouble_) return *trouble_;
    if (found.number != 0) return answer{found.number, false};
    write_record(details, record_);
    auto place = keep(record_);
    if (!place) return place.error();
    places_.push_back(*place);
    const auto group = static_cast<core::group_number>(places_.size());
    index_.put(found, hash, group);
    return answer{group, true};
}

core::result<std::uint64_t> details_table::keep(std::string_view record) {
    if (texts_.size() + record.size() <= memory_) return texts_.add(record);
    const auto place = file_.size() | in_file;
    const auto size = static_cast<length>(record.size());
    if (auto r = file_.append({reinterpret_cast<const char*>(&size), sizeof size}); !r) return r.error();
    if (auto r = file_.append(record); !r) return r.error();
    return place;
}

bool details_table::equal(core::group_number group, const core::task_view& details) {
    const auto place = places_[group - 1];
    return place & in_file ? equal_in_file(place & ~in_file, details) : is_record_of(details, texts_.at(place));
}

bool details_table::equal_in_file(std::uint64_t from, const core::task_view& details) {
    write_record(details, record_);
    // As much as the record looked for would take: one read shows whether it stands there.
    const auto wanted = std::min<std::uint64_t>(sizeof(length) + record_.size(), file_.size() - from);
    read_.resize(wanted);
    if (auto r = file_.read(from, read_.data(), wanted); !r) {
        trouble_ = r.error();
        return false;
    }
    length size = 0;
    std::memcpy(&size, read_.data(), sizeof size);
    return size == record_.size() && std::string_view(read_).substr(sizeof size) == record_;
}

core::result<core::task_details> details_table::details(core::group_number group) const {
    const auto place = places_.at(group - 1);
    if (!(place & in_file)) return read_record(texts_.at(place));
    const auto from = place & ~in_file;
    length size = 0;
    if (auto r = file_.read(from, reinterpret_cast<char*>(&size), sizeof size); !r) return r.error();
    std::string record(size, '\0');
    if (auto r = file_.read(from + sizeof size, record.data(), size); !r) return r.error();
    return read_record(record);
}

std::uint64_t details_table::memory() const {
    return texts_.size() + places_.size() * sizeof(places_[0]) + index_.memory();
}

}  // namespace taskbarge::grouper
