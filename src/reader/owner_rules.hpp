// Which user of the team an owner of the file is: by address, by full name, or as [values.owner] says.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "taskbarge/core/settings.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::reader {

class owner_rules {
 public:
    owner_rules(const core::word_map& values, owner_directory directory);

    // What [values.owner] says of a cell; nothing: it says nothing of it. An empty text: as if the cell were empty.
    std::optional<std::string_view> meaning_of(std::string_view cell) const;
    // What it says of every other owner.
    std::optional<std::string_view> meaning_of_others() const;

    // The user of an address, alone or in brackets behind a name, or of a full name. The id holds as long as this. Else
    // says why not. Asks the directory when it is first called.
    std::optional<std::string> find(std::string_view owner, std::string_view& id);
    // Why the directory could not be asked; every answer since then is void.
    const std::optional<core::failure>& failure() const { return failure_; }

 private:
    void look_up();
    std::string why_unknown(std::string_view owner, const std::string& key) const;

    core::word_map values_;      // by plain word
    owner_directory directory_;  // empty once called
    std::optional<core::failure> failure_;
    std::map<std::string, std::string, std::less<>> id_of_;  // by address, and by name where one user has it
    std::map<std::string, std::vector<std::string>, std::less<>> addresses_of_name_;
    std::vector<std::string> known_;  // addresses and names, for the nearest
    // Unknown owners repeat, and finding the nearest of many costs time.
    std::map<std::string, std::string, std::less<>> reasons_;
};

}  // namespace taskbarge::reader
