#include "grouper/details_table.hpp"

#include <algorithm>
#include <cstring>

namespace taskbarge::grouper {

namespace {

constexpr std::uint64_t in_file = std::uint64_t{1} << 63;

using length = std::uint32_t;  // before each record in the file

template <class Number>
void append_number(std::string& out, Number number) {
    out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// All fields as one text. The length of user_id stands in front, so that no two details give the same text.
void write_record(const core::task_view& details, std::string& out) {
    out.clear();
    append_number(out, static_cast<std::uint32_t>(details.user_id.size()));
    append_number(out, details.type);
    append_number(out, details.priority);
    append_number(out, details.status);
    append_number(out, details.due_at.time_since_epoch().count());
    out += details.user_id;
    out += details.note;
}

}  // namespace

details_table::details_table(std::uint64_t memory, const std::string& spill_folder)
    : memory_(memory), file_(spill_folder), index_(0, hasher{this}, equality{this}) {}

core::result<details_table::answer> details_table::find_or_add(const core::task_view& details) {
    write_record(details, record_);
    const probe wanted{core::hash_of(details), record_};
    const auto found = index_.find(wanted);
    if (trouble_) return *trouble_;
    if (found != index_.end()) return answer{*found, false};
    auto place = keep(record_);
    if (!place) return place.error();
    entries_.push_back({wanted.hash, *place});
    const auto group = static_cast<core::group_number>(entries_.size());
    index_.insert(group);
    return answer{group, true};
}

core::result<std::uint64_t> details_table::keep(std::string_view record) {
    if (texts_.size() + record.size() <= memory_) return texts_.add(record);
    const auto place = file_.size() | in_file;
    const auto size = static_cast<length>(record.size());
    if (auto r = file_.append({reinterpret_cast<const char*>(&size), sizeof size}); !r) return r.error();
    if (auto r = file_.append(record); !r) return r.error();
    return place;
}

bool details_table::equal(core::group_number group, std::string_view record) const {
    const auto place = entries_[group - 1].place;
    if (!(place & in_file)) return texts_.at(place) == record;
    const auto from = place & ~in_file;
    // As much as the record looked for would take: one read shows whether it stands there.
    const auto wanted = std::min<std::uint64_t>(sizeof(length) + record.size(), file_.size() - from);
    read_.resize(wanted);
    if (auto r = file_.read(from, read_.data(), wanted); !r) {
        trouble_ = r.error();
        return false;
    }
    length size = 0;
    std::memcpy(&size, read_.data(), sizeof size);
    return size == record.size() && std::string_view(read_).substr(sizeof size) == record;
}

std::uint64_t details_table::memory() const {
    return texts_.size() + entries_.size() * sizeof(entry) + index_.bucket_count() * sizeof(core::group_number);
}

}  // namespace taskbarge::grouper
