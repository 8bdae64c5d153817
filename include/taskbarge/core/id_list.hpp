// The ids of a chunk: many short texts in one piece of memory, without an allocation for each.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace taskbarge::core {

namespace detail {

// Walks over whatever is indexed by `List::operator[]`, which gives values, not references.
template <class List, class Value>
class indexed_iterator {
 public:
    using iterator_category = std::input_iterator_tag;  // a reference would not be one
    using iterator_concept = std::random_access_iterator_tag;
    using value_type = Value;
    using difference_type = std::ptrdiff_t;
    using reference = Value;
    using pointer = void;

    indexed_iterator() = default;
    indexed_iterator(const List& list, std::size_t at) : list_(&list), at_(static_cast<difference_type>(at)) {}

    Value operator*() const { return (*list_)[static_cast<std::size_t>(at_)]; }
    Value operator[](difference_type n) const { return *(*this + n); }
    indexed_iterator& operator++() { return *this += 1; }
    indexed_iterator& operator--() { return *this -= 1; }
    indexed_iterator operator++(int) { return std::exchange(*this, *this + 1); }
    indexed_iterator operator--(int) { return std::exchange(*this, *this - 1); }
    indexed_iterator& operator+=(difference_type n) { return at_ += n, *this; }
    indexed_iterator& operator-=(difference_type n) { return at_ -= n, *this; }
    friend indexed_iterator operator+(indexed_iterator it, difference_type n) { return it += n; }
    friend indexed_iterator operator+(difference_type n, indexed_iterator it) { return it += n; }
    friend indexed_iterator operator-(indexed_iterator it, difference_type n) { return it -= n; }
    friend difference_type operator-(const indexed_iterator& a, const indexed_iterator& b) { return a.at_ - b.at_; }
    friend bool operator==(const indexed_iterator& a, const indexed_iterator& b) { return a.at_ == b.at_; }
    friend auto operator<=>(const indexed_iterator& a, const indexed_iterator& b) { return a.at_ <=> b.at_; }

 private:
    const List* list_ = nullptr;
    difference_type at_ = 0;
};

}  // namespace detail

// Ids in order; an id may be empty. Grows at its end only. Views into it hold until it is changed or moved.
// Together they have at most 4 GiB, far beyond any request.
class id_list {
 public:
    using value_type = std::string_view;
    using const_iterator = detail::indexed_iterator<id_list, std::string_view>;
    using iterator = const_iterator;

    id_list() = default;
    id_list(std::initializer_list<std::string_view> ids) : id_list(ids.begin(), ids.end()) {}
    template <std::input_iterator From, std::sentinel_for<From> End>
    id_list(From from, End end) {
        for (; from != end; ++from)
            push_back(*from);
    }

    void push_back(std::string_view id) {
        text_ += id;
        ends_.push_back(static_cast<std::uint32_t>(text_.size()));
    }
    // Adds an id of that size, to be written at once to where the pointer points.
    char* extend(std::size_t size) {
        text_.resize(text_.size() + size);
        ends_.push_back(static_cast<std::uint32_t>(text_.size()));
        return text_.data() + text_.size() - size;
    }
    void reserve(std::size_t ids, std::size_t bytes_each) {
        ends_.reserve(ids);
        text_.reserve(ids * bytes_each);
    }
    void clear() {
        text_.clear();
        ends_.clear();
    }

    std::size_t size() const { return ends_.size(); }
    bool empty() const { return ends_.empty(); }
    std::string_view operator[](std::size_t i) const {
        const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
        return {text_.data() + begin, ends_[i] - begin};
    }
    std::string_view front() const { return (*this)[0]; }
    std::string_view back() const { return (*this)[size() - 1]; }
    const_iterator begin() const { return {*this, 0}; }
    const_iterator end() const { return {*this, size()}; }
    friend bool operator==(const id_list&, const id_list&) = default;

 private:
    std::string text_;
    std::vector<std::uint32_t> ends_;  // of each id in the text
};

// Ids that belong to some of a chunk's rows, by the row's index.
class indexed_ids {
 public:
    using value_type = std::pair<std::uint32_t, std::string_view>;
    using const_iterator = detail::indexed_iterator<indexed_ids, value_type>;
    using iterator = const_iterator;

    indexed_ids() = default;
    indexed_ids(std::initializer_list<value_type> ids) {
        for (const auto& [index, id] : ids)
            emplace_back(index, id);
    }

    void emplace_back(std::uint32_t index, std::string_view id) {
        indexes_.push_back(index);
        ids_.push_back(id);
    }
    void reserve(std::size_t ids, std::size_t bytes_each) {
        indexes_.reserve(ids);
        ids_.reserve(ids, bytes_each);
    }

    std::size_t size() const { return indexes_.size(); }
    bool empty() const { return indexes_.empty(); }
    value_type operator[](std::size_t i) const { return {indexes_[i], ids_[i]}; }
    const_iterator begin() const { return {*this, 0}; }
    const_iterator end() const { return {*this, size()}; }
    friend bool operator==(const indexed_ids&, const indexed_ids&) = default;

 private:
    std::vector<std::uint32_t> indexes_;
    id_list ids_;
};

}  // namespace taskbarge::core
