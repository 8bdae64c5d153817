#include "taskbarge/job/settings_check.hpp"

#include <utility>
#include <vector>

#include "taskbarge/client/apollo_client.hpp"
#include "taskbarge/client/webhook.hpp"
#include "taskbarge/reader/row_source.hpp"

namespace taskbarge::job {

namespace {

std::vector<core::setting_fault> faults_of(const core::settings& s, core::instant now) {
    auto faults = reader::faults_of_settings(s, now);
    const auto add = [&](const char* name, const core::result<void>& good) {
        if (!good) faults.push_back({name, good.error().text});
    };
    add("apollo.base_url", client::check_base_url(s.apollo.base_url));
    add("send.proxy", client::check_proxy(s.send.proxy));
    if (!s.notify.url.empty()) add("notify.url", client::check_webhook_url("notify.url", s.notify.url));
    if (!s.notify.ping_url.empty())
        add("notify.ping_url", client::check_webhook_url("notify.ping_url", s.notify.ping_url));
    return faults;
}

}  // namespace

core::examined_settings examine_settings(const core::settings_sources& sources, core::instant now) {
    auto found = core::examine_settings(sources);
    for (const auto& fault : faults_of(found.loaded.value, now))
        found.problems.push_back(core::at_origin(found.loaded, fault));
    return found;
}

core::result<core::loaded_settings> load_settings(const core::settings_sources& sources, core::instant now) {
    auto found = examine_settings(sources, now);
    if (!found.problems.empty()) return std::move(found.problems.front());
    return std::move(found.loaded);
}

core::result<core::settings> with_input_settings(const core::settings& base, const std::vector<std::string>& files,
                                                 core::instant now) {
    core::loaded_settings all;
    all.value = base;
    for (const auto& file : files) {
        auto changed = core::with_input_settings(all.value, file);
        if (!changed) return changed.error();
        all.value = std::move(changed->value);
        for (auto& [name, where] : changed->origins)
            all.origins[name] = std::move(where);
    }
    const auto faults = faults_of(all.value, now);
    if (!faults.empty()) return core::at_origin(all, faults.front());
    return std::move(all.value);
}

}  // namespace taskbarge::job
