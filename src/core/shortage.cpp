#include "taskbarge/core/shortage.hpp"

#include <boost/system/system_error.hpp>
#include <cerrno>
#include <new>
#include <string>
#include <system_error>

namespace taskbarge::core {

std::string_view shortage_text(int system_error) {
    switch (system_error) {
        case ENOMEM:
            return "out of memory; the ledger is whole: run it again with more memory, or a smaller import.memory";
        case EAGAIN:  // of pthread_create: also where the memory for its stack is missing
            return "the system makes no further thread; the ledger is whole: raise the limit of processes or of memory "
                   "(ulimit -u, ulimit -v), and run it again";
        case EMFILE:
            return "too many open files; the ledger is whole: raise the limit (ulimit -n), and run it again";
        case ENFILE:
            return "the system has too many open files; the ledger is whole: run it again later";
        default:
            return {};
    }
}

std::string_view shortage_text(const std::exception& e) {
    if (dynamic_cast<const std::bad_alloc*>(&e)) return shortage_text(ENOMEM);
    // The standard library's threads throw the one, Asio's threads and descriptors the other.
    if (const auto* ours = dynamic_cast<const std::system_error*>(&e)) {
        const auto& category = ours->code().category();
        if (category == std::generic_category() || category == std::system_category())
            return shortage_text(ours->code().value());
    }
    if (const auto* theirs = dynamic_cast<const boost::system::system_error*>(&e)) {
        const auto& category = theirs->code().category();
        if (category == boost::system::generic_category() || category == boost::system::system_category())
            return shortage_text(theirs->code().value());
    }
    return {};
}

std::optional<failure> shortage_of(std::string_view thing, int system_error) {
    const auto text = shortage_text(system_error);
    if (text.empty()) return std::nullopt;
    return failure{errc::waiting, std::string(thing) + ": " + std::string(text)};
}

failure failure_of(const std::exception& e) {
    if (const auto* carried = dynamic_cast<const failure_exception*>(&e)) return carried->why();
    if (const auto text = shortage_text(e); !text.empty()) return {errc::waiting, std::string(text)};
    return {errc::internal, e.what()};
}

}  // namespace taskbarge::core
