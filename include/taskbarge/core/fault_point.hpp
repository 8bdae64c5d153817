// Named places where a test may end the process as if by a power cut. Compiled in only with TASKBARGE_FAULT_POINTS.
#pragma once

namespace taskbarge::core {

#ifdef TASKBARGE_FAULT_POINTS
// Ends the process by SIGKILL when the environment variable TASKBARGE_KILL_AT is "NAME" or "NAME:N" and this is the
// N-th time (from 1) that the point of that name is reached. Thread-safe.
void fault_point(const char* name);
#else
inline void fault_point(const char*) {}
#endif

}  // namespace taskbarge::core
