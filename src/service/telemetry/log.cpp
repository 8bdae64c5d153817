#include "service/telemetry/log.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>

#include "taskbarge/core/json_text.hpp"
#include "taskbarge/core/printable.hpp"

namespace taskbarge::service {

namespace {

// Room for any path; a longer value is cut, so that a line stays one that collectors take.
constexpr std::size_t most_of_a_value = 4096;

// The words of log.level.
std::string_view word(log_level level) {
    constexpr std::array<std::string_view, 4> words{"debug", "info", "warning", "error"};
    return words.at(static_cast<std::size_t>(level));
}

spdlog::level::level_enum weight(log_level level) {
    constexpr std::array weights{spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err};
    return weights.at(static_cast<std::size_t>(level));
}

bool goes_bare(std::string_view value) {
    return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
        return c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '=';
    });
}

// A word as it is, anything else in quotes with JSON's escapes.
void append_plain(std::string& out, const std::string& value) {
    if (goes_bare(value)) {
        out += value;
    } else {
        core::append_json_string(out, value);
    }
}

std::string plain_line(log_level level, std::string_view event, std::initializer_list<log_field> fields,
                       std::string_view message) {
    std::string line = fmt::format("{:<5} ", word(level));
    append_plain(line, core::printable(event, most_of_a_value));
    for (const auto& f : fields) {
        fmt::format_to(std::back_inserter(line), " {}=", f.name);
        append_plain(line, core::printable(f.value, most_of_a_value));
    }
    if (!message.empty()) {
        line += ' ';
        core::append_json_string(line, core::printable(message, most_of_a_value));
    }
    return line;
}

// All but the opening brace and the time, which are the pattern's.
std::string json_line(log_level level, std::string_view event, std::initializer_list<log_field> fields,
                      std::string_view message) {
    std::string line;
    core::json_object object(line);
    object.text("level", word(level));
    object.text("event", core::printable(event, most_of_a_value));
    for (const auto& f : fields) {
        if (f.is_number) {
            object.raw(f.name, f.value);
        } else {
            object.text(f.name, core::printable(f.value, most_of_a_value));
        }
    }
    if (!message.empty()) object.text("message", core::printable(message, most_of_a_value));
    object.close();
    line.erase(0, 1);
    return line;
}

std::unique_ptr<spdlog::logger> make_logger(const std::string& pattern) {
    // Its lock is one for all sinks on standard error, and each line is one write.
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_formatter(
        std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc, std::string("\n")));
    return std::make_unique<spdlog::logger>("taskbarge", std::move(sink));
}

}  // namespace

// One logger a form, so that a line that is being written while the form changes has the form it was made in.
struct log::impl {
    std::unique_ptr<spdlog::logger> plain = make_logger("%Y-%m-%dT%H:%M:%S.%eZ %v");
    std::unique_ptr<spdlog::logger> json = make_logger(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)");
    std::atomic<core::log_form> form{core::log_form::plain};
};

log::log(const core::log_settings& settings) : impl_(std::make_unique<impl>()) {
    configure(settings);
}

log::~log() = default;

void log::configure(const core::log_settings& settings) {
    for (auto* logger : {impl_->plain.get(), impl_->json.get()})
        logger->set_level(weight(settings.level));
    impl_->form = settings.format;
}

void log::write(log_level level, std::string_view event, std::initializer_list<log_field> fields,
                std::string_view message) {
    const bool json = impl_->form == core::log_form::json;
    spdlog::logger& logger = json ? *impl_->json : *impl_->plain;
    if (!logger.should_log(weight(level))) return;
    const std::string line =
        json ? json_line(level, event, fields, message) : plain_line(level, event, fields, message);
    logger.log(weight(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace taskbarge::service
