// The same rows in every form that a file may have.
#pragma once

#include <string>
#include <vector>

namespace taskbarge::reader::testing {

struct sample {
    std::string contact_id, user_id, type, priority, status, due_at, note;
};

// `count` rows of many details, some of which nothing can be made of.
std::vector<sample> samples(unsigned count = 300);

struct written_form {
    std::string name;  // of the file
    std::string bytes;
};
// As CSV first; then with tabs, semicolons and pipes, as JSON lines, each with and without gzip and zstd, under names
// that tell and names that do not.
std::vector<written_form> every_form_of(const std::vector<sample>& rows);

std::string delimited(const std::vector<sample>& rows, char delimiter);
std::string json_lines(const std::vector<sample>& rows);

}  // namespace taskbarge::reader::testing
