// The body of an answer as it is read, within what all answers of a client may hold together.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/optional/optional.hpp>
#include <cstdint>
#include <string>
#include <utility>

#include "client/text.hpp"

namespace taskbarge::client {

// Bytes that the large answers of one client share. An answer has its first part to itself and takes the rest from
// here: ordinary ones never meet, and not every connection can hold a giant.
class answer_budget {
 public:
    static constexpr std::uint64_t first_part = 1U << 20U;

    explicit answer_budget(std::uint64_t bytes) : left_(bytes) {}
    std::uint64_t left() const { return left_; }
    bool take(std::uint64_t bytes) {
        if (bytes > left_) return false;
        left_ -= bytes;
        return true;
    }
    void give_back(std::uint64_t bytes) { left_ += bytes; }

 private:
    std::uint64_t left_;
};

// What one answer has taken from the budget, given back at its end.
class budget_share {
 public:
    budget_share() = default;
    explicit budget_share(answer_budget& of) : of_(&of) {}
    budget_share(budget_share&& o) noexcept : of_(std::exchange(o.of_, nullptr)), taken_(std::exchange(o.taken_, 0)) {}
    budget_share& operator=(budget_share&& o) noexcept {
        std::swap(of_, o.of_);
        std::swap(taken_, o.taken_);
        return *this;
    }
    ~budget_share() {
        if (of_ != nullptr) of_->give_back(taken_);
    }

    // Whether a text may be so large.
    bool grow_to(std::uint64_t bytes) {
        const auto wanted = bytes - std::min(bytes, answer_budget::first_part);
        if (of_ == nullptr || wanted <= taken_) return true;
        if (!of_->take(wanted - taken_)) return false;
        taken_ = wanted;
        return true;
    }

 private:
    answer_budget* of_ = nullptr;
    std::uint64_t taken_ = 0;
};

// A Body of Beast's for what is read.
struct answer_body {
    struct value_type {
        std::string text;  // with room behind it for who parses it in place
        std::uint64_t limit = 0;
        budget_share share, unpacked;
        bool no_room = false;  // it ended because the budget was used up
    };

    class reader {
     public:
        template <bool IsRequest, class Fields>
        reader(boost::beast::http::header<IsRequest, Fields>& /*head*/, value_type& body) : body_(body) {}

        void init(const boost::optional<std::uint64_t>& length, boost::system::error_code& ec) {
            ec = {};
            most_ = std::min(length.value_or(body_.limit), body_.limit) + simdjson::SIMDJSON_PADDING;
            // No more at once than each may have: a length is only a promise.
            if (length) body_.text.reserve(static_cast<std::size_t>(std::min(most_, answer_budget::first_part)));
        }

        template <class Buffers>
        std::size_t put(const Buffers& buffers, boost::system::error_code& ec) {
            const auto size = boost::beast::buffer_bytes(buffers);
            ec = {};
            if (!make_room(body_.text.size() + size + simdjson::SIMDJSON_PADDING)) {
                body_.no_room = true;
                ec = boost::beast::http::error::body_limit;
                return 0;
            }
            for (const auto piece : boost::beast::buffers_range_ref(buffers))
                body_.text.append(static_cast<const char*>(piece.data()), piece.size());
            return size;
        }

        void finish(boost::system::error_code& ec) { ec = {}; }

     private:
        // Twice as much each time, but not beyond what can come.
        bool make_room(std::uint64_t needed) {
            const std::uint64_t has = body_.text.capacity();
            if (needed <= has) return true;
            const auto wanted = std::max(needed, std::min(2 * has, most_));
            if (!body_.share.grow_to(wanted)) return false;
            reserve_exactly(body_.text, static_cast<std::size_t>(wanted));
            return true;
        }

        value_type& body_;
        std::uint64_t most_ = 0;
    };
};

}  // namespace taskbarge::client
