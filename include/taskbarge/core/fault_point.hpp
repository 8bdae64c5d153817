// Named places where a test may end the process as if by a power cut.
#pragma once

namespace taskbarge::core {

// Does nothing in the program as it is shipped. The test build of the program (target taskbarge_faulty) links another
// body, which ends the process by SIGKILL when the environment variable TASKBARGE_KILL_AT is "NAME" or "NAME:N" and
// this is the N-th time (from 1) that the point of that name is reached. Thread-safe.
void fault_point(const char* name);

}  // namespace taskbarge::core
