// Contacts as JSON, in answers and in what is given.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "taskbarge/sandbox/sandbox.hpp"

namespace taskbarge::sandbox {

enum class contact_shape {
    full,   // some KB, with account and organization
    fields  // the contact's own fields
};

void append_contact(std::string& out, const stored_contact& c, contact_shape shape);

// Takes over the fields that the object has, spelled as in answers (and `hubspot_id`, as in requests); null is empty.
// What is wrong with it, or nothing.
std::string read_contact(const simdjson::dom::object& object, stored_contact& into);

}  // namespace taskbarge::sandbox
