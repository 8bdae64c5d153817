// What a run is for.
#pragma once

#include <cstdint>

namespace taskbarge::job {

enum class run_purpose : std::uint8_t {
    import,  // send, look up, finish
    retry,   // the same, and look up again what was held
    verify,  // look up only, also what was held; sends nothing
    cancel   // look up what is in doubt, send nothing; rows shown to be absent are cancelled
};

inline bool sends(run_purpose p) {
    return p == run_purpose::import || p == run_purpose::retry;
}
inline bool looks_at_held(run_purpose p) {
    return p == run_purpose::retry || p == run_purpose::verify;
}

}  // namespace taskbarge::job
