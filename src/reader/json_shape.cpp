#include "reader/json_shape.hpp"

#include <algorithm>

#include "reader/text.hpp"

namespace taskbarge::reader {
namespace {

const char* behind_digits(const char* p, const char* end) {
    while (p < end && is_digit(*p))
        ++p;
    return p;
}

// Where the number at `p` ends; null when there is none, or one with an exponent or more digits than surely fit.
const char* behind_number(const char* p, const char* end) {
    constexpr std::ptrdiff_t longest = 16;
    const char* const whole = p < end && *p == '-' ? p + 1 : p;
    const char* at = behind_digits(whole, end);
    if (at == whole || (*whole == '0' && at > whole + 1)) return nullptr;
    if (at < end && *at == '.') {
        const char* const fraction = at + 1;
        at = behind_digits(fraction, end);
        if (at == fraction) return nullptr;
    }
    const bool goes_on = at < end && (*at == 'e' || *at == 'E');
    return goes_on || at - p > longest ? nullptr : at;
}

}  // namespace

std::optional<json_shape> json_shape::of(std::string_view line, const json_framer& quotes,
                                         const simdjson::dom::object& object,
                                         const per_field<std::optional<std::size_t>>& places) {
    json_shape shape;
    const char* const end = line.data() + line.size();
    const char* from = line.data();  // where the piece begins
    const char* quote = quotes.next_quote(from);
    const auto next = [&] { return quote == end ? end : quotes.next_quote(quote + 1); };
    std::size_t place = 0;
    for (const auto [key, value] : object) {
        if (value.is_array() || value.is_object()) return std::nullopt;
        quote = next();
        const char* const key_end = quote;
        quote = next();
        std::optional<field> at;
        for (const field f : all_fields)
            if (places[f] == place) at = f;
        ++place;
        if (at && !value.is_string() && !(at == field::hubspot_id && value.is_uint64())) return std::nullopt;
        if (at) shape.keys_[*at] = key;
        if (value.is_string()) {
            shape.add({from, static_cast<std::size_t>(quote + 1 - from)}, value_kind::string, at);
            from = quote = next();
            quote = next();
        } else if (value.is_number()) {
            const char* const number = std::find_if(key_end, end, [](char c) { return c == '-' || is_digit(c); });
            const char* const behind = behind_number(number, end);
            if (behind == nullptr) return std::nullopt;
            shape.add({from, static_cast<std::size_t>(number - from)}, value_kind::number, at);
            from = behind;
        }
    }
    shape.between_.append(from, end);
    for (const field f : all_fields)
        if (!places[f]) shape.absent_.push_back(f);
    return shape;
}

bool json_shape::read(std::string_view line, const json_framer& quotes, field_texts& texts) const {
    const char* const end = line.data() + line.size();
    const char* from = line.data();
    const char* expected = between_.data();
    for (const piece& p : pieces_) {
        if (static_cast<std::size_t>(end - from) < p.size || !same_bytes(from, expected, p.size)) return false;
        const char* const text = from + p.size;
        expected += p.size;
        from = p.before == value_kind::string ? quotes.next_quote(text) : behind_number(text, end);
        if (from == nullptr) return false;
        // Other numbers than whole ones are the parser's.
        if (p.at && p.before == value_kind::number && !std::all_of(text, from, is_digit)) return false;
        if (p.at) texts[*p.at] = {text, static_cast<std::size_t>(from - text)};
    }
    const auto rest = static_cast<std::size_t>(between_.data() + between_.size() - expected);
    if (static_cast<std::size_t>(end - from) != rest || !same_bytes(from, expected, rest)) return false;
    for (const field f : absent_)
        texts[f] = {};
    return true;
}

const json_shape* json_shapes::read(std::string_view line, const json_framer& quotes, field_texts& texts) {
    ++vain_;
    credit_ = std::min(credit_ + 1, most_credit);
    if (looked_in_vain()) return nullptr;
    for (std::size_t tried = 0; tried < known_.size(); ++tried) {
        const std::size_t i = (last_ + tried) % known_.size();
        if (!known_[i].read(line, quotes, texts)) continue;
        last_ = i;
        vain_ = 0;
        return &known_[i];
    }
    return nullptr;
}

bool json_shapes::worth_learning() {
    if (looked_in_vain() || credit_ < price) return false;
    credit_ -= price;
    return true;
}

void json_shapes::learn(json_shape shape) {
    if (known_.size() < most_known) {
        known_.push_back(std::move(shape));
        return;
    }
    if (next_ == last_) next_ = (next_ + 1) % most_known;
    known_[next_] = std::move(shape);
    next_ = (next_ + 1) % most_known;
}

}  // namespace taskbarge::reader
