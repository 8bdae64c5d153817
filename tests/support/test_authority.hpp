// Certificates made at the start of a test, never stored with the sources.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace taskbarge::testing {

// A server's certificate and key, PEM.
struct certificate {
    std::string certificate_pem;
    std::string key_pem;
};

enum class validity { now, expired, not_yet };

// A certificate authority of its own. Failures of OpenSSL throw.
class test_authority {
 public:
    explicit test_authority(const std::string& name = "taskbarge test authority");
    ~test_authority();
    test_authority(const test_authority&) = delete;
    test_authority& operator=(const test_authority&) = delete;

    const std::string& pem() const { return pem_; }
    // `names`: subjectAltName entries such as "DNS:localhost" or "IP:127.0.0.1".
    certificate issue(const std::vector<std::string>& names, validity when = validity::now) const;

 private:
    struct parts;
    std::unique_ptr<parts> parts_;
    std::string pem_;
};

// A file with the given text that is removed at the end.
class temporary_file {
 public:
    explicit temporary_file(const std::string& text);
    ~temporary_file();
    temporary_file(const temporary_file&) = delete;
    temporary_file& operator=(const temporary_file&) = delete;
    const std::string& path() const { return path_; }

 private:
    std::string path_;
};

}  // namespace taskbarge::testing
