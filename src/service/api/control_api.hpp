// The control API: what a request asks of the service, and the answer. docs/openapi.yaml describes every route.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>

#include "service/current_configuration.hpp"
#include "service/http/router.hpp"
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
        boost::asio::any_io_executor executor;
        std::function<std::size_t()> connections;
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
