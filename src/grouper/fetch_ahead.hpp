// Memory that will be looked at soon.
#pragma once

namespace taskbarge::grouper {

// Begins to fetch the line of the processor's cache at that address; any address will do.
inline void fetch_ahead(const void* at) {
    __builtin_prefetch(at);
    // GCC takes a function that does nothing but this for one without effect and drops the calls of it, wherever it
    // sees both. This says that there is one.
    asm volatile("");
}

}  // namespace taskbarge::grouper
