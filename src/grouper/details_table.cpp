#include "grouper/details_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
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
          type(details.type),
          priority(details.priority),
          status(details.status) {}
    std::int64_t due_at = 0;
    std::uint32_t user_id_size = 0;
    core::task_type type{};
    core::task_priority priority{};
    core::task_status status{};
    std::uint8_t is_short = 0;
    friend bool operator==(const record_head&, const record_head&) = default;
};
static_assert(std::has_unique_object_representations_v<record_head>);

// How a short record goes on: which record it leans on and how much of that one's note its own begins and ends with.
// Then comes what stands between.
struct lean {
    std::uint16_t base, front, back;
};

template <typename T>
T read_as(std::string_view from) {
    T out;
    std::memcpy(&out, from.data(), sizeof out);
    return out;
}

template <typename T>
void append(const T& what, std::string& out) {
    out.append(reinterpret_cast<const char*>(&what), sizeof what);
}

// All fields as one text.
void write_record(const core::task_view& details, std::string& out) {
    out.clear();
    append(record_head(details), out);
    out += details.user_id;
    out += details.note;
}

core::task_details details_of(const record_head& head, std::string_view user_id) {
    core::task_details out;
    out.user_id = user_id;
    out.type = head.type;
    out.priority = head.priority;
    out.status = head.status;
    out.due_at = core::instant(core::instant::duration(head.due_at));
    return out;
}

// What write_record() wrote.
core::task_details read_record(std::string_view record) {
    const auto head = read_as<record_head>(record);
    const auto texts = record.substr(sizeof head);
    auto out = details_of(head, texts.substr(0, head.user_id_size));
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

// A record's texts, those of a short one in parts. A whole one is a middle alone.
struct record_texts {
    std::string_view user_id, front, middle, back;
};

record_texts texts_of(const record_head& head, std::string_view whole) {
    const auto texts = whole.substr(sizeof head);
    return {texts.substr(0, head.user_id_size), {}, texts.substr(head.user_id_size), {}};
}

record_texts texts_of(const record_head& head, std::string_view record, std::string_view base) {
    const auto cut = read_as<lean>(record.substr(sizeof head));
    const auto of_base = texts_of(head, base);  // whose user_id is as long
    const auto note = of_base.middle;
    return {of_base.user_id, note.substr(0, cut.front), record.substr(sizeof head + sizeof cut),
            note.substr(note.size() - cut.back)};
}

bool is_text(std::string_view text, std::string_view front, std::string_view middle, std::string_view back) {
    const char* const at = text.data();
    return text.size() == front.size() + middle.size() + back.size() &&
           same_bytes(at + front.size(), middle.data(), middle.size()) && same_bytes(at, front.data(), front.size()) &&
           same_bytes(at + front.size() + middle.size(), back.data(), back.size());
}

// The first record of a slot is what others of that slot lean on: an owner's tasks of one type have notes that differ
// in a few words.
std::size_t slot_of(const core::task_view& details, std::size_t slots) {
    return (hash_text(details.user_id) + static_cast<std::size_t>(details.type)) % slots;
}

// As much as the two begin and end with in common, within what `lean` can say.
lean shared_by(std::string_view note, std::string_view base) {
    constexpr std::size_t most = std::numeric_limits<std::uint16_t>::max();
    const auto room = std::min({note.size(), base.size(), most});
    const auto front =
        std::mismatch(note.begin(), note.begin() + static_cast<std::ptrdiff_t>(room), base.begin()).first;
    const auto front_size = front - note.begin();
    const auto left = static_cast<std::ptrdiff_t>(room) - front_size;
    const auto back = std::mismatch(note.rbegin(), note.rbegin() + left, base.rbegin()).first;
    return {0, static_cast<std::uint16_t>(front_size), static_cast<std::uint16_t>(back - note.rbegin())};
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
    auto place = keep(details);
    if (!place) return place.error();
    places_.push_back(*place);
    const auto group = static_cast<core::group_number>(places_.size());
    index_.put(found, hash, group);
    return answer{group, true};
}

// Short where they can lean on others, in memory where that has room, else whole in the file.
core::result<std::uint64_t> details_table::keep(const core::task_view& details) {
    auto& base = latest_bases_[slot_of(details, latest_bases_.size())];
    if (base != 0 && write_short(details, static_cast<std::uint16_t>(base - 1)) && has_room_for(record_))
        return texts_.add(record_);
    write_record(details, record_);
    if (has_room_for(record_)) {
        const auto place = texts_.add(record_);
        if (bases_.size() < most_bases) {
            bases_.push_back(place);
            base = static_cast<std::uint16_t>(bases_.size());
        }
        return place;
    }
    const auto place = file_.size() | in_file;
    const auto size = static_cast<length>(record_.size());
    if (auto r = file_.append({reinterpret_cast<const char*>(&size), sizeof size}); !r) return r.error();
    if (auto r = file_.append(record_); !r) return r.error();
    return place;
}

// False where they have another owner or less than half of the note in common.
bool details_table::write_short(const core::task_view& details, std::uint16_t base) {
    const auto record = texts_.at(bases_[base]);
    const auto of_base = texts_of(read_as<record_head>(record), record);
    if (details.user_id != of_base.user_id) return false;
    auto cut = shared_by(details.note, of_base.middle);
    const std::size_t shared = std::size_t{cut.front} + cut.back;
    if (shared < details.note.size() / 2) return false;
    cut.base = base;
    record_head head(details);
    head.is_short = 1;
    record_.clear();
    append(head, record_);
    append(cut, record_);
    record_ += details.note.substr(cut.front, details.note.size() - shared);
    return true;
}

std::string_view details_table::base_of(std::string_view short_record) const {
    return texts_.at(bases_[read_as<lean>(short_record.substr(sizeof(record_head))).base]);
}

bool details_table::equal(core::group_number group, const core::task_view& details) {
    const auto place = places_[group - 1];
    if (place & in_file) return equal_in_file(place & ~in_file, details);
    const auto record = texts_.at(place);
    record_head wanted(details);
    const auto head = read_as<record_head>(record);
    wanted.is_short = head.is_short;
    if (head != wanted) return false;
    const auto kept = head.is_short ? texts_of(head, record, base_of(record)) : texts_of(head, record);
    return is_text(details.note, kept.front, kept.middle, kept.back) &&
           same_bytes(details.user_id.data(), kept.user_id.data(), kept.user_id.size());
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
    if (!(place & in_file)) return details_in_memory(texts_.at(place));
    const auto from = place & ~in_file;
    length size = 0;
    if (auto r = file_.read(from, reinterpret_cast<char*>(&size), sizeof size); !r) return r.error();
    std::string record(size, '\0');
    if (auto r = file_.read(from + sizeof size, record.data(), size); !r) return r.error();
    return read_record(record);
}

core::task_details details_table::details_in_memory(std::string_view record) const {
    const auto head = read_as<record_head>(record);
    if (!head.is_short) return read_record(record);
    const auto kept = texts_of(head, record, base_of(record));
    auto out = details_of(head, kept.user_id);
    out.note.append(kept.front).append(kept.middle).append(kept.back);
    return out;
}

std::uint64_t details_table::memory() const {
    return texts_.size() + places_.size() * sizeof(places_[0]) + index_.memory();
}

}  // namespace taskbarge::grouper
