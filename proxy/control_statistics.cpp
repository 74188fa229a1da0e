// The statistics of all pools and of the console, period by period.

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "admin/stats_log.hpp"
#include "proxy/clock.hpp"
#include "proxy/control.hpp"
#include "proxy/log.hpp"

namespace pgweir {

DatabaseTotals Control::totals() {
    DatabaseTotals all;
    all[std::string(console_database)] += shared_.console_counters;
    for (const auto& context : shared_.book.pools())
        for (std::size_t worker = 0; worker < workers_.size(); ++worker) all[context->database] += context->counters[worker];
    return all;
}

void Control::end_period() {
    history_.end_period(totals(), now());
    if (shared_.config.get()->settings->log_stats) log(LogLevel::log, "{}", stats_log_line(statistics().overall.averages));
}

StatsView Control::statistics() { return history_.view(totals(), now()); }

// A stats_period that changes counts from where the one under way began.
Task Control::end_periods() {
    auto began = std::chrono::steady_clock::now();
    for (;;) {
        stats_timer_.expires_at(began + std::chrono::microseconds(shared_.config.get()->settings->stats_period.count()));
        boost::system::error_code changed;
        co_await stats_timer_.async_wait(asio::redirect_error(asio::use_awaitable, changed));
        if (changed) continue;
        began = std::chrono::steady_clock::now();
        end_period();
    }
}

}  // namespace pgweir
