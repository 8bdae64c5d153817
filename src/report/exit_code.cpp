#include "taskbarge/report/exit_code.hpp"

#include <algorithm>
#include <array>

namespace taskbarge::report {

using job::report_state;

exit_code exit_code_of(core::errc code) {
    using core::errc;
    switch (code) {
        case errc::usage:
        case errc::no_such_job:
            return exit_code::usage;
        case errc::settings:
        case errc::all_refused:
        case errc::ledger:
            return exit_code::settings;
        case errc::input:
        case errc::too_many_rejects:
            return exit_code::input;
        case errc::ledger_full:
        case errc::job_held:
        case errc::interrupted:
        case errc::waiting:
        case errc::paused:
        case errc::io:
            return exit_code::parked;
        case errc::no_key:
        case errc::unauthorized:
        case errc::forbidden:
            return exit_code::no_right;
        case errc::unreachable:
            return exit_code::unreachable;
        case errc::internal:
            return exit_code::bug;
    }
    return exit_code::bug;
}

exit_code exit_code_of(const job::report& r) {
    if (r.rows.accounted() != r.rows.rows) return exit_code::bug;
    if (r.why) return exit_code_of(r.why->code);
    const bool all_well = r.rows.rejected + r.rows.failed + r.rows.unknown + r.rows.open_duplicates() == 0;
    const auto finished = all_well ? exit_code::done : exit_code::done_partly;
    if (r.state == report_state::planned) return finished;
    // An unfinished job never gives 0 or 2, and a finished one has nothing pending.
    if (r.state == report_state::completed) return r.rows.pending == 0 ? finished : exit_code::bug;
    if (r.state == report_state::parked || r.state == report_state::running) return exit_code::parked;
    return exit_code::bug;
}

exit_code worse(exit_code a, exit_code b) {
    constexpr std::array order{exit_code::done,        exit_code::done_partly, exit_code::parked,
                               exit_code::unreachable, exit_code::input,       exit_code::usage,
                               exit_code::settings,    exit_code::no_right,    exit_code::bug};
    return std::max(a, b, [&](exit_code x, exit_code y) {
        return std::find(order.begin(), order.end(), x) < std::find(order.begin(), order.end(), y);
    });
}

job::report_state state_of(exit_code code) {
    switch (code) {
        case exit_code::done:
        case exit_code::done_partly:
            return report_state::completed;
        case exit_code::parked:
        case exit_code::unreachable:
            return report_state::parked;
        default:
            return report_state::failed;
    }
}

}  // namespace taskbarge::report
