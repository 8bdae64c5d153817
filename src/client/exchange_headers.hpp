// What the header of an answer tells.
#pragma once

#include <boost/beast/http/fields.hpp>

#include "taskbarge/client/answer.hpp"

namespace taskbarge::client {

rate_headers read_rate_headers(const boost::beast::http::fields& fields);

// Fills content type, request id, retry-after, date and rates. No text of them holds the key.
void read_headers(const boost::beast::http::fields& fields, const core::secret& key, exchange& x);

}  // namespace taskbarge::client
