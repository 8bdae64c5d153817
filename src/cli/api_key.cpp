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

#include "taskbarge/core/shortage.hpp"

namespace taskbarge::cli {

namespace {

constexpr const char* key_variable = "APOLLO_API_KEY";
constexpr const char* token_variable = "TASKBARGE_TOKEN";
constexpr const char* read_token_variable = "TASKBARGE_READ_TOKEN";

// A secret's name and kind of failure, for messages.
struct purpose {
    const char* what;      // "API key"
    const char* setting;   // that names its file
    const char* variable;  // that may hold it; empty: none
    core::errc code;       // of what is there but cannot be used
};
constexpr purpose api_key{"API key", "apollo.api_key_file", key_variable, core::errc::no_key};
constexpr purpose token{"token", "serve.token_file", token_variable, core::errc::settings};
constexpr purpose read_token{"token for reading", "serve.read_token_file", read_token_variable, core::errc::settings};
constexpr purpose notify_secret{"key for notifications", "notify.secret_file", "", core::errc::settings};

core::failure unusable(const purpose& p, const std::string& where, const std::string& what) {
    return {p.code, fmt::format("the {} in {} cannot be used: {}", p.what, where, what)};
}

void trim(std::string& text) {
    constexpr const char* blanks = " \t\r\n";
    text.erase(text.find_last_not_of(blanks) + 1);
    text.erase(0, text.find_first_not_of(blanks));
}

// How a secret is written down for a shell, which here nobody reads: `docker --env-file` and systemd's LoadCredential
// pass quotes and names on. Empty: nothing of the kind. The text repeats nothing of the secret.
std::string shell_writing(const std::string& text, const char* variable) {
    const auto name_end = text.find('=');
    const auto begins = [&](std::string_view word) { return text.rfind(word, 0) == 0; };
    if (begins("export ") || begins("export\t"))
        return "it begins with \"export\", as for a shell; leave only the secret itself";
    const bool is_name = name_end != std::string::npos && name_end > 0 && name_end + 1 < text.size() &&
                         text[name_end + 1] != '=' &&
                         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == name_end;
    if ((*variable != '\0' && begins(std::string(variable) + "=")) || (is_name && text.find('_') < name_end))
        return "it begins with a name and \"=\", as a line of an environment file does; leave only what stands behind "
               "it";
    constexpr std::string_view quotes = "\"'`";
    if (quotes.find(text.front()) != std::string_view::npos || quotes.find(text.back()) != std::string_view::npos)
        return "it stands in quotes, which are taken as part of it here; leave them out";
    if (begins("Bearer ") || begins("bearer ")) return "it begins with \"Bearer\"; leave only the secret itself";
    return "";
}

// A key goes into a request header: what could end the header must not be in it.
core::result<core::secret> checked(const purpose& p, std::string text, const std::string& where) {
    trim(text);
    if (const auto how = text.empty() ? std::string() : shell_writing(text, p.variable); !how.empty()) {
        OPENSSL_cleanse(text.data(), text.size());
        return unusable(p, where, how);
    }
    const bool plain = std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; });
    core::secret key(std::move(text));
    if (key.empty()) return unusable(p, where, "it is empty");
    if (!plain) return unusable(p, where, "it holds blanks, line breaks or characters that are not ASCII");
    return key;
}

core::result<core::secret> read_file(const purpose& p, const std::string& path, std::vector<std::string>& warnings) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0)
        return core::failure{p.code, fmt::format("{} {}: {}", p.setting, path, std::strerror(errno))};
    if (!S_ISREG(status.st_mode) && !S_ISFIFO(status.st_mode)) return unusable(p, path, "it is not a file");
    if ((status.st_mode & (S_IRGRP | S_IROTH | S_IWGRP | S_IWOTH)) != 0)
        warnings.push_back(fmt::format("the {} file {} is open to others; run: chmod 600 {}", p.what, path, path));
    errno = 0;
    std::ifstream in(path, std::ios::binary);
    if (!in) {
        if (auto why = core::shortage_of(path, errno)) return *why;
        return core::failure{p.code, fmt::format("{} {}: {}", p.setting, path, std::strerror(errno))};
    }
    constexpr std::streamsize most = 4096;
    std::string text(most, '\0');
    in.read(text.data(), most);
    text.resize(static_cast<std::size_t>(in.gcount()));
    auto key = checked(p, text, path);
    OPENSSL_cleanse(text.data(), text.size());
    return key;
}

core::secret take_from_environment(const char* variable) {
    char* value = std::getenv(variable);
    if (!value) return {};
    core::secret key{std::string(value)};
    // unsetenv alone would leave the text readable in /proc/PID/environ.
    OPENSSL_cleanse(value, std::strlen(value));
    ::unsetenv(variable);
    return key;
}

core::result<core::secret> load(const purpose& p, const core::secret& from_environment, const char* variable,
                                const std::string& file, std::vector<std::string>& warnings) {
    if (!from_environment.empty()) return checked(p, from_environment.reveal(), variable);
    if (!file.empty()) return read_file(p, file, warnings);
    return core::secret{};
}

}  // namespace

core::secret take_key_from_environment() {
    return take_from_environment(key_variable);
}

service_tokens take_tokens_from_environment() {
    return {take_from_environment(token_variable), take_from_environment(read_token_variable)};
}

core::result<core::secret> load_key(const core::secret& from_environment, const core::settings& settings,
                                    std::vector<std::string>& warnings) {
    return load(api_key, from_environment, key_variable, settings.apollo.api_key_file, warnings);
}

core::result<service_tokens> load_tokens(const service_tokens& from_environment, const core::settings& settings,
                                         std::vector<std::string>& warnings) {
    auto all = load(token, from_environment.all, token_variable, settings.serve.token_file, warnings);
    if (!all) return all.error();
    auto reading =
        load(read_token, from_environment.reading, read_token_variable, settings.serve.read_token_file, warnings);
    if (!reading) return reading.error();
    return service_tokens{std::move(*all), std::move(*reading)};
}

core::result<core::secret> load_notify_secret(const core::settings& settings, std::vector<std::string>& warnings) {
    return load(notify_secret, {}, "", settings.notify.secret_file, warnings);
}

core::failure no_key_failure() {
    return {core::errc::no_key, "no API key: set APOLLO_API_KEY, or apollo.api_key_file in the settings"};
}

}  // namespace taskbarge::cli
