#include "grouper/details_table.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <type_traits>

namespace taskbarge::grouper {

namespace {

constexpr std::uint64_t in_file = std::uint64_t{1} << 63;

using length = std::uint32_t;  // before each record in the file

// What stands before the texts of a record. The length of user_id is among it, so that no two details give the same
// record. Without padding.
struct record_head {
    explicit record_head(const core::task_view& details)
        : due_at(details.due_at.time_since_epoch().count()),
          user_id_size(static_cast<std::uint32_t>(details.user_id.size())),
          words{static_cast<std::uint8_t>(details.type), static_cast<std::uint8_t>(details.priority),
                static_cast<std::uint8_t>(details.status), 0} {}
    std::int64_t due_at;
    std::uint32_t user_id_size;
    std::array<std::uint8_t, 4> words;
};
static_assert(std::has_unique_object_representations_v<record_head>);

// All fields as one text.
void write_record(const core::task_view& details, std::string& out) {
    const record_head head(details);
    out.assign(reinterpret_cast<const char*>(&head), sizeof head);
    out += details.user_id;
    out += details.note;
}

// The same as comparing with write_record(), without writing it.
bool is_record_of(const core::task_view& details, std::string_view record) {
    const record_head head(details);
    const auto user_id_end = sizeof head + details.user_id.size();
    return record.size() == user_id_end + details.note.size() && std::memcmp(record.data(), &head, sizeof head) == 0 &&
           record.substr(sizeof head, details.user_id.size()) == details.user_id &&
           record.substr(user_id_end) == details.note;
}

}  // namespace

details_table::details_table(std::uint64_t memory, const std::string& spill_folder)
    : memory_(memory), file_(spill_folder), index_(0, hasher{this}, equality{this}) {}

core::result<details_table::answer> details_table::find_or_add(const core::task_view& details) {
    const probe wanted{core::hash_of(details), details};
    const auto found = index_.find(wanted);
    if (trouble_) return *trouble_;
    if (found != index_.end()) return answer{*found, false};
    write_record(details, record_);
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

bool details_table::equal(core::group_number group, const core::task_view& details) const {
    const auto place = entries_[group - 1].place;
    return place & in_file ? equal_in_file(place & ~in_file, details) : is_record_of(details, texts_.at(place));
}

bool details_table::equal_in_file(std::uint64_t from, const core::task_view& details) const {
    write_record(details, record_);
    // As much as the record looked for would take: one read shows whether it stands there.
    const auto wanted = std::min<std::uint64_t>(sizeof(length) + record_.size(), file_.size() - from);
    read_.resize(wanted);
    if (auto r = file_.read(from, read_.data(), wanted); !r) {
        trouble_ = r.error();
        return false;
    }
    length size = 0;
    std::memcpy(&size, read_.data(), sizeof size);
    return size == record_.size() && std::string_view(read_).substr(sizeof size) == record_;
}

std::uint64_t details_table::memory() const {
    return texts_.size() + entries_.size() * sizeof(entry) + index_.bucket_count() * sizeof(core::group_number);
}

}  // namespace taskbarge::grouper
