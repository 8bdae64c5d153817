// Prints two simulated days of pacing as CSV, for bench/plot_windows.py: a run alone on its team, and one whose team
// spends the same budget. One line per change of the server's counts.
#include <array>
#include <cstdio>
#include <string>

#include "support/pacing_simulation.hpp"

namespace {

using namespace std::chrono_literals;
namespace testing = taskbarge::testing;
using testing::instant;

double seconds(std::chrono::milliseconds t) {
    return static_cast<double>(t.count()) / 1000.0;
}

// seconds, window, used, when it was opened, accepted of ours, refused of ours
void print_day(const std::string& name, const testing::scenario& s) {
    std::array<std::uint64_t, 3> last{};
    testing::pacing_simulation simulation(s);
    simulation.watch = [&](instant now, const testing::model_windows& server, const testing::outcome& out) {
        for (std::size_t i = 0; i < 3; ++i) {
            if (server.used(i) == last[i] || !server.opened_at(i)) continue;
            last[i] = server.used(i);
            std::printf("%s,%.3f,%zu,%llu,%.3f,%llu,%llu\n", name.c_str(), seconds(now - testing::simulation_start), i,
                        static_cast<unsigned long long>(last[i]),
                        seconds(*server.opened_at(i) - testing::simulation_start),
                        static_cast<unsigned long long>(out.accepted), static_cast<unsigned long long>(out.refused));
        }
    };
    const auto out = simulation.run();
    std::fprintf(stderr, "%s: %llu requests in %.1f s, optimum %.1f s, %llu refused\n", name.c_str(),
                 static_cast<unsigned long long>(out.accepted), seconds(out.finished),
                 seconds(s.others.empty() ? testing::optimum(s) : testing::clairvoyant(s)),
                 static_cast<unsigned long long>(out.refused));
}

}  // namespace

int main() {
    std::puts("day,seconds,window,used,opened,accepted,refused");
    testing::scenario s;
    s.limits = {200, 400, 2000};
    s.requests = 2600;
    s.usage_asked = true;
    print_day("alone", s);
    s.others.push_back({90s, 1});
    s.others.push_back({40min, 60});
    s.begin = 50min;
    print_day("shared", s);
}
