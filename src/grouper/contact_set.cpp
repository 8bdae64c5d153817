#include "grouper/contact_set.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>
#include <optional>

namespace taskbarge::grouper {

namespace {

constexpr std::uint32_t text_flag = 1u << 31;

// The value of a lower-case hex digit; 16 or more for any other character.
constexpr auto hex_values = [] {
    std::array<unsigned char, 256> out{};
    out.fill(16);
    for (unsigned i = 0; i < 10; ++i)
        out['0' + i] = static_cast<unsigned char>(i);
    for (unsigned i = 0; i < 6; ++i)
        out['a' + i] = static_cast<unsigned char>(10 + i);
    return out;
}();

// Only the canonical spelling is packed, so that different texts never become the same bytes.
std::optional<std::array<unsigned char, 12>> pack(std::string_view id) {
    std::array<unsigned char, 12> out;
    if (id.size() != 24) return std::nullopt;
    unsigned seen = 0;
    for (std::size_t i = 0; i < out.size(); ++i) {
        const unsigned high = hex_values[static_cast<unsigned char>(id[2 * i])];
        const unsigned low = hex_values[static_cast<unsigned char>(id[2 * i + 1])];
        seen |= high | low;
        out[i] = static_cast<unsigned char>(high << 4 | low);
    }
    return seen < 16 ? std::optional(out) : std::nullopt;
}

void unpack(const std::array<unsigned char, 12>& id, std::string& out) {
    static constexpr char digits[] = "0123456789abcdef";
    out.resize(24);
    for (std::size_t i = 0; i < id.size(); ++i) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using wide = unsigned __int128;
    const auto product = static_cast<wide>(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_bytes(const std::array<unsigned char, 12>& id, std::uint32_t group) {
    std::uint64_t first;
    std::uint32_t last;
    std::memcpy(&first, id.data(), sizeof first);
    std::memcpy(&last, id.data() + sizeof first, sizeof last);
    return mix(first, mix(std::uint64_t{group} << 32 | last, first));
}

std::uint64_t hash_text(std::string_view text) {
    std::uint64_t out = text.size();
    for (const char c : text)
        out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return mix(out, text.size());
}

// Where a text is kept and half of its hash: equal texts have different places, so bytes alone never say "different".
std::array<unsigned char, 12> text_key(std::uint64_t place, std::uint32_t hash) {
    std::array<unsigned char, 12> out;
    std::memcpy(out.data(), &hash, sizeof hash);
    std::memcpy(out.data() + sizeof hash, &place, sizeof place);
    return out;
}

std::uint64_t place_of_text(const std::array<unsigned char, 12>& id) {
    std::uint64_t out;
    std::memcpy(&out, id.data() + sizeof(std::uint32_t), sizeof out);
    return out;
}

// Texts are hashed by their stored half hash, so that growing need not read them.
std::array<unsigned char, 12> hashed_part(const std::array<unsigned char, 12>& id) {
    std::array<unsigned char, 12> out{};
    std::copy_n(id.begin(), sizeof(std::uint32_t), out.begin());
    return out;
}

}  // namespace

contact_set::~contact_set() {
    for (const auto& s : shards_) {
        if (s.entries) ::munmap(s.entries, s.capacity * sizeof(entry));
    }
}

std::uint64_t contact_set::hash_of_entry(const entry& e) const {
    return hash_bytes(e.group & text_flag ? hashed_part(e.id) : e.id, e.group);
}

// Where the search for that hash begins. The high half decides, the low bits chose the shard.
contact_set::entry* contact_set::place_of(const shard& s, std::uint64_t hash) const {
    return s.entries + ((hash >> 32) * s.capacity >> 32);
}

bool contact_set::matches(const entry& e, const entry& wanted, std::string_view text) const {
    if (e.group != wanted.group) return false;
    if (!(e.group & text_flag)) return e.id == wanted.id;
    return std::memcmp(e.id.data(), wanted.id.data(), sizeof(std::uint32_t)) == 0 &&
           texts_.at(place_of_text(e.id)) == text;
}

contact_set::answer contact_set::find_or_add(core::group_number group, std::string_view contact, std::uint32_t row) {
    entry wanted{{}, group, row};
    if (const auto packed = pack(contact)) {
        wanted.id = *packed;
    } else {
        wanted.group |= text_flag;
        wanted.id = text_key(0, static_cast<std::uint32_t>(hash_text(contact)));
    }
    const auto hash = hash_of_entry(wanted);
    auto& s = shards_[hash % shard_count];
    if (s.used >= s.capacity / 16 * 13) grow(s);
    const bool is_text = wanted.group & text_flag;
    entry* at = place_of(s, hash);
    while (at->group != 0) {
        if (matches(*at, wanted, contact)) return {{at->id, is_text}, at->row};
        if (++at == s.entries + s.capacity) at = s.entries;
    }
    if (is_text) wanted.id = text_key(texts_.add(contact), static_cast<std::uint32_t>(hash_text(contact)));
    *at = wanted;
    ++s.used;
    return {{wanted.id, is_text}, 0};
}

void contact_set::grow(shard& s) {
    // At least a page of entries; a quarter more each time.
    const std::uint32_t capacity = std::max<std::uint32_t>(204, s.capacity + s.capacity / 4);
    // Fresh pages are zero: every entry is empty.
    void* const memory =
        ::mmap(nullptr, capacity * sizeof(entry), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    const shard old = s;
    s.entries = static_cast<entry*>(memory);
    s.capacity = capacity;
    for (const entry* e = old.entries; e != old.entries + old.capacity; ++e) {
        if (e->group == 0) continue;
        entry* at = place_of(s, hash_of_entry(*e));
        while (at->group != 0) {
            if (++at == s.entries + s.capacity) at = s.entries;
        }
        *at = *e;
    }
    if (old.entries) ::munmap(old.entries, old.capacity * sizeof(entry));
}

void contact_set::text_of(const contact_key& key, std::string& out) const {
    if (key.text)
        out = texts_.at(place_of_text(key.bytes));
    else
        unpack(key.bytes, out);
}

std::uint64_t contact_set::memory() const {
    std::uint64_t out = texts_.size();
    for (const auto& s : shards_)
        out += s.capacity * sizeof(entry);
    return out;
}

}  // namespace taskbarge::grouper
