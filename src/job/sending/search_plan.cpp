#include "job/sending/search_plan.hpp"

#include <algorithm>
#include <cmath>

namespace taskbarge::job {

namespace {

// Before anything is known: three in a thousand, with the weight of a hundred contacts.
constexpr double weight_before = 100, refused_before = 0.3;
constexpr double memory = 1000;
constexpr double least_rate = 1e-4, most_rate = 0.5;
// The tables take the square of their length to make.
constexpr std::size_t longest_table = 1000;

// How many of so many contacts are refused on average, where at least one is.
double expected_refused(double rate, double contacts) {
    return contacts * rate / (1 - std::pow(1 - rate, contacts));
}

}  // namespace

void refusal_rate::see(double refused, double contacts) {
    const double left = std::exp(-contacts / memory);
    refused_ = refused_ * left + refused;
    seen_ = seen_ * left + contacts;
}

void refusal_rate::created(std::size_t contacts) {
    see(0, static_cast<double>(contacts));
}

void refusal_rate::refused_alone() {
    see(1, 1);
}

void refusal_rate::refused_together(std::size_t contacts) {
    const auto n = static_cast<double>(contacts);
    see(expected_refused(value(), n), n);
}

void refusal_rate::recall(std::uint64_t created, std::uint64_t refused_alone, std::uint64_t sets,
                          std::uint64_t in_sets) {
    const auto refused = static_cast<double>(refused_alone);
    const auto seen = static_cast<double>(created) + refused;
    const auto open = static_cast<double>(in_sets);
    double hidden = static_cast<double>(sets);
    // What the sets hold depends on the rate, and the rate on what they hold: a few rounds agree.
    constexpr int rounds = 20;
    for (int i = 0; i < rounds && sets > 0; ++i) {
        const double rate =
            std::clamp((refused + hidden + refused_before) / (seen + open + weight_before), least_rate, most_rate);
        hidden = static_cast<double>(sets) * expected_refused(rate, open / static_cast<double>(sets));
    }
    const double all = seen + open;
    const double kept = all > memory ? memory / all : 1.0;
    refused_ = (refused + hidden) * kept;
    seen_ = all * kept;
}

double refusal_rate::value() const {
    return std::clamp((refused_ + refused_before) / (seen_ + weight_before), least_rate, most_rate);
}

search_plan::search_plan(double rate, std::size_t most) : rate_(std::clamp(rate, least_rate, most_rate)) {
    most = std::min(std::max<std::size_t>(most, 1), longest_table);
    // all_good[n]: how likely n contacts are all taken.
    std::vector<double> all_good(most + 1, 1);
    for (std::size_t n = 1; n <= most; ++n)
        all_good[n] = all_good[n - 1] * (1 - rate_);
    // What it takes to find the first refused contact of a set that holds one. The last one left is asked for alone.
    std::vector<double> find(most + 1, 0);
    suspects_.assign(most + 1, 1);
    for (std::size_t n = 2; n <= most; ++n) {
        double least = -1;
        for (std::size_t part = 1; part < n; ++part) {
            const double refused = (1 - all_good[part]) / (1 - all_good[n]);
            const double behind = n - part > 1 ? find[n - part] : 1;
            const double cost = 1 + refused * find[part] + (1 - refused) * behind;
            if (least >= 0 && cost >= least - 1e-12) continue;
            least = cost;
            suspects_[n] = part;
        }
        find[n] = least;
    }
    expected_.assign(most + 1, 0);
    unknown_.assign(most + 1, 1);
    for (std::size_t n = 1; n <= most; ++n) {
        double least = -1, behind_first = 0;  // by where the first refused contact of the part is
        for (std::size_t part = 1; part <= n; ++part) {
            behind_first += all_good[part - 1] * rate_ * expected_[n - part];
            const double cost =
                1 + all_good[part] * expected_[n - part] + (1 - all_good[part]) * find[part] + behind_first;
            if (least >= 0 && cost > least + 1e-9) continue;
            least = cost;
            unknown_[n] = part;
        }
        expected_[n] = least;
    }
}

std::size_t search_plan::part_of_suspects(std::size_t size) const {
    return size < suspects_.size() ? suspects_[size] : size / 2;
}

std::size_t search_plan::part_of_unknown(std::size_t size) const {
    if (size < unknown_.size()) return unknown_[size];
    const auto as_likely_as_not = static_cast<std::size_t>(std::log(0.5) / std::log(1 - rate_));
    return std::clamp<std::size_t>(as_likely_as_not, 1, size);
}

double search_plan::expected(std::size_t size) const {
    const auto whole = expected_.size() - 1;
    if (size <= whole) return expected_[size];
    return expected_[whole] * static_cast<double>(size) / static_cast<double>(whole);
}

}  // namespace taskbarge::job
