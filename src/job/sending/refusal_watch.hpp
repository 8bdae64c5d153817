// Whether Apollo, or who speaks for it, refuses everything with the same words: then it is not the rows.
//
// A limit on the size of a request is refused alike too, but not to single contacts; and what is refused in one group
// alone may be its details. So it takes single contacts of several groups.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "taskbarge/ledger/send_book.hpp"

namespace taskbarge::job {

// The words without what differs from request to request: ids, numbers, what stands in quotes.
std::string bare_words(std::string_view message);

class refusal_watch {
 public:
    // `most`: of so many groups or single contacts that are refused alike the run ends; 0: however many they are.
    refusal_watch(std::uint32_t most, bool anything_created);

    void refused(const ledger::chunk_record& chunk, const std::string& message);
    // Something was created, or refused with other words: refusals are what they seem.
    void end() { ended_ = true; }

    bool all_alike() const;
    const std::string& words() const { return shown_; }
    std::size_t alone() const { return contacts_.size(); }

 private:
    const std::uint32_t most_;
    bool ended_;
    std::string words_, shown_;
    boost::unordered_flat_set<core::group_number> groups_;
    boost::unordered_flat_set<std::string> contacts_;  // that were refused alone
};

}  // namespace taskbarge::job
