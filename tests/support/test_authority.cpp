#include "support/test_authority.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace taskbarge::testing {

namespace {

template <auto Free>
struct freed {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, freed<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freed<BIO_free_all>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed<X509_EXTENSION_free>>;

constexpr long a_day = 24L * 3600;

template <class T>
T checked(T value, const char* what) {
    if (!value) throw std::runtime_error(std::string("test certificate: ") + what);
    return value;
}

template <class Write>
std::string pem_of(Write write) {
    const bio_ptr bio(checked(BIO_new(BIO_s_mem()), "buffer"));
    checked(write(bio.get()), "PEM");
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string pem_of(X509* cert) {
    return pem_of([&](BIO* b) { return PEM_write_bio_X509(b, cert); });
}

void add_extension(X509* cert, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
    const extension_ptr e(checked(X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str()), value.c_str()));
    checked(X509_add_ext(cert, e.get(), -1), "extension");
}

struct lifetime {
    long from, to;  // seconds from now
};

x509_ptr new_certificate(const std::string& name, EVP_PKEY* key, lifetime life) {
    static long serial = 1;
    x509_ptr cert(checked(X509_new(), "certificate"));
    X509_set_version(cert.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(cert.get()), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(cert.get()), life.from);
    X509_gmtime_adj(X509_getm_notAfter(cert.get()), life.to);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_pubkey(cert.get(), key);
    return cert;
}

}  // namespace

struct test_authority::parts {
    key_ptr key{checked(EVP_EC_gen("P-256"), "key")};
    x509_ptr cert;
};

test_authority::test_authority(const std::string& name) : parts_(std::make_unique<parts>()) {
    parts_->cert = new_certificate(name, parts_->key.get(), {-a_day, a_day});
    X509* const own = parts_->cert.get();
    X509_set_issuer_name(own, X509_get_subject_name(own));
    add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
    checked(X509_sign(own, parts_->key.get(), EVP_sha256()), "signature");
    pem_ = pem_of(own);
}

test_authority::~test_authority() = default;

certificate test_authority::issue(const std::vector<std::string>& names, validity when) const {
    const lifetime life = when == validity::now       ? lifetime{-a_day, a_day}
                          : when == validity::expired ? lifetime{-2 * a_day, -a_day}
                                                      : lifetime{a_day, 2 * a_day};
    const key_ptr key(checked(EVP_EC_gen("P-256"), "key"));
    const x509_ptr cert = new_certificate("taskbarge test server", key.get(), life);
    X509* const ca = parts_->cert.get();
    X509_set_issuer_name(cert.get(), X509_get_subject_name(ca));
    std::string all;
    for (const auto& n : names)
        all += (all.empty() ? "" : ",") + n;
    add_extension(cert.get(), ca, NID_subject_alt_name, all);
    checked(X509_sign(cert.get(), parts_->key.get(), EVP_sha256()), "signature");
    return {pem_of(cert.get()), pem_of([&](BIO* b) {
                return PEM_write_bio_PrivateKey(b, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
            })};
}

temporary_file::temporary_file(const std::string& text) {
    const char* const folder = std::getenv("TMPDIR");
    path_ = std::string(folder && *folder ? folder : "/tmp") + "/taskbarge-test-XXXXXX";
    const int fd = ::mkstemp(path_.data());
    if (fd < 0) throw std::runtime_error("no temporary file");
    const auto written = ::write(fd, text.data(), text.size());
    ::close(fd);
    if (written != static_cast<ssize_t>(text.size())) throw std::runtime_error("temporary file not written");
}

temporary_file::~temporary_file() {
    std::remove(path_.c_str());
}

}  // namespace taskbarge::testing
