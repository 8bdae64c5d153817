#include "fuzz/accounting.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    taskbarge::fuzz::read_and_account("csv", data, size);
    return 0;
}
