// What next with a chunk: plain functions of what is known, without time or I/O of their own.
//
//   planned -> sending -> created | refused | doubtful | split | planned (429, or nothing was sent)
//   doubtful -> created | planned | refused | split   (by look-up)
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "job/look_up/evidence.hpp"
#include "taskbarge/client/answer.hpp"
#include "taskbarge/core/instant.hpp"
#include "taskbarge/ledger/send_book.hpp"

namespace taskbarge::job {

// What an exchange means for the run, besides its chunk.
enum class consequence : std::uint8_t {
    progress,   // Apollo works: something was created
    refusal,    // Apollo works, and said no
    throttled,  // a window is shut
    trouble,    // not sent or doubtful: counts against Apollo's health
    key_wrong,  // 401
    no_right,   // 403
    no_route,   // nothing of Apollo's is there
    gateway     // kept from Apollo: as trouble, but nothing is in doubt
};

struct verdict {
    ledger::attempt_report report;  // without its attempt id
    ledger::chunk_update update;
    consequence what = consequence::progress;
    std::vector<std::string> notices;  // what an operator should see
    bool may_isolate = false;          // refused, and smaller requests may still work
};

// Codes of rows that stay unknown until a person decides (`verify`, `retry --resend-unknown`): "held_" and the reason.
bool is_held(const ledger::chunk_record& chunk);

// A contact that a 200 did not name: when it is shown to be absent it is not sent again.
inline constexpr std::string_view missing_in_answer = "missing_in_answer";

// The request of a chunk in one bounded line, for whoever asks later what was sent.
std::string request_evidence(const ledger::chunk_record& chunk);

// After a bulk_create exchange of `chunk` that ended at `now`.
verdict after_exchange(const ledger::chunk_record& chunk, const client::exchange& x,
                       const client::create_answer& answer, core::instant now);

// The same answer when it turns out to belong to another request: nothing that it says counts.
client::create_answer not_ours(client::create_answer answer, std::string why);
// What it means then, after it was judged as `v`.
verdict not_ours(const ledger::chunk_record& chunk, const verdict& v, const client::creation& made, std::string why);

// Where rows go that are shown to be absent, and those that cannot be decided.
struct settlement_rules {
    enum class absent_rows : std::uint8_t {
        send_again,
        mark_cancelled,
        mark_not_created
    } absent = absent_rows::send_again;
    enum class undecidable_rows : std::uint8_t { hold, resend } undecidable = undecidable_rows::hold;
    std::uint32_t max_attempts = 8;
    bool others_succeed = false;  // some chunk was created since this one's first attempt: attempts may run out
};

// After a look-up of a doubtful chunk; `findings` is parallel to its rows, `why_undecidable` a code and a text.
ledger::chunk_update after_look_up(const ledger::chunk_record& chunk, const std::vector<row_finding>& findings,
                                   const std::string& held_code, const std::string& held_message,
                                   const settlement_rules& rules, core::instant now);

}  // namespace taskbarge::job
