// Names for the cases of a parametrised test, made of their texts: the same at each build, and they say what the case
// is.
#pragma once

#include <gtest/gtest.h>

#include <cctype>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace taskbarge::test {

// GoogleTest allows letters, digits and '_': signs that tell cases apart become words, anything else one '_'. Two cases
// of one name end the program at its start.
inline std::string case_name(std::string_view text) {
    std::string name;
    const auto separate = [&name] {
        if (!name.empty() && name.back() != '_') name += '_';
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool before_digit = i + 1 < text.size() && std::isdigit(static_cast<unsigned char>(text[i + 1]));
        const std::string_view word = c == '+'                   ? "plus"
                                      : c == '?'                 ? "question"
                                      : c == '%'                 ? "percent"
                                      : c == '-' && before_digit ? "minus"
                                                                 : "";
        if (std::isalnum(static_cast<unsigned char>(c))) {
            name += c;
        } else {
            separate();
            if (!word.empty()) name.append(word) += '_';
        }
    }
    while (name.ends_with('_'))
        name.pop_back();
    return name.empty() ? "Empty" : name;
}

inline std::string case_name(const std::vector<std::string>& words) {
    std::string text;
    for (const auto& word : words)
        text.append(text.empty() ? "" : " ").append(word);
    return case_name(text);
}

// For INSTANTIATE_TEST_SUITE_P, with cases that are texts, numbers or lists of words.
struct by_value {
    template <class T>
    std::string operator()(const ::testing::TestParamInfo<T>& one) const {
        if constexpr (std::is_arithmetic_v<T>)
            return std::to_string(one.param);
        else
            return case_name(one.param);
    }
};

}  // namespace taskbarge::test
