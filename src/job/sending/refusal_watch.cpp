#include "job/sending/refusal_watch.hpp"

#include <algorithm>
#include <utility>

namespace taskbarge::job {

namespace {

constexpr std::uint32_t singles_needed = 3;

bool is_word_part(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
           static_cast<unsigned char>(c) >= 0x80;
}

bool has_digit(std::string_view word) {
    return std::any_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string bare_words(std::string_view message) {
    std::string out;
    for (std::size_t i = 0; i < message.size();) {
        if (message[i] == '"') {
            const auto end = std::min(message.find('"', i + 1), message.size() - 1);
            out += '#';
            i = end + 1;
            continue;
        }
        auto end = i;
        while (end < message.size() && is_word_part(message[end]))
            ++end;
        if (end == i) {
            out += message[i++];
            continue;
        }
        const auto word = message.substr(i, end - i);
        if (has_digit(word))
            out += '#';
        else
            out += word;
        i = end;
    }
    return out;
}

refusal_watch::refusal_watch(std::uint32_t most, bool anything_created)
    : most_(most), ended_(most == 0 || anything_created) {}

void refusal_watch::refused(const ledger::chunk_record& chunk, const std::string& message) {
    if (ended_) return;
    auto words = bare_words(message);
    if (groups_.empty()) {
        words_ = std::move(words);
        shown_ = message;
    } else if (words != words_) {
        return end();
    }
    groups_.insert(chunk.group);
    if (chunk.contacts.size() == 1) contacts_.emplace(chunk.contacts.contact_ids.front());
}

bool refusal_watch::all_alike() const {
    if (ended_ || groups_.size() < 2 || contacts_.size() < std::min(singles_needed, most_)) return false;
    return std::max<std::size_t>(groups_.size(), contacts_.size()) >= most_;
}

}  // namespace taskbarge::job
