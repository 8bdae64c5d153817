#include "sandbox/certificates.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>

namespace taskbarge::sandbox {

namespace {

constexpr long validity_seconds = 3650L * 24 * 3600;
constexpr long spare_seconds = 24L * 3600;

template <auto Free>
struct freer {
    template <class T>
    void operator()(T* p) const {
        Free(p);
    }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freer<EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freer<X509_free>>;
using bio_ptr = std::unique_ptr<BIO, freer<BIO_free>>;

// OpenSSL fails here only for want of memory or entropy, or by a bug of ours.
void must(bool ok) {
    if (!ok) throw std::runtime_error("sandbox certificates: OpenSSL refused");
}

key_ptr make_key() {
    key_ptr key(EVP_EC_gen("P-256"));
    must(key != nullptr);
    return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, freer<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

certificate_ptr begin_certificate(EVP_PKEY* key, const char* common_name) {
    certificate_ptr certificate(X509_new());
    must(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
    std::uint64_t serial = 0;
    must(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1) == 1);
    must(X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -spare_seconds) != nullptr);
    must(X509_gmtime_adj(X509_getm_notAfter(certificate.get()), validity_seconds) != nullptr);
    must(X509_set_pubkey(certificate.get(), key) == 1);
    X509_NAME* name = X509_get_subject_name(certificate.get());
    for (const auto& [field, value] : {std::pair{"O", "taskbarge sandbox"}, std::pair{"CN", common_name}}) {
        must(X509_NAME_add_entry_by_txt(name, field, MBSTRING_ASC, reinterpret_cast<const unsigned char*>(value), -1,
                                        -1, 0) == 1);
    }
    return certificate;
}

certificate_ptr make_ca(EVP_PKEY* key) {
    certificate_ptr ca = begin_certificate(key, "taskbarge sandbox CA");
    must(X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())) == 1);
    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    must(X509_sign(ca.get(), key, EVP_sha256()) > 0);
    return ca;
}

certificate_ptr make_server(EVP_PKEY* key, X509* ca, EVP_PKEY* ca_key) {
    certificate_ptr server = begin_certificate(key, "localhost");
    must(X509_set_issuer_name(server.get(), X509_get_subject_name(ca)) == 1);
    add_extension(server.get(), ca, NID_basic_constraints, "critical,CA:FALSE");
    add_extension(server.get(), ca, NID_key_usage, "critical,digitalSignature");
    add_extension(server.get(), ca, NID_ext_key_usage, "serverAuth");
    add_extension(server.get(), ca, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1");
    add_extension(server.get(), ca, NID_subject_key_identifier, "hash");
    add_extension(server.get(), ca, NID_authority_key_identifier, "keyid");
    must(X509_sign(server.get(), ca_key, EVP_sha256()) > 0);
    return server;
}

certificate_ptr load_certificate(const std::string& path) {
    const bio_ptr file(BIO_new_file(path.c_str(), "r"));
    return certificate_ptr(file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr);
}

bool good_for_a_day(X509* certificate) {
    time_t tomorrow = time(nullptr) + spare_seconds;
    return X509_cmp_time(X509_get0_notBefore(certificate), nullptr) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &tomorrow) > 0;
}

bool still_good(const certificate_files& files) {
    const certificate_ptr ca = load_certificate(files.ca);
    const certificate_ptr server = load_certificate(files.server);
    const bio_ptr key_file(BIO_new_file(files.key.c_str(), "r"));
    const key_ptr key(key_file ? PEM_read_bio_PrivateKey(key_file.get(), nullptr, nullptr, nullptr) : nullptr);
    return ca && server && key && good_for_a_day(ca.get()) && good_for_a_day(server.get()) &&
           X509_check_private_key(server.get(), key.get()) == 1 &&
           X509_verify(server.get(), X509_get0_pubkey(ca.get())) == 1 &&
           X509_check_host(server.get(), "localhost", 0, 0, nullptr) == 1 &&
           X509_check_ip_asc(server.get(), "127.0.0.1", 0) == 1;
}

core::failure cannot_write(const std::string& path) {
    return {core::errc::io, "sandbox: cannot write " + path + ": " + std::strerror(errno)};
}

// Written beside and renamed, so that another sandbox never reads half a file.
core::result<void> write_file(const std::string& path, BIO* content, mode_t mode) {
    const std::string beside = path + "." + std::to_string(getpid());
    const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    if (fd < 0) return cannot_write(path);
    char* data = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(content, &data));
    const bool written = write(fd, data, size) == static_cast<ssize_t>(size);
    if (close(fd) != 0 || !written || std::rename(beside.c_str(), path.c_str()) != 0) {
        const core::failure why = cannot_write(path);
        unlink(beside.c_str());
        return why;
    }
    return {};
}

core::result<void> write_certificate(const std::string& path, X509* certificate) {
    const bio_ptr text(BIO_new(BIO_s_mem()));
    must(text != nullptr && PEM_write_bio_X509(text.get(), certificate) == 1);
    return write_file(path, text.get(), 0644);
}

core::result<void> write_key(const std::string& path, EVP_PKEY* key) {
    const bio_ptr text(BIO_new(BIO_s_mem()));
    must(text != nullptr && PEM_write_bio_PrivateKey(text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return write_file(path, text.get(), 0600);
}

}  // namespace

core::result<certificate_files> provide_certificates(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return core::failure{core::errc::io, "sandbox: cannot make folder " + folder + ": " + error.message()};
    certificate_files files{folder + "/ca.pem", folder + "/server.pem", folder + "/server.key"};
    if (still_good(files)) return files;

    const key_ptr ca_key = make_key();
    const certificate_ptr ca = make_ca(ca_key.get());
    const key_ptr key = make_key();
    const certificate_ptr server = make_server(key.get(), ca.get(), ca_key.get());
    if (auto r = write_key(files.key, key.get()); !r) return r.error();
    if (auto r = write_certificate(files.server, server.get()); !r) return r.error();
    if (auto r = write_certificate(files.ca, ca.get()); !r) return r.error();
    return files;
}

}  // namespace taskbarge::sandbox
