#include "service/http/tickets.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "taskbarge/core/sha256.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::service::http {

tickets::issued tickets::issue(std::string path) {
    core::sha256_digest random;
    if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1)
        throw std::runtime_error("OpenSSL has no random bytes for a ticket");
    drop_old();
    if (valid_.size() == most) valid_.pop_front();
    auto word = core::hex(random);
    valid_.push_back({word, std::move(path), clock_.steady_now() + lifetime});
    return {std::move(word), clock_.now() + lifetime};
}

bool tickets::redeem(std::string_view ticket, std::string_view path) {
    drop_old();
    // Nobody can measure how much of 256 random bits was right by how long this takes.
    const auto found = std::ranges::find(valid_, ticket, &entry::ticket);
    if (found == valid_.end() || found->path != path) return false;
    valid_.erase(found);
    return true;
}

void tickets::drop_old() {
    while (!valid_.empty() && valid_.front().until <= clock_.steady_now())
        valid_.pop_front();
}

}  // namespace taskbarge::service::http
