#include "job/online/online.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <memory>

namespace taskbarge::job {

namespace asio = boost::asio;

namespace {

client::client_options client_options_of(const environment& env) {
    client::client_options o;
    o.base_url = env.settings.apollo.base_url;
    o.ca_file = env.settings.apollo.ca_file;
    o.key = env.key;
    o.connections = env.settings.send.connections;
    o.connect_timeout = env.settings.send.connect_timeout;
    o.request_timeout = env.settings.send.request_timeout;
    o.answer_limit = env.settings.send.answer_limit;
    o.proxy = env.settings.send.proxy;
    o.proxy_from = env.settings.send.proxy_from;
    o.user_agent = "taskbarge";
    return o;
}

}  // namespace

core::result<void> run_online(const environment& env, ledger::ledger& book,
                              const std::function<asio::awaitable<void>(session&)>& work) {
    auto loop = std::make_unique<asio::io_context>(1);
    auto client = client::apollo_client::make(loop->get_executor(), client_options_of(env));
    if (!client) return client.error();
    std::exception_ptr error;
    {
        auto writer = std::make_unique<ledger_writer>(
            book, loop->get_executor(), [&](std::chrono::microseconds took) { env.watch.on_commit(took); });
        session s(env, loop->get_executor(), *writer, **client);
        asio::co_spawn(*loop, work(s), [&](std::exception_ptr e) {
            error = e;
            (*client)->close();
            loop->stop();  // a forced stop leaves requests behind; after any other end there are none
        });
        try {
            loop->run();
        } catch (...) {
            // A coroutine could not begin its next wait, for want of memory: it cannot be told, and never goes on.
            error = std::current_exception();
        }
        // What it was given it finishes first, while the session and the coroutines that asked still exist.
        writer.reset();
    }
    if (error || env.stop.level() == stop_level::forced) {
        // Requests cut short in the middle refer to what they would outlive. The process is about to end: nothing of
        // them is run or destroyed any more.
        (void)client->release();
        (void)loop.release();
    }
    if (error) std::rethrow_exception(error);
    return {};
}

}  // namespace taskbarge::job
