#include "taskbarge/async/worker.hpp"

namespace taskbarge::async {

worker::worker(std::size_t threads) : thread_(threads) {}

// The pool's own destructor would drop what is queued.
worker::~worker() {
    thread_.join();
}

}  // namespace taskbarge::async
