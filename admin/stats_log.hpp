// The line that log_stats writes every stats_period.
#pragma once

#include <string>

#include "admin/statistics.hpp"

namespace pgweir {

// `stats: 3 xacts/s, …`; `averages` of all databases together (StatsView::overall, right after `end_period`).
std::string stats_log_line(const Statistics& averages);

}  // namespace pgweir
