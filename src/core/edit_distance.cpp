#include "taskbarge/core/edit_distance.hpp"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "taskbarge/core/text.hpp"

namespace taskbarge::core {

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i);
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t swap_cost = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({row[j] + 1, row[j - 1] + 1, swap_cost});
        }
    }
    return row[b.size()];
}

namespace {

std::string start_in_lower_case(std::string_view text) {
    constexpr std::size_t longest = 254;  // of an e-mail address; more would only cost time
    return lower_case(text.substr(0, longest));
}

}  // namespace

std::string nearest(std::string_view text, std::span<const std::string> candidates) {
    const std::string wanted = start_in_lower_case(text);
    const std::string* best = nullptr;
    std::size_t fewest = 0;
    for (const std::string& c : candidates) {
        const std::size_t edits = edit_distance(wanted, start_in_lower_case(c));
        if (best && edits >= fewest) continue;
        best = &c;
        fewest = edits;
    }
    return best ? *best : std::string();
}

}  // namespace taskbarge::core
