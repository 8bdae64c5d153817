// In which order the pages of Apollo's list of contacts are read, and whether all were shown. Plain arithmetic: takes
// what answers say, does no I/O. docs/contacts.md has the reasons.
//
// A page is a place in a list that moves while it is read. Sorted by creation, new contacts come at one end only, and
// deleted or merged ones let those behind them move up. So the oldest contacts are read from the last of their pages to
// the first: what moves up then moves to pages that are still to be read. The newest, of which Apollo shows as many as
// of the oldest, are read from the first page on; where the total has fallen meanwhile, as many pages are read again.
// Contacts created at one time may stand in any order: where the two meet, a few more pages show what fell in between.
//
// A list is whole when as many different contacts were seen that existed when its reading began as Apollo counted then.
//
// Changes come newest first, and what changes while they are read moves to the front: then the page after it begins
// with contacts that were shown before, and the front is read once more.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/client/contacts.hpp"
#include "taskbarge/core/error.hpp"
#include "taskbarge/core/instant.hpp"

namespace taskbarge::job {

// What of the list is read: all of it, or what has changed since a time.
enum class reading_kind : std::uint8_t { all, changes };

// The whole list, or the part of it with that stage and label.
struct list_part {
    std::string stage_id, label_id;
    friend bool operator==(const list_part&, const list_part&) = default;
};

class contact_reading {
 public:
    // Contacts that Apollo shows from either end of a list.
    static constexpr std::uint64_t shown_from_one_end =
        std::uint64_t{client::contact_search::most_per_page} * client::contact_search::most_pages;
    static std::uint64_t pages_of(std::uint64_t contacts);
    // The requests that reading so many contacts takes, where they need not be read in parts.
    static std::uint64_t requests_for(std::uint64_t contacts) { return std::max<std::uint64_t>(1, pages_of(contacts)); }

    // `now` is the caller's time. Changes are read back to `since`.
    static contact_reading begin(reading_kind kind, core::instant now, std::optional<core::instant> since = {});
    // What write() gave; nothing where it is of another version or cut short.
    static std::optional<contact_reading> read(std::string_view text);
    std::string write() const;

    // The next pages of the part that is being read, at most `most` together; none: it ends, or wants the ids of stages
    // or labels.
    std::vector<client::contact_search> next(std::size_t most) const;
    // Which list of ids is wanted before it can go on.
    enum class wanted { pages, stages, labels, nothing };
    wanted wants() const;
    void take_stages(const std::vector<std::string>& ids);
    void take_labels(const std::vector<std::string>& ids);

    // What an answer said that came `now`: of the pages given together in their order, as far as they came.
    // `server_time` is the answer's date, `fresh` how many of its contacts had not been seen since began() and existed
    // then.
    void take(const client::contact_search& asked, const client::contacts_page& page, core::instant now,
              std::optional<core::instant> server_time, std::uint64_t fresh);
    // So many contacts that existed when it began were seen in another way, and are not fresh in its pages any more.
    void saw_elsewhere(std::uint64_t fresh) { seen_ += fresh; }

    reading_kind kind() const { return kind_; }
    // What is shown is as new as this.
    core::instant began() const { return began_; }
    // What was created before then, by Apollo's clock, is expected to be shown. Nothing before the first answer, all of
    // whose contacts exist, and of changes.
    std::optional<core::instant> began_there() const { return began_there_; }
    // Contacts counted when it began; how many of those were seen.
    std::uint64_t total() const { return total_; }
    std::uint64_t seen() const { return seen_; }
    std::uint64_t requests() const { return requests_; }
    // About how many requests are still needed.
    std::uint64_t requests_left() const;
    // At its end: contacts that were never shown, and why, one line; empty: the list is whole.
    std::uint64_t unseen() const { return total_ > seen_ ? total_ - seen_ : 0; }
    std::string gap() const;
    // Of changes: more has changed than the whole list holds; reading that is cheaper.
    bool too_many_changes() const { return too_many_; }

 private:
    enum class stage : std::uint8_t { first, newest, oldest, seam };

    void begin_part();
    void end_part();
    void plan_part(std::uint64_t total);
    void take_newest(const client::contact_search& asked, const client::contacts_page& page);
    void take_change(const client::contact_search& asked, const client::contacts_page& page, core::instant now,
                     std::uint64_t fresh);
    std::vector<client::contact_search> seam() const;
    void go_back(std::uint32_t from, std::uint64_t gone);
    bool is_ahead(std::uint32_t page) const { return std::find(ahead_.begin(), ahead_.end(), page) != ahead_.end(); }

    reading_kind kind_ = reading_kind::all;
    core::instant began_{};
    std::optional<core::instant> began_there_, since_;
    std::uint64_t total_ = 0, seen_ = 0, requests_ = 0;
    std::string problem_;
    bool too_many_ = false;

    // The part that is being read.
    std::vector<list_part> parts_{list_part{}};
    std::size_t part_ = 0;
    stage stage_ = stage::first;
    std::uint64_t part_total_ = 0;      // as the last answer said
    std::uint32_t newest_next_ = 1;     // of the pages of the newest
    std::uint32_t oldest_pages_ = 0;    // how many of the oldest are read
    std::uint32_t oldest_next_ = 0;     // the next of them, down to 1
    std::vector<std::uint32_t> ahead_;  // pages that came before the next one
    std::uint32_t pages_back_ = 0;      // of the newest, that were read again
    std::uint32_t seam_read_ = 0;       // pages where the newest meet the oldest
    bool wants_stages_ = false, wants_labels_ = false;

    // Changes, of which all are read at first, then what has moved to the front meanwhile.
    std::uint32_t pass_ = 0, furthest_ = 0;     // the last page that was read in this pass
    std::optional<core::instant> newest_;       // change at the begin of this pass
    std::uint64_t moved_ = 0;                   // contacts that must have moved to the front in this pass
    std::uint64_t expected_ = 0, arrived_ = 0;  // in the pass before, and how many of them were found
};

}  // namespace taskbarge::job
