#include "taskbarge/async/worker.hpp"

namespace taskbarge::async {

worker::worker() : thread_(1) {}

// The pool's own destructor would drop what is queued.
worker::~worker() {
    thread_.join();
}

}  // namespace taskbarge::async
