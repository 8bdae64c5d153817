// Tasks as JSON, put together by hand: these bodies are nearly all that the sandbox sends.
#pragma once

#include <string>
#include <string_view>

#include "taskbarge/core/instant.hpp"
#include "taskbarge/core/task.hpp"

namespace taskbarge::sandbox {

enum class task_shape {
    full,    // about 3 KB, as Apollo's
    fields,  // the task's own fields, for comparing
    ids      // task and contact, nothing else
};
enum class contact_mention { named, left_out };  // left out: contact_id is null

// Appends `text` as a JSON string with its quotes. `text` must be UTF-8.
void append_json(std::string& out, std::string_view text);

// Appends `"key":"text",` for a text that needs no escaping.
void append_plain(std::string& out, std::string_view key, std::string_view text);

// Writes tasks that share everything but their ids and contacts.
class task_writer {
 public:
    // `created_from` as Apollo says it: "api", or "zp_ui" for its web pages.
    task_writer(task_shape shape, const core::task_view& details, core::instant created_at,
                std::string_view created_from = "api");
    void append(std::string& out, std::string_view task_id, std::string_view contact_id,
                contact_mention mention = contact_mention::named) const;

 private:
    void write_head(const core::task_view& details, const std::string& created);
    void append_full_tail(std::string& out, std::string_view contact_id, contact_mention mention) const;

    task_shape shape_;
    std::string head_;     // behind the task's id, up to its contact_id
    std::string tail_;     // behind its contact_id
    std::string user_id_;  // as JSON
    std::string type_;
};

// One line of the journal and of the admin view, with its newline.
void append_task_line(std::string& out, std::string_view task_id, std::string_view contact_id,
                      const core::task_view& details, core::instant created_at);

}  // namespace taskbarge::sandbox
