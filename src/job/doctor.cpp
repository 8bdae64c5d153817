#include "taskbarge/job/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "job/online/online.hpp"
#include "job/planning/owners.hpp"
#include "taskbarge/core/edit_distance.hpp"
#include "taskbarge/core/text.hpp"

namespace taskbarge::job {

namespace asio = boost::asio;
using core::errc;
using core::failure;

namespace {

// Due dates and "created since" lean on both clocks; a minute is what the look-up does not notice.
constexpr auto tolerable_skew = std::chrono::minutes(1);

class examination {
 public:
    explicit examination(const environment& env) : env_(env) {}

    doctor_report run() {
        check_key_given();
        auto book = ledger::open_ledger(env_.settings.ledger.path);
        if (!book) {
            bad("ledger", book.error());
            return std::move(out_);
        }
        good("ledger", env_.settings.ledger.path);
        check_room();
        if (env_.key.empty()) return std::move(out_);
        tell_connecting(env_);
        auto online = run_online(env_, **book, [this](session& s) -> asio::awaitable<void> { co_await ask(s); });
        if (!online) bad("settings", online.error());
        return std::move(out_);
    }

 private:
    void line(std::string what, health h, std::string text) {
        out_.lines.push_back({std::move(what), h, std::move(text)});
    }
    void good(std::string what, std::string text) { line(std::move(what), health::good, std::move(text)); }
    void bad(std::string what, failure why) {
        line(std::move(what), health::bad, why.text);
        if (!out_.why) out_.why = std::move(why);
    }

    void check_key_given() {
        if (env_.key.empty())
            bad("API key", {errc::no_key, "none: set APOLLO_API_KEY, or apollo.api_key_file in the settings"});
    }

    // A row takes some 300 bytes of the ledger, and its transactions as much again for a while.
    void check_room() {
        constexpr std::uintmax_t little = 1ull << 30, none = 16ull << 20;
        std::error_code error;
        const auto folder = std::filesystem::absolute(env_.settings.ledger.path, error).parent_path();
        const auto space = error ? std::filesystem::space_info{} : std::filesystem::space(folder, error);
        if (error) return line("disk", health::doubtful, fmt::format("{}: {}", folder.string(), error.message()));
        const auto text = fmt::format("{} MiB free for the ledger", space.available >> 20);
        if (space.available < none) return bad("disk", {errc::ledger_full, text + "; make room"});
        if (space.available < little) return line("disk", health::doubtful, text + ", which large files fill");
        good("disk", text);
    }

    // The owner of every row that names none.
    asio::awaitable<void> check_owner(session& s) {
        const auto& wanted = env_.settings.defaults;
        if (wanted.owner_email.empty() || !wanted.user_id.empty()) co_return;
        const auto users = co_await read_owners(s);
        if (!users) {
            line("defaults.owner_email", health::doubtful, users.error().text);
            co_return;
        }
        std::vector<std::string> addresses;
        for (const auto& user : *users)
            addresses.push_back(core::lower_case(user.email));
        const auto address = core::lower_case(wanted.owner_email);
        if (std::find(addresses.begin(), addresses.end(), address) != addresses.end())
            co_return good("defaults.owner_email", "is a user's");
        const auto nearest = core::nearest(address, addresses);
        bad("defaults.owner_email",
            {errc::settings, fmt::format("no Apollo user has the address {}{}", wanted.owner_email,
                                         nearest.empty() ? "" : "; the nearest is " + nearest)});
    }

