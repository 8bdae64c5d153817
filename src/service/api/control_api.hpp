// The control API: what a request asks of the service, and the answer. docs/openapi.yaml describes every route.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "service/configuration.hpp"
#include "service/http/router.hpp"
#include "service/inbox/item_store.hpp"
#include "service/telemetry/event_hub.hpp"
#include "service/work/board.hpp"
#include "service/work/intake.hpp"
#include "service/work/scheduler.hpp"
#include "taskbarge/async/worker.hpp"
#include "taskbarge/ledger/ledger.hpp"

namespace taskbarge::service {

class block_pipe;

// All handlers run on one executor; what blocks goes to threads of its own. References outlive it.
class control_api {
 public:
    struct parts {
        current_configuration& configuration;
        const core::clock& clock;
        inbox::item_store& store;
        class intake& intake;
        class scheduler& scheduler;
        class board& board;
        event_hub& events;
        boost::asio::any_io_executor executor;
        std::function<std::size_t()> connections;
    };
    explicit control_api(parts p);

    // The routes, for the server's handler.
    http::router routes();

 private:
    using values = http::path_values;
    using none = boost::asio::awaitable<void>;

    none health(http::exchange& x, const values& v);
    none readiness(http::exchange& x, const values& v);
    none metrics_text(http::exchange& x, const values& v);
    none submit(http::exchange& x, const values& v);
    none submit_upload(http::exchange& x);
    none submit_path(http::exchange& x);
    none accepted(http::exchange& x, inbox::held_item held);
    none list_imports(http::exchange& x, const values& v);
    none show_import(http::exchange& x, const values& v);
    none retry_import(http::exchange& x, const values& v);
    none list_jobs(http::exchange& x, const values& v);
    none show_job(http::exchange& x, const values& v);
    none command(http::exchange& x, const values& v, job_command what);
    none results(http::exchange& x, const values& v);
    none rejects(http::exchange& x, const values& v);
    none event_stream(http::exchange& x, const values& v);

    // Streams what `produce` pushes, on a thread of its own. A failure before the first block is a problem; one in the
    // middle cuts the answer short, so that it is not taken for whole.
    using producer = std::function<core::result<void>(const std::function<bool(std::string)>& push)>;
    static core::result<void> give_out(block_pipe& pipe, const producer& produce, const std::string& folder);
    none stream(http::exchange& x, std::string content_type, std::string file_name, producer produce);

    core::result<std::string> job_json(core::job_id job) const;
    core::result<std::string> jobs_json(const std::string& state, std::size_t most, core::job_id before) const;
    std::string import_json(const inbox::item& item) const;
    core::result<std::string> imports_json(inbox::item_place place, std::size_t most) const;
    gauges gather();
    core::row_counts sums_of(ledger::ledger& book, const ledger::job_record& job);

    parts parts_;
    async::worker readers_{4};
    async::worker commands_{8};  // those that wait for requests in flight, at the most
    async::worker runs_{4};
    async::worker copiers_{2};  // files as large as may be
    async::worker producers_{8};
    std::size_t streams_ = 0, runs_asked_for_ = 0;
    std::mutex sums_mutex_;
    std::map<core::job_id, std::pair<core::instant, core::row_counts>> sums_;
};

}  // namespace taskbarge::service
