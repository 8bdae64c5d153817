#include "job/contacts/contact_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

namespace taskbarge::job {

using client::contact_search;
using namespace std::chrono_literals;

namespace {

constexpr std::string_view form = "reading-2";
constexpr std::uint64_t page_size = contact_search::most_per_page;
// An answer may be from a copy of Apollo's index that is behind.
constexpr auto lag = std::chrono::hours(1);
// A list that falls all the time shows some pages again and again, and what was deleted before it was read is missing
// in any case.
constexpr std::uint32_t most_pages_back = 50;
constexpr std::uint32_t most_seam_pages = 3;

std::string word(const std::string& text) {
    return text.empty() ? "-" : text;
}
std::string from_word(const std::string& text) {
    return text == "-" ? "" : text;
}
std::int64_t number(const std::optional<core::instant>& t) {
    return t ? t->time_since_epoch().count() : -1;
}
std::optional<core::instant> time(std::int64_t n) {
    return n < 0 ? std::nullopt : std::optional(core::instant(std::chrono::milliseconds(n)));
}

}  // namespace

std::uint64_t contact_reading::pages_of(std::uint64_t contacts) {
    return (contacts + page_size - 1) / page_size;
}

contact_reading contact_reading::begin(reading_kind kind, core::instant now, std::optional<core::instant> since) {
    contact_reading r;
    r.kind_ = kind;
    r.began_ = now;
    if (since) r.since_ = *since - lag;
    return r;
}

std::string contact_reading::write() const {
    std::string out = fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", form,
                                  static_cast<int>(kind_), number(began_), number(began_there_), number(since_), total_,
                                  seen_, requests_, part_, static_cast<int>(stage_), part_total_, newest_next_,
                                  oldest_pages_, oldest_next_, pages_back_, seam_read_, pass_, furthest_,
                                  number(newest_), moved_, expected_, arrived_, static_cast<int>(too_many_),
                                  static_cast<int>(wants_stages_), static_cast<int>(wants_labels_), parts_.size());
    for (const auto& part : parts_)
        out += fmt::format(" {} {}", word(part.stage_id), word(part.label_id));
    out += fmt::format(" {}", ahead_.size());
    for (const auto page : ahead_)
        out += fmt::format(" {}", page);
    return out + " " + problem_;
}

std::optional<contact_reading> contact_reading::read(std::string_view text) {
    std::istringstream in{std::string(text)};
    contact_reading r;
    std::string name;
    int kind = 0, at = 0, too_many = 0, stages = 0, labels = 0;
    std::int64_t began = 0, there = 0, since = 0, newest = 0;
    std::size_t parts = 0;
    in >> name >> kind >> began >> there >> since >> r.total_ >> r.seen_ >> r.requests_ >> r.part_ >> at >>
        r.part_total_ >> r.newest_next_ >> r.oldest_pages_ >> r.oldest_next_ >> r.pages_back_ >> r.seam_read_ >>
        r.pass_ >> r.furthest_ >> newest >> r.moved_ >> r.expected_ >> r.arrived_ >> too_many >> stages >> labels >>
        parts;
    constexpr std::size_t most_parts = 100'000;
    if (!in || name != form || kind < 0 || kind > 1 || at < 0 || at > 3 || parts > most_parts) return std::nullopt;
    r.kind_ = static_cast<reading_kind>(kind);
    r.stage_ = static_cast<stage>(at);
    r.began_ = *time(std::max<std::int64_t>(0, began));
    r.began_there_ = time(there);
    r.since_ = time(since);
    r.newest_ = time(newest);
    r.too_many_ = too_many != 0;
    r.wants_stages_ = stages != 0;
    r.wants_labels_ = labels != 0;
    r.parts_.clear();
    for (std::size_t i = 0; i < parts; ++i) {
        std::string stage_id, label_id;
        if (!(in >> stage_id >> label_id)) return std::nullopt;
        r.parts_.push_back({from_word(stage_id), from_word(label_id)});
    }
    std::size_t ahead = 0;
    if (!(in >> ahead) || ahead > contact_search::most_pages) return std::nullopt;
    r.ahead_.resize(ahead);
    for (auto& page : r.ahead_)
        in >> page;
    if (!in) return std::nullopt;
    in.get();
    std::getline(in, r.problem_);
    if (r.part_ > r.parts_.size()) return std::nullopt;
    return r;
}

contact_reading::wanted contact_reading::wants() const {
    if (wants_stages_) return wanted::stages;
    if (wants_labels_) return wanted::labels;
    return part_ < parts_.size() ? wanted::pages : wanted::nothing;
}