    asio::awaitable<void> ask(session& s) {
        tell_proxy();
        auto usage = co_await s.learn_limits();
        if (!usage) {
            bad("ledger", usage.error());
            co_return;
        }
        if (stopped()) co_return;
        if (*usage && !reached(**usage)) co_return;
        if (*usage)
            check_right(route::usage_stats, **usage, "limits are then learnt from the answers to the first requests");
        out_.book = s.windows(route::bulk_create).seen();
        auto search = co_await s.search_page(1, 1, {});
        if (stopped()) co_return;
        take(route::search, search, "rows in doubt can then not be looked up and stay unknown");
        auto users = co_await s.users_page(1);
        if (stopped()) co_return;
        take(route::users, users, "owner_email can then not be used");
        if (!out_.why && users && users->answer && users->answer->status == 200) co_await check_owner(s);
        if (stopped()) co_return;
        auto create = co_await s.create_nothing();
        if (stopped()) co_return;
        take_create(create);
        tell_key();
    }

    void tell_proxy() {
        const auto& send = env_.settings.send;
        if (!send.proxy.empty())
            good("proxy", fmt::format("{}, from {}", client::without_password(send.proxy), send.proxy_from));
    }

    // What was not answered then says nothing about Apollo.
    bool stopped() {
        if (env_.stop.level() == stop_level::none) return false;
        bad("examination", {errc::interrupted, "stopped on request"});
        return true;
    }

    bool reached(const client::exchange& x) {
        if (x.reach != client::reach::answered) {
            bad("connection",
                {errc::unreachable, fmt::format("no answer from {}: {}", env_.settings.apollo.base_url, x.error_text)});
            return false;
        }
        good("connection", fmt::format("{} answers in {} ms", env_.settings.apollo.base_url, x.took.count()));
        check_clock(x);
        return !refuses_key(x);
    }

    // Apollo's own answers alone say anything of the key; all but 401 come after it was looked at.
    bool refuses_key(const client::exchange& x) {
        if (x.reach != client::reach::answered || !is_apollos(x)) return false;
        key_taken_ = key_taken_ || x.status / 100 == 2 || x.status == 400 || x.status == 403 || x.status == 422 ||
                     x.status == 429;
        if (x.status != 401) return false;
        bad("API key", {errc::unauthorized, "refused (401): check APOLLO_API_KEY or the file of apollo.api_key_file"});
        return true;
    }

    void tell_key() {
        if (key_taken_)
            good("API key", "accepted");
        else
            line("API key", health::doubtful, "not checked: no answer of Apollo's says that it knows the key");
    }

    void check_clock(const client::exchange& x) {
        if (!x.server_date) return;
        const auto ahead = *x.server_date - env_.clock.now();
        const auto size = std::chrono::abs(std::chrono::duration_cast<std::chrono::seconds>(ahead));
        const auto text = size.count() <= 1 ? std::string("agrees with Apollo's")
                                            : fmt::format("{} s {} Apollo's", size.count(),
                                                          ahead.count() > 0 ? "behind" : "ahead of");
        line("clock", size > tolerable_skew ? health::doubtful : health::good,
             size > tolerable_skew ? text + "; let it be set by NTP" : text);
    }

    // A refusal without a word is believed of a request with rows, as it creates nothing; it proves nothing here.
    static bool is_apollos(const client::exchange& x) {
        const bool refusal = x.status == 400 || x.status == 413 || x.status == 422;
        return client::respondent_of(x) == client::respondent::apollo && !(refusal && x.body.empty());
    }

    static std::string right_to(route r) { return fmt::format("right to {}", to_string(r)); }

    // Why an answer says nothing of a right; empty: it is Apollo's.
    static std::string why_not_known(route r, const client::exchange& x) {
        if (x.reach != client::reach::answered) return "not known: " + x.error_text;
        if (!is_apollos(x)) return "not known: " + client::not_apollo(x, to_string(r)).text;
        return {};
    }

    // Rights other than the one to create are wanted, not needed.
    void check_right(route r, const client::exchange& x, const std::string& without) {
        if (auto why = why_not_known(r, x); !why.empty())
            line(right_to(r), health::doubtful, std::move(why));
        else if (x.status == 403)
            line(right_to(r), health::doubtful, "not given (403); " + without);
        else if (x.status == 200)
            good(right_to(r), "given");
        else
            line(right_to(r), health::doubtful, fmt::format("not known: Apollo answered {}", x.status));
    }

