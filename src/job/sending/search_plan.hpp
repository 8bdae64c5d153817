// How many contacts the next request of a search should ask for. Plain arithmetic, no I/O.
//
// A set that was refused holds at least one refused contact. Its contacts are tested from the front: where a part is
// created, those behind it still hold one; where it is refused, nothing is known of those behind it any more. With each
// contact refused at the same rate, that loses nothing but what a question of yes and no can tell, and the parts below
// are those that take the fewest requests on average (Sobel and Groll's nested procedure). A contact that is known to
// be refused because all others of its set were created is asked for alone all the same: that request is counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace taskbarge::job {

// The share of refused contacts in the neighbourhood, by what the job has shown last. Files are uneven: what was seen
// a thousand contacts ago counts a third.
class refusal_rate {
 public:
    void created(std::size_t contacts);
    void refused_alone();
    // A set of which nothing was known before holds at least one.
    void refused_together(std::size_t contacts);
    // What an earlier run has seen of all of the job.
    void recall(std::uint64_t created, std::uint64_t refused_alone, std::uint64_t sets, std::uint64_t in_sets);
    double value() const;

 private:
    void see(double refused, double contacts);

    double refused_ = 0, seen_ = 0;
};

class search_plan {
 public:
    // For sets of up to `most` contacts; larger ones are halved.
    search_plan(double rate, std::size_t most);

    // Of a set of at least two that holds a refused one: how many of its first contacts to ask for.
    std::size_t part_of_suspects(std::size_t size) const;
    // Of contacts of which nothing is known: all of them, or so many of the first.
    std::size_t part_of_unknown(std::size_t size) const;
    // How many requests it takes on average until each of so many contacts is created or refused alone.
    double expected(std::size_t size) const;

 private:
    double rate_;
    std::vector<std::size_t> suspects_, unknown_;
    std::vector<double> expected_;
};

}  // namespace taskbarge::job
