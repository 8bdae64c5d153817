// Writers of one process take turns at a ledger before they ask SQLite for it. SQLite lets a writer that finds it
// locked sleep, and ever longer, up to a tenth of a second: with planning and sending both writing many small
// transactions most of their time went by that way. Who came first is first: planning, which gives its turn back and
// wants it again at once, waits for the others.
//
// A courtesy and no lock: who has waited for a while goes on without its turn, and SQLite decides as ever. So nothing
// can wait for good, whoever holds a transaction open.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace taskbarge::ledger {

class write_turn {
 public:
    // Shared by all of this process that name the same path.
    explicit write_turn(const std::string& path);
    ~write_turn();
    write_turn(const write_turn&) = delete;
    write_turn& operator=(const write_turn&) = delete;
    void take();
    void give_back() noexcept;  // none taken: nothing
    bool has() const { return has_; }
    std::size_t waiting() const;  // who waits for this turn now, of all that share it

 private:
    struct queue;
    std::shared_ptr<queue> queue_;
    bool has_ = false;
};

}  // namespace taskbarge::ledger
