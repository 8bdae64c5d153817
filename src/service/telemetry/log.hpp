// The service's log: one line an event, plain or JSON, on standard error. Never the key, a token, or a note.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "taskbarge/core/error.hpp"
#include "taskbarge/core/settings.hpp"

namespace taskbarge::service {

using core::log_level;

// A named value of a line.
struct log_field {
    std::string_view name;
    std::string value;
    bool is_number = false;
    log_field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
    log_field(std::string_view n, std::string_view v) : name(n), value(v) {}
    log_field(std::string_view n, const char* v) : name(n), value(v) {}
    log_field(std::string_view n, std::uint64_t v) : name(n), value(std::to_string(v)), is_number(true) {}
    log_field(std::string_view n, std::int64_t v) : name(n), value(std::to_string(v)), is_number(true) {}
};

// Any thread. Lines are written whole. Values from outside are made printable.
//   plain: 2026-11-25T19:00:01.123Z info  job_completed job=12 created=100 "all 100 rows created"
//   json:  {"time":"...","level":"info","event":"job_completed","job":12,"created":100,"message":"..."}
class log {
 public:
    explicit log(const core::log_settings& settings);
    ~log();
    log(const log&) = delete;
    log& operator=(const log&) = delete;
    // `event` is a stable word of docs/service.md.
    void write(log_level level, std::string_view event, std::initializer_list<log_field> fields,
               std::string_view message = {});
    void info(std::string_view event, std::initializer_list<log_field> fields, std::string_view message = {}) {
        write(log_level::info, event, fields, message);
    }
    void warn(std::string_view event, std::initializer_list<log_field> fields, std::string_view message = {}) {
        write(log_level::warning, event, fields, message);
    }
    void error(std::string_view event, std::initializer_list<log_field> fields, std::string_view message = {}) {
        write(log_level::error, event, fields, message);
    }
    // After a reload of the settings.
    void configure(const core::log_settings& settings);

 private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

}  // namespace taskbarge::service
