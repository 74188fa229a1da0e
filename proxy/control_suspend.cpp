// SUSPEND: nothing more is read from any socket once what was read has gone on its way; listening stops.
#include "proxy/clock.hpp"
#include "proxy/control.hpp"

namespace pgweir {

std::optional<OrderError> Control::suspend() {
    if (is_suspended() || is_all_paused()) return OrderError::already_paused;
    // Its waiting clients could not be flushed.
    if (is_a_database_paused()) return OrderError::suspend_while_paused;
    suspended_at_ = now();
    has_flushed_ = false;
    listener_.suspend(true);
    on_every_worker([](Worker& worker) { worker.relay().suspend(); });
    return std::nullopt;
}

bool Control::is_a_database_paused() {
    return shared_.book.look([](Book& book) {
        for (const SharedBound& database : book.limits().databases())
            if (database.paused) return true;
        return false;
    });
}

void Control::end_suspend() {
    suspended_at_ = never;
    listener_.suspend(false);
    on_every_worker([](Worker& worker) { worker.relay().resume(); });
}

// Asks the workers anew as long as the last answer was no; so a yes comes a moment late, never early.
bool Control::has_flushed() {
    if (has_flushed_ || counts_unflushed_) return has_flushed_;
    counts_unflushed_ = true;
    auto unflushed = std::make_shared<std::atomic<int>>(0);
    on_every_worker([unflushed](Worker& worker) { unflushed->fetch_add(worker.relay().unflushed_clients()); },
                    [this, unflushed] {
                        counts_unflushed_ = false;
                        has_flushed_ = is_suspended() && unflushed->load() == 0;
                    });
    return false;
}

void Control::check_suspend() {
    const auto timeout = shared_.config.get()->settings->suspend_timeout;
    if (timeout.count() == 0 || now() - suspended_at_ < timeout || has_flushed()) return;
    on_every_worker([](Worker& worker) { worker.relay().end_unflushed_clients(Fault::suspend_timeout); });
}

}  // namespace pgweir
