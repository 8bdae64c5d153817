#include "job/contact_reading.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace taskbarge::job {

using client::contact_search;

namespace {

constexpr std::string_view form = "reading-1";
constexpr std::uint64_t page_size = contact_search::most_per_page;
// An answer may be from a copy of Apollo's index that is behind.
constexpr auto lag = std::chrono::hours(1);

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
    std::string out = fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}", form, static_cast<int>(kind_),
                                  number(began_), number(began_there_), number(since_), total_, seen_, requests_, part_,
                                  static_cast<int>(stage_), part_total_, newest_next_, oldest_pages_, oldest_next_,
                                  static_cast<int>(wants_stages_), static_cast<int>(wants_labels_), parts_.size());
    for (const auto& part : parts_)
        out += fmt::format(" {} {}", word(part.stage_id), word(part.label_id));
    return out + " " + problem_;
}

std::optional<contact_reading> contact_reading::read(std::string_view text) {
    std::istringstream in{std::string(text)};
    contact_reading r;
    std::string name;
    int kind = 0, at = 0, stages = 0, labels = 0;
    std::int64_t began = 0, there = 0, since = 0;
    std::size_t parts = 0;
    in >> name >> kind >> began >> there >> since >> r.total_ >> r.seen_ >> r.requests_ >> r.part_ >> at >>
        r.part_total_ >> r.newest_next_ >> r.oldest_pages_ >> r.oldest_next_ >> stages >> labels >> parts;
    constexpr std::size_t most_parts = 100'000;
    if (!in || name != form || kind < 0 || kind > 1 || at < 0 || at > 3 || parts > most_parts) return std::nullopt;
    r.kind_ = static_cast<reading_kind>(kind);
    r.stage_ = static_cast<stage>(at);
    r.began_ = *time(std::max<std::int64_t>(0, began));
    r.began_there_ = time(there);
    r.since_ = time(since);
    r.wants_stages_ = stages != 0;
    r.wants_labels_ = labels != 0;
    r.parts_.clear();
    for (std::size_t i = 0; i < parts; ++i) {
        std::string stage_id, label_id;
        if (!(in >> stage_id >> label_id)) return std::nullopt;
        r.parts_.push_back({from_word(stage_id), from_word(label_id)});
    }
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
            const auto last = pages_of(part_total_) - oldest_pages_;
            for (std::uint32_t page = newest_next_; page <= last && out.size() < most; ++page) {
                ask.page = page;
                out.push_back(ask);
            }
            break;
        }
        case stage::oldest:
            ask.ascending = true;
            for (std::uint32_t page = oldest_next_; page >= 1 && out.size() < most; --page) {
                ask.page = page;
                out.push_back(ask);
            }
            break;
        case stage::done:
            break;
    }
    return out;
}

void contact_reading::begin_part() {
    stage_ = stage::first;
    part_total_ = 0;
    newest_next_ = 1;
    oldest_pages_ = oldest_next_ = 0;
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

void contact_reading::take_change(const contact_search& asked, const client::contacts_page& page) {
    const bool fell = asked.page > 1 && page.total_entries < part_total_;
    const auto back = fell ? pages_of(part_total_ - page.total_entries) : 0;
    part_total_ = page.total_entries;
    const auto is_old = [&](const client::seen_contact& c) {
        return c.updated_at && since_ && *c.updated_at < *since_;
    };
    const bool all_old = std::all_of(page.contacts.begin(), page.contacts.end(), is_old);
    if (fell) {
        newest_next_ = static_cast<std::uint32_t>(asked.page > back ? asked.page - back : 1);
        return;
    }
    if (all_old || page.contacts.size() < page_size || std::uint64_t{asked.page} * page_size >= page.total_entries)
        return end_part();
    newest_next_ = asked.page + 1;
    // Beyond, Apollo shows nothing; and long before, the whole list is the safer reading for the same price.
    too_many_ = newest_next_ > contact_search::most_pages || requests_ > pages_of(page.total_entries);
}

void contact_reading::take(const contact_search& asked, const client::contacts_page& page,
                           std::optional<core::instant> server_time, std::uint64_t fresh) {
    ++requests_;
    seen_ += fresh;
    if (page.partial && problem_.empty()) problem_ = "Apollo says that it shows a part of the list only";
    if (!page.understood) {
        problem_ = "Apollo did not understand the filter by stage or label";
        part_ = parts_.size();
        return;
    }
    if (kind_ == reading_kind::changes) {
        if (!began_there_) {
            began_there_ = server_time.value_or(began_);
            total_ = page.total_entries;
        }
        return take_change(asked, page);
    }
    switch (stage_) {
        case stage::first:
            if (!began_there_) {
                began_there_ = server_time.value_or(began_);
                total_ = page.total_entries;
            }
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
        case stage::newest: {
            if (page.total_entries < part_total_) {
                const auto back = pages_of(part_total_ - page.total_entries);
                newest_next_ = static_cast<std::uint32_t>(asked.page > back ? asked.page - back : 1);
            } else if (asked.page == newest_next_) {
                ++newest_next_;
            }
            part_total_ = page.total_entries;
            if (pages_of(part_total_) < std::uint64_t{newest_next_} + oldest_pages_) stage_ = stage::oldest;
            if (newest_next_ > contact_search::most_pages) stage_ = stage::oldest;
            return;
        }
        case stage::oldest:
            part_total_ = page.total_entries;
            if (asked.page == oldest_next_) --oldest_next_;
            if (oldest_next_ == 0) end_part();
            return;
        case stage::done:
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
    if (!began_there_) return 1;
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