std::vector<contact_search> contact_reading::next(std::size_t most) const {
    std::vector<contact_search> out;
    if (wants() != wanted::pages) return out;
    contact_search ask;
    ask.stage_id = parts_[part_].stage_id;
    ask.label_id = parts_[part_].label_id;
    if (kind_ == reading_kind::changes) {
        ask.order = client::contact_order::updated_at;
        ask.page = newest_next_;
        out.push_back(ask);
        return out;
    }
    switch (stage_) {
        case stage::first:
            out.push_back(ask);
            break;
        case stage::newest: {
            const auto last =
                std::min<std::uint64_t>(contact_search::most_pages, pages_of(part_total_) - oldest_pages_);
            for (std::uint32_t page = newest_next_; page <= last && out.size() < most; ++page) {
                if (is_ahead(page)) continue;
                ask.page = page;
                out.push_back(ask);
            }
            break;
        }
        case stage::oldest:
            ask.ascending = true;
            for (std::uint32_t page = oldest_next_; page >= 1 && out.size() < most; --page) {
                if (is_ahead(page)) continue;
                ask.page = page;
                out.push_back(ask);
            }
            break;
        case stage::seam:
            return seam();
    }
    return out;
}

// Pages that the other direction has shown, but for contacts that stand there in another order.
std::vector<contact_search> contact_reading::seam() const {
    contact_search ask;
    ask.ascending = oldest_pages_ < contact_search::most_pages;
    ask.page = (ask.ascending ? oldest_pages_ + 1 : newest_next_) + seam_read_;
    const auto most = ask.ascending ? 1 : most_seam_pages;
    if (seam_read_ >= most || ask.page > contact_search::most_pages) return {};
    return {ask};
}

void contact_reading::begin_part() {
    stage_ = stage::first;
    part_total_ = 0;
    newest_next_ = 1;
    oldest_pages_ = oldest_next_ = pages_back_ = seam_read_ = 0;
    ahead_.clear();
}

void contact_reading::end_part() {
    ++part_;
    begin_part();
}

// The first page of the newest has come: the rest of the list is its oldest, as far as they can be shown.
void contact_reading::plan_part(std::uint64_t total) {
    const auto pages = pages_of(total);
    if (pages <= 1) return end_part();
    oldest_pages_ = oldest_next_ =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(contact_search::most_pages, pages - 1));
    newest_next_ = 2;
    stage_ = pages - oldest_pages_ >= newest_next_ ? stage::newest : stage::oldest;
}

// Contacts have moved from the page `from` to those before it.
void contact_reading::go_back(std::uint32_t from, std::uint64_t gone) {
    const auto back = pages_of(gone);
    newest_next_ = static_cast<std::uint32_t>(from > back ? from - back : 1);
    pages_back_ += from - newest_next_;
}

void contact_reading::take_newest(const contact_search& asked, const client::contacts_page& page) {
    const auto before = std::exchange(part_total_, page.total_entries);
    if (part_total_ < before && pages_back_ < most_pages_back) {
        go_back(asked.page, before - part_total_);
        ahead_.clear();
    } else if (asked.page >= newest_next_ && !is_ahead(asked.page)) {
        ahead_.push_back(asked.page);
        for (; is_ahead(newest_next_); ++newest_next_)
            std::erase(ahead_, newest_next_);
    }
    if (pages_of(part_total_) < std::uint64_t{newest_next_} + oldest_pages_ ||
        newest_next_ > contact_search::most_pages) {
        stage_ = stage::oldest;
        ahead_.clear();
    }
}

void contact_reading::take_change(const contact_search& asked, const client::contacts_page& page, core::instant now,
                                  std::uint64_t fresh) {
    const auto before = std::exchange(part_total_, page.total_entries);
    const auto first = std::uint64_t{asked.page - 1} * page_size;
    if (page.contacts.size() < std::min(page_size, part_total_ > first ? part_total_ - first : 0)) {
        problem_ = "a page of changes had fewer contacts than its place in the list";
        return end_part();
    }
    const auto changed_after = [](const client::seen_contact& c, const core::instant& t) {
        return c.updated_at && *c.updated_at > t;
    };
    if (asked.page == 1) {
        newest_.reset();
        for (const auto& c : page.contacts)
            newest_ = std::max(newest_, c.updated_at);
    }
    if (asked.page > furthest_) {
        furthest_ = asked.page;
        if (asked.page > 1) moved_ += page.contacts.size() - std::min<std::uint64_t>(fresh, page.contacts.size());
        if (pass_ > 0)
            arrived_ += static_cast<std::uint64_t>(
                std::count_if(page.contacts.begin(), page.contacts.end(),
                              [&](const client::seen_contact& c) { return changed_after(c, *since_); }));
    }
    // Beyond, Apollo shows nothing; and long before, the whole list is the safer reading for the same price.
    const auto go_on = [&] {
        too_many_ = newest_next_ > contact_search::most_pages || requests_ > pages_of(part_total_);
    };
    if (asked.page > 1 && part_total_ < before) {
        go_back(asked.page, before - part_total_);
        return go_on();
    }
    const auto is_old = [&](const client::seen_contact& c) {
        return c.updated_at && since_ && *c.updated_at < *since_;
    };
    // What is behind the first pass's time may be a little out of order; the next ones only look for what moved.
    const bool reached = pass_ == 0 ? std::all_of(page.contacts.begin(), page.contacts.end(), is_old)
                                    : std::any_of(page.contacts.begin(), page.contacts.end(), is_old);
    if (!reached && std::uint64_t{asked.page} * page_size < part_total_) {
        newest_next_ = asked.page + 1;
        return go_on();
    }
    if (arrived_ < expected_) problem_ = "pages of changes showed contacts again that had not moved";
    if (moved_ == 0 || !problem_.empty()) return end_part();
    if (!newest_) {
        too_many_ = true;
        return;
    }
    ++pass_;
    since_ = newest_;
    began_ = now + std::chrono::milliseconds(1);
    expected_ = std::exchange(moved_, 0);
    arrived_ = furthest_ = 0;
    newest_next_ = 1;
    go_on();
}

