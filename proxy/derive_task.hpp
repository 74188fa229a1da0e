// Password hashing off the worker's thread, its answers cached.
#pragma once

#include "protocol/scram/scram_keys.hpp"
#include "proxy/worker.hpp"

namespace pgweir {

asio::awaitable<ScramKeys> derive(Worker& worker, const ScramDerivation& job, bool cacheable);

}  // namespace pgweir
