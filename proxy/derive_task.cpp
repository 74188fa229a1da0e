#include "proxy/derive_task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgweir {

asio::awaitable<ScramKeys> derive(Worker& worker, const ScramDerivation& job, bool cacheable) {
    KeyCache& cache = worker.shared().keys;
    if (cacheable)
        if (const auto known = cache.find(job)) co_return *known;
    const ScramDerivation copy = job;
    const ScramKeys keys = co_await asio::co_spawn(
        worker.helpers(), [](ScramDerivation its_job) -> asio::awaitable<ScramKeys> { co_return derive_scram_keys(its_job); }(copy),
        asio::use_awaitable);
    if (cacheable) cache.remember(copy, keys);
    co_return keys;
}

}  // namespace pgweir
