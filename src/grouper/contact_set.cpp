#include "grouper/contact_set.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <new>

namespace taskbarge::grouper {

namespace {

constexpr std::uint32_t text_flag = 1u << 31;

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    __extension__ using wide = unsigned __int128;
    const auto product = static_cast<wide>(a ^ 0x9e3779b97f4a7c15u) * (b ^ 0xd6e8feb86659fd93u);
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_bytes(const core::packed_id& id, std::uint32_t group) {
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
core::packed_id text_key(std::uint64_t place, std::uint32_t hash) {
    core::packed_id out;
    std::memcpy(out.data(), &hash, sizeof hash);
    std::memcpy(out.data() + sizeof hash, &place, sizeof place);
    return out;
}

std::uint64_t place_of_text(const core::packed_id& id) {
    std::uint64_t out;
    std::memcpy(&out, id.data() + sizeof(std::uint32_t), sizeof out);
    return out;
}

// Texts are hashed by their stored half hash, so that growing need not read them.
core::packed_id hashed_part(const core::packed_id& id) {
    core::packed_id out{};
    std::copy_n(id.begin(), sizeof(std::uint32_t), out.begin());
    return out;
}

constexpr std::size_t huge_page = 2U << 20U;

std::size_t page_size() {
    static const auto size = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    return size;
}

// Zeroed memory of its own. Large ones begin at a huge page.
void* map_memory(std::size_t bytes) {
    const std::size_t slack = bytes < huge_page ? 0 : huge_page;
    void* const memory = ::mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    if (slack == 0) return memory;
    char* const from = static_cast<char*>(memory);
    const std::size_t before = (huge_page - reinterpret_cast<std::uintptr_t>(from) % huge_page) % huge_page;
    // The part in front goes back at once, what is too much behind with the rest of its page.
    if (before > 0) ::munmap(from, before);
    char* const begin = from + before;
    const std::size_t used = (bytes + page_size() - 1) / page_size() * page_size();
    if (used < bytes + slack - before) ::munmap(begin + used, bytes + slack - before - used);
    ::madvise(begin, bytes, MADV_HUGEPAGE);  // a wish: without it the table is only slower
    return begin;
}

}  // namespace

std::uint32_t contact_set::stored_group(const probe& p) {
    return p.key.text ? p.group | text_flag : p.group;
}

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

contact_set::probe contact_set::prepare(core::group_number group, std::string_view contact) const {
    probe out;
    out.group = group;
    out.contact = contact;
    if (!core::pack_object_id(contact, out.key.bytes)) {
        out.key.text = true;
        out.key.bytes = text_key(0, static_cast<std::uint32_t>(hash_text(contact)));
    }
    out.hash = hash_of_entry({out.key.bytes, stored_group(out), 0});
    const auto& s = shards_[out.hash % shard_count];
    if (s.entries) __builtin_prefetch(place_of(s, out.hash), 1);
    return out;
}

contact_set::answer contact_set::find_or_add(const probe& p, std::uint32_t row) {
    entry wanted{p.key.bytes, stored_group(p), row};
    auto& s = shards_[p.hash % shard_count];
    if (s.used >= s.capacity / 16 * 13) grow(s);
    entry* at = place_of(s, p.hash);
    while (at->group != 0) {
        if (matches(*at, wanted, p.contact)) return {{at->id, p.key.text}, at->row};
        if (++at == s.entries + s.capacity) at = s.entries;
    }
    if (p.key.text) wanted.id = text_key(texts_.add(p.contact), static_cast<std::uint32_t>(hash_text(p.contact)));
    *at = wanted;
    ++s.used;
    return {{wanted.id, p.key.text}, 0};
}

std::uint32_t contact_set::next_capacity(std::uint32_t capacity) const {
    constexpr std::uint32_t a_page = 204;
    if (capacity == 0) return a_page;
    const std::uint64_t quarter_more = capacity + capacity / 4;
    // Room for what is expected at 12/16 full: 27 bytes a pair. The steps are bounded, as expectations may be wrong.
    const std::uint64_t expected = std::min<std::uint64_t>(expected_ / shard_count * 16 / 12, capacity * 4ULL);
    return static_cast<std::uint32_t>(std::max(quarter_more, expected));
}

void contact_set::grow(shard& s) {
    const std::uint32_t capacity = next_capacity(s.capacity);
    // Fresh pages are zero: every entry is empty.
    const shard old = s;
    s.entries = static_cast<entry*>(map_memory(capacity * sizeof(entry)));
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

void contact_set::append_text(const contact_key& key, core::id_list& out) const {
    if (key.text)
        out.push_back(texts_.at(place_of_text(key.bytes)));
    else
        core::unpack_object_id(key.bytes, out.extend(core::object_id_size));
}

std::uint64_t contact_set::memory() const {
    std::uint64_t out = texts_.size();
    for (const auto& s : shards_)
        out += s.capacity * sizeof(entry);
    return out;
}

}  // namespace taskbarge::grouper
