#include "job/planning/owners.hpp"

#include <fmt/format.h>

#include <utility>

#include "job/online/online.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::errc;
using core::failure;
using core::result;
using directory = std::vector<reader::team_user>;

namespace {

constexpr std::uint32_t most_pages = 1000;
constexpr std::uint32_t most_tries = 5;  // a page, over all of its troubles

failure cannot(const std::string& why) {
    return {errc::waiting, "the owners could not be looked up in Apollo (users/search): " + why};
}

asio::awaitable<result<client::users_page>> read_page(session& s, std::uint32_t number) {
    failure why = cannot("no answer");
    for (std::uint32_t tried = 1; tried <= most_tries; ++tried) {
        if (s.env().stop.level() != stop_level::none) co_return failure{errc::interrupted, "stopped on request"};
        auto got = co_await s.users_page(number);
        if (!got) co_return got.error();
        auto wait = std::chrono::milliseconds(500) * (1u << tried);
        if (got->wait_until) {
            wait = std::max(std::chrono::milliseconds(100), *got->wait_until - s.env().clock.now());
            if (wait > s.env().settings.send.max_wait) co_return cannot("its rate window is used up");
        } else {
            auto page = client::read_users(*got->answer, number, session::users_per_page);
            if (page) co_return std::move(*page);
            const auto code = page.error().code;
            // A wrong URL is no matter of this input: a service must not take it for one.
            if (code != errc::waiting)
                co_return failure{code == errc::settings ? errc::unreachable : code, cannot(page.error().text).text};
            why = got->answer->reach == client::reach::answered
                      ? cannot(page.error().text)
                      : failure{errc::unreachable, cannot(got->answer->error_text).text};
        }
        if (!co_await s.pause_until(s.env().clock.steady_now() + wait)) break;
    }
    if (s.env().stop.level() != stop_level::none) co_return failure{errc::interrupted, "stopped on request"};
    co_return why;
}

}  // namespace

asio::awaitable<result<directory>> read_owners(session& s) {
    directory all;
    for (std::uint32_t number = 1; number <= most_pages; ++number) {
        auto page = co_await read_page(s, number);
        if (!page) co_return page.error();
        for (auto& user : page->users)
            all.push_back({std::move(user.id), std::move(user.email), std::move(user.name)});
        if (page->users.empty() || number >= page->total_pages) break;
    }
    co_return all;
}

owner_directory ask_apollo_for_owners(const environment& env) {
    return [&env]() -> result<directory> {
        if (env.key.empty())
            return failure{errc::no_key,
                           "owners by address or name need the API key, to look them up: set APOLLO_API_KEY"};
        // A ledger object of its own: this runs on the thread that reads. The windows are shared through the file.
        auto book = ledger::open_ledger(env.settings.ledger.path);
        if (!book) return book.error();
        result<directory> out = failure{errc::internal, "the owners were not read"};
        auto done =
            run_online(env, **book, [&out](session& s) -> asio::awaitable<void> { out = co_await read_owners(s); });
        if (!done) return done.error();
        return out;
    };
}

}  // namespace taskbarge::job