void contact_reading::take(const contact_search& asked, const client::contacts_page& page, core::instant now,
                           std::optional<core::instant> server_time, std::uint64_t fresh) {
    const bool first = requests_ == 0;
    ++requests_;
    seen_ += fresh;
    if (first) total_ = page.total_entries;
    if (page.partial && problem_.empty()) problem_ = "Apollo says that it shows a part of the list only";
    if (!page.understood) {
        problem_ = "Apollo did not understand the filter by stage or label";
        part_ = parts_.size();
        return;
    }
    if (kind_ == reading_kind::changes) {
        // By a clock of ours that is ahead, changes would look older than they are.
        if (first && since_ && server_time && *server_time < now) *since_ -= now - *server_time;
        return take_change(asked, page, now, fresh);
    }
    if (first) {
        // The newest that was counted says it best: clocks of web servers may be off.
        for (const auto& c : page.contacts)
            if (c.created_at) began_there_ = std::max(began_there_, std::optional(*c.created_at + 1ms));
        if (!began_there_) began_there_ = server_time.value_or(began_);
    }
    switch (stage_) {
        case stage::first:
            part_total_ = page.total_entries;
            if (part_total_ <= 2 * shown_from_one_end) return plan_part(part_total_);
            // More than both ends show: in parts.
            if (parts_[part_].stage_id.empty()) {
                wants_stages_ = true;
            } else if (parts_[part_].label_id.empty()) {
                wants_labels_ = true;
            } else {
                if (problem_.empty()) problem_ = "a stage and label has more contacts than Apollo shows";
                part_total_ = 2 * shown_from_one_end;
                plan_part(part_total_);
            }
            return;
        case stage::newest:
            return take_newest(asked, page);
        case stage::oldest: {
            const bool fell = page.total_entries < part_total_;
            part_total_ = page.total_entries;
            // What came before its turn may miss what has moved up since.
            if (fell) ahead_.clear();
            if (asked.page == oldest_next_ || !fell) ahead_.push_back(asked.page);
            for (; is_ahead(oldest_next_); --oldest_next_)
                std::erase(ahead_, oldest_next_);
            if (oldest_next_ > 0) return;
            // Nothing has gone, and yet not all were shown.
            if (parts_.size() == 1 && seen_ < total_ && part_total_ >= total_ && !seam().empty())
                stage_ = stage::seam;
            else
                end_part();
            return;
        }
        case stage::seam:
            ++seam_read_;
            if (seen_ >= total_ || seam().empty()) end_part();
            return;
    }
}

void contact_reading::take_stages(const std::vector<std::string>& ids) {
    wants_stages_ = false;
    parts_.clear();
    for (const auto& id : ids)
        parts_.push_back({id, {}});
    part_ = 0;
    begin_part();
}

void contact_reading::take_labels(const std::vector<std::string>& ids) {
    wants_labels_ = false;
    const auto stage_id = parts_[part_].stage_id;
    std::vector<list_part> finer;
    for (const auto& id : ids)
        finer.push_back({stage_id, id});
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(part_));
    parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(part_), finer.begin(), finer.end());
    begin_part();
}

std::uint64_t contact_reading::requests_left() const {
    if (part_ >= parts_.size()) return 0;
    if (kind_ == reading_kind::changes) return 1;
    if (requests_ == 0) return 1;
    const auto all = std::max<std::uint64_t>(1, pages_of(total_));
    return all > requests_ ? all - requests_ : 1;
}

std::string contact_reading::gap() const {
    if (kind_ == reading_kind::all && unseen() > 0)
        return fmt::format("{} of {} contacts were not shown{}", unseen(), total_,
                           !problem_.empty()   ? ": " + problem_
                           : parts_.size() > 1 ? ": more than 100,000 are read by stage and label, and those without "
                                                 "a stage cannot be asked for"
                                               : ", as the list changed while it was read");
    return problem_;
}

}  // namespace taskbarge::job
