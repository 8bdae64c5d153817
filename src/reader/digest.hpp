// SHA-256 over bytes as they come.
#pragma once

#include <openssl/evp.h>

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace taskbarge::reader {

class sha256 {
 public:
    sha256();
    void add(const char* data, std::size_t size);
    // Of all bytes added so far, lower-case hex.
    std::string hex() const;

 private:
    struct release {
        void operator()(EVP_MD_CTX* c) const { EVP_MD_CTX_free(c); }
    };
    std::unique_ptr<EVP_MD_CTX, release> context_;
};

// The same for input that is worked on meanwhile: large pieces are hashed beside the caller, one at a time. Used by one
// thread.
class input_digest_builder {
 public:
    input_digest_builder() = default;
    ~input_digest_builder();
    input_digest_builder(const input_digest_builder&) = delete;
    input_digest_builder& operator=(const input_digest_builder&) = delete;

    // Done when it returns.
    void add(const char* data, std::size_t size);
    // The bytes must stay as they are until the next call of any member.
    void add_beside(const char* data, std::size_t size);
    // Returns when nothing is being hashed.
    void settle();
    std::string hex();

 private:
    void work();

    sha256 digest_;
    std::mutex mutex_;
    std::condition_variable changed_;
    const char* data_ = nullptr;  // what the worker is at, or null
    std::size_t size_ = 0;
    bool stop_ = false;
    std::thread worker_;  // begun with the first large piece
};

}  // namespace taskbarge::reader
