#include "grouper/contact_set.hpp"

#include <cstring>

namespace taskbarge::grouper {

namespace {

constexpr std::uint32_t text_flag = 1u << 31;

std::uint64_t hash_id(const core::packed_id& id, std::uint32_t group) {
    std::uint64_t first;
    std::uint32_t last;
    std::memcpy(&first, id.data(), sizeof first);
    std::memcpy(&last, id.data() + sizeof first, sizeof last);
    return mix(first, mix(std::uint64_t{group} << 32 | last, first));
}

std::uint64_t hash_text(std::string_view text, std::uint32_t group) {
    std::uint64_t out = text.size();
    for (const char c : text)
        out = (out ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return mix(out, group);
}

core::packed_id as_id(std::uint64_t place) {
    core::packed_id out{};
    std::memcpy(out.data(), &place, sizeof place);
    return out;
}

std::uint64_t as_place(const core::packed_id& id) {
    std::uint64_t out;
    std::memcpy(&out, id.data(), sizeof out);
    return out;
}

}  // namespace

contact_set::probe contact_set::prepare(core::group_number group, std::string_view contact) {
    probe out;
    out.contact = contact;
    if (core::pack_object_id(contact, out.id)) {
        out.group = group;
        out.hash = hash_id(out.id, group);
    } else {
        out.group = group | text_flag;
        out.hash = hash_text(contact, group);
    }
    return out;
}

bool contact_set::same(const pair& kept, const probe& wanted) const {
    if (kept.group != wanted.group) return false;
    return wanted.group & text_flag ? texts_.at(as_place(kept.id)) == wanted.contact : kept.id == wanted.id;
}

std::uint32_t contact_set::find_or_add(const probe& wanted, std::uint32_t row) {
    const auto found = index_.look(wanted.hash, [&](std::uint32_t number) { return same(at(number), wanted); });
    if (found.number != 0) return found.number;
    keep(wanted, row);
    index_.put(found, wanted.hash, row);
    return 0;
}

void contact_set::keep(const probe& wanted, std::uint32_t row) {
    const auto block = row / block_size;
    if (block >= blocks_.size()) blocks_.resize(block + 1);
    if (!blocks_[block].data()) blocks_[block] = mapped_memory(block_size * sizeof(pair));
    at(row) = {wanted.group & text_flag ? as_id(texts_.add(wanted.contact)) : wanted.id, wanted.group};
}

void contact_set::append_contact(std::uint32_t row, core::id_list& out) const {
    const auto& kept = at(row);
    if (kept.group & text_flag)
        out.push_back(texts_.at(as_place(kept.id)));
    else
        core::unpack_object_id(kept.id, out.extend(core::object_id_size));
}

std::uint64_t contact_set::memory() const {
    std::uint64_t out = texts_.size() + index_.memory();
    for (const auto& block : blocks_)
        out += block.size();
    return out;
}

}  // namespace taskbarge::grouper
