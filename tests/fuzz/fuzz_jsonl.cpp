#include "fuzz/accounting.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    taskbarge::fuzz::read_and_account("jsonl", data, size);
    taskbarge::fuzz::read_with_and_without_tabs(data, size);
    return 0;
}
