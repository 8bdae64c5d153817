#include "reader/digest.hpp"

#include <array>
#include <stdexcept>

namespace taskbarge::reader {
namespace {

void require(int ok) {
    if (ok != 1) throw std::runtime_error("SHA-256 is not available from OpenSSL");
}

}  // namespace

sha256::sha256() : context_(EVP_MD_CTX_new()) {
    if (!context_) throw std::bad_alloc();
    require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void sha256::add(const char* data, std::size_t size) {
    require(EVP_DigestUpdate(context_.get(), data, size));
}

input_digest_builder::~input_digest_builder() {
    if (!worker_.joinable()) return;
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    worker_.join();
}

void input_digest_builder::add(const char* data, std::size_t size) {
    settle();
    digest_.add(data, size);
}

void input_digest_builder::add_beside(const char* data, std::size_t size) {
    constexpr std::size_t worth_it = 64 << 10;  // hashed in some 40 us, a few times what waking a thread takes
    if (size < worth_it) return add(data, size);
    settle();
    if (!worker_.joinable()) worker_ = std::thread([this] { work(); });
    {
        const std::lock_guard lock(mutex_);
        data_ = data;
        size_ = size;
    }
    changed_.notify_all();
}

void input_digest_builder::settle() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return data_ == nullptr; });
}

std::string input_digest_builder::hex() {
    settle();
    return digest_.hex();
}

void input_digest_builder::work() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return data_ != nullptr || stop_; });
        if (data_ == nullptr) return;
        // Others only wait while there is work, so the lock need not be held.
        lock.unlock();
        digest_.add(data_, size_);
        lock.lock();
        data_ = nullptr;
        changed_.notify_all();
    }
}

std::string sha256::hex() const {
    // Finishing spoils a context; the copy leaves this one open for more.
    const std::unique_ptr<EVP_MD_CTX, release> copy(EVP_MD_CTX_new());
    if (!copy) throw std::bad_alloc();
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    require(EVP_MD_CTX_copy_ex(copy.get(), context_.get()));
    require(EVP_DigestFinal_ex(copy.get(), bytes.data(), &size));
    constexpr char digits[] = "0123456789abcdef";
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        out += digits[bytes[i] >> 4];
        out += digits[bytes[i] & 15];
    }
    return out;
}

}  // namespace taskbarge::reader