    void take(route r, const core::result<asked>& got, const std::string& without) {
        if (!got) return bad("ledger", got.error());
        if (!got->answer) return line(right_to(r), health::doubtful, "not asked: its rate window is used up");
        (void)refuses_key(*got->answer);
        check_right(r, *got->answer, without);
    }

    // Without the right to create, or as long as nothing shows it, no import works. A request for nothing must be
    // refused, or told to wait, in Apollo's own way.
    void take_create(const core::result<asked>& got) {
        const auto name = right_to(route::bulk_create);
        if (!got) return bad("ledger", got.error());
        if (!got->answer) return bad(name, {errc::waiting, "not asked: its rate window is used up"});
        const auto& x = *got->answer;
        if (auto why = why_not_known(route::bulk_create, x); !why.empty()) {
            const bool no_route = client::respondent_of(x) == client::respondent::no_route;
            return bad(name, {no_route ? errc::settings : errc::unreachable, std::move(why)});
        }
        if (refuses_key(x)) return;
        if (x.status == 403)
            return bad(name, {errc::forbidden, "not given (403): a master key has it, or a key made for this route"});
        if (x.status == 422 || x.status == 400 || x.status == 429) return good(name, "given");
        bad(name, {errc::waiting, fmt::format("not known: Apollo answered {}", x.status)});
    }

    bool key_taken_ = false;
    const environment& env_;
    doctor_report out_;
};

// The ledger alone: every row of it.
class ledger_examination {
 public:
    explicit ledger_examination(const environment& env) : env_(env) {}

    doctor_report run() {
        const auto& path = env_.settings.ledger.path;
        const auto there = ledger::has_ledger(path);
        if (!there) return bad("ledger", there.error());
        if (!*there) return bad("ledger", {errc::ledger, fmt::format("there is no ledger {}", path)});
        const bool only_reads = !ledger::may_write(path);
        auto book =
            ledger::open_ledger(path, only_reads ? ledger::witness_check::ignored : ledger::witness_check::required);
        if (book && only_reads) {
            out_.lines.push_back(
                {"ledger", health::doubtful, path + " may only be read by this user: not held against its lock file"});
        } else if (book) {
            good("ledger", fmt::format("{} is the newest, as far as its lock file knows", path));
        } else {
            bad("ledger", book.error());
            book = ledger::open_ledger(path, ledger::witness_check::ignored);
            if (!book) return std::move(out_);
        }
        const auto accepted = (*book)->suspect();
        if (!accepted) return bad("ledger", accepted.error());
        if (*accepted)
            out_.lines.push_back({"new inputs", health::doubtful,
                                  "looked up in Apollo before anything is sent, since the ledger was accepted; "
                                  "`taskbarge ledger trust` ends that"});
        return look_through(**book);
    }

 private:
    void good(std::string what, std::string text) {
        out_.lines.push_back({std::move(what), health::good, std::move(text)});
    }
    doctor_report bad(std::string what, failure why) {
        out_.lines.push_back({std::move(what), health::bad, why.text});
        if (!out_.why) out_.why = std::move(why);
        return out_;
    }

    doctor_report look_through(ledger::upkeep_book& book) {
        const auto found = book.inspect([this] { return env_.stop.level() == stop_level::none; });
        if (!found) return bad("content", found.error());
        for (const auto& one : found->named)
            out_.lines.push_back({one.what, health::bad, one.text});
        if (found->damages > 0) {
            return bad("content",
                       {errc::ledger, fmt::format("damaged in {} places; restore the newest copy", found->damages)});
        }
        good("content", fmt::format("all {} entries are as they were written", found->rows));
        return std::move(out_);
    }

    const environment& env_;
    doctor_report out_;
};

}  // namespace

doctor_report examine_ledger(const environment& env) {
    return ledger_examination(env).run();
}

doctor_report examine(const environment& env) {
    return examination(env).run();
}

}  // namespace taskbarge::job
