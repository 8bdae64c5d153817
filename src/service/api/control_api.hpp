// The control API: what a request asks of the service, and the answer. docs/openapi.yaml describes every route.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>

#include "service/current_configuration.hpp"
#include "service/http/router.hpp"
#include "service/http/tickets.hpp"
#include "service/inbox/item_store.hpp"
#include "service/telemetry/event_hub.hpp"
#include "service/work/board.hpp"
#include "service/work/contact_refresher.hpp"
#include "service/work/intake.hpp"
#include "service/work/scheduler.hpp"

namespace taskbarge::service {

// All handlers run on one executor; what blocks goes to threads of its own. References outlive it.
class control_api {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        inbox::item_store& store;
        class intake& intake;
        class scheduler& scheduler;
        contact_refresher& contacts;
        class board& board;
        event_hub& events;
        http::tickets& tickets;
        boost::asio::any_io_executor executor;
        std::function<std::size_t()> connections;
        std::function<bool(const http::request_head&)> may_write;  // of a request that was let in; on the executor
        std::function<std::size_t()> notifications_waiting;
        std::string version;
        core::instant started_at;
    };
    explicit control_api(parts p);
    ~control_api();

    // The routes, for the server's handler.
    http::router routes();

 private:
    struct subjects;
    std::unique_ptr<subjects> subjects_;
};

}  // namespace taskbarge::service
