#include "taskbarge/core/fault_point.hpp"

namespace taskbarge::core {

void fault_point(const char*) {}

}  // namespace taskbarge::core
