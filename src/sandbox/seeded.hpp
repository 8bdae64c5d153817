// Chance that depends on the seed and on what is asked, never on when: the same sequence meets the same fate.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace taskbarge::sandbox {

// A good mix of all bits (the finaliser of splitmix64).
constexpr std::uint64_t mix(std::uint64_t v) {
    v += 0x9e3779b97f4a7c15u;
    v = (v ^ (v >> 30)) * 0xbf58476d1ce4e5b9u;
    v = (v ^ (v >> 27)) * 0x94d049bb133111ebu;
    return v ^ (v >> 31);
}

constexpr std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    return mix(mix(a) ^ b);
}

// A text as a number (FNV-1a): not mixed.
constexpr std::uint64_t hash_text(std::string_view text) {
    std::uint64_t h = 0xcbf29ce484222325u;
    for (const char c : text)
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return h;
}

// Evenly spread over [0, 1).
constexpr double share(std::uint64_t mixed) {
    return static_cast<double>(mixed >> 11) * 0x1.0p-53;
}

// Takes `count` neighbours out of the items, beginning at a place that chance chooses.
template <class T>
std::vector<T> take_out(std::vector<T>& items, std::uint64_t count, std::uint64_t chance) {
    const auto n = static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(count, items.size()));
    const auto from = static_cast<std::ptrdiff_t>(chance % (items.size() - static_cast<std::uint64_t>(n) + 1));
    std::vector<T> taken(items.begin() + from, items.begin() + from + n);
    items.erase(items.begin() + from, items.begin() + from + n);
    return taken;
}

}  // namespace taskbarge::sandbox
