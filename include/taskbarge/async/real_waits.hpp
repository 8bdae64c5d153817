// The machine's own waits, for who only passes them on: without Asio.
#pragma once

namespace taskbarge::async {

class waits;

// End with the machine's monotonic clock. Live for the whole program.
waits& real_waits();

}  // namespace taskbarge::async
