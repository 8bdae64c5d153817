#include "cli/api_key.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace taskbarge::cli {

namespace {

constexpr const char* variable = "APOLLO_API_KEY";

core::failure unusable(const std::string& where, const std::string& what) {
    return {core::errc::no_key, fmt::format("the API key in {} cannot be used: {}", where, what)};
}

void trim(std::string& text) {
    constexpr const char* blanks = " \t\r\n";
    text.erase(text.find_last_not_of(blanks) + 1);
    text.erase(0, text.find_first_not_of(blanks));
}

// A key goes into a request header: what could end the header must not be in it.
core::result<core::secret> checked(std::string text, const std::string& where) {
    trim(text);
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    core::secret key(std::move(text));
    if (key.empty()) return unusable(where, "it is empty");
    if (!plain) return unusable(where, "it holds blanks, line breaks or characters that are not ASCII");
    return key;
}

core::result<core::secret> read_key_file(const std::string& path, std::vector<std::string>& warnings) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return core::failure{core::errc::no_key, fmt::format("apollo.api_key_file {}: {}", path, std::strerror(errno))};
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) return unusable(path, "it is not a file");
    if ((status.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH)) != 0)
        warnings.push_back(fmt::format("the API key file {} is open to others; run: chmod 600 {}", path, path));
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in)
        return core::failure{core::errc::no_key, fmt::format("apollo.api_key_file {}: {}", path, std::strerror(errno))};
    constexpr std::streamsize most = 4096;
    std::string text(most, '\0');
    in.read(text.data(), most);
    text.resize(static_cast<std::size_t>(in.gcount()));
    auto key = checked(text, path);
    OPENSSL_cleanse(text.data(), text.size());
    return key;
}

}  // namespace

core::secret take_key_from_environment() {
    char* value = std::getenv(variable);
    if (!value) return {};
    core::secret key{std::string(value)};
    // unsetenv alone would leave the text readable in /proc/PID/environ.
    OPENSSL_cleanse(value, std::strlen(value));
    ::unsetenv(variable);
    return key;
}

core::result<core::secret> load_key(core::secret from_environment, const core::settings& settings,
                                    std::vector<std::string>& warnings) {
    if (!from_environment.empty()) return checked(from_environment.reveal(), variable);
    if (!settings.apollo.api_key_file.empty()) return read_key_file(settings.apollo.api_key_file, warnings);
    return core::secret{};
}

core::failure no_key_failure() {
    return {core::errc::no_key, "no API key: set APOLLO_API_KEY, or apollo.api_key_file in the settings"};
}

}  // namespace taskbarge::cli
