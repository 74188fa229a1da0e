// The pool for a database entry and a login user, made and bounded as the configuration says.
#pragma once

#include <memory>
#include <string_view>

#include "proxy/running_config.hpp"
#include "proxy/worker.hpp"

namespace pgweir {

std::shared_ptr<PoolContext> find_pool(Worker& worker, const RunningConfig& config, const DatabaseEntry& entry, std::string_view login_user);

}  // namespace pgweir
