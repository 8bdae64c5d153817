// People made up from the seed: the contacts of a team that has been at it for five years.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

class contact_maker {
 public:
    // So many percent of the contacts share their address with another one.
    contact_maker(std::uint64_t seed, double alike_percent) : seed_(seed), alike_percent_(alike_percent) {}

    // Always the same for the same number; no two share an id of any kind. Neighbours are colleagues, and many of them
    // were imported at the same instant.
    stored_contact make(std::uint64_t number) const;

 private:
    std::string address_of(std::uint64_t number) const;

    std::uint64_t seed_;
    double alike_percent_;
};

// What the team has besides.
struct made_stage {
    std::string_view id, name, category;
};
const made_stage& stage_made(std::size_t number);
inline constexpr std::size_t stages_made = 8;
struct made_label {
    std::string_view id, name;
};
const made_label& label_made(std::size_t number);
inline constexpr std::size_t labels_made = 6;

// An id as Apollo makes them: the second of creation, and what tells two of one second apart.
std::string contact_id_for(core::instant created_at, std::uint64_t mixed);

}  // namespace taskbarge::sandbox
