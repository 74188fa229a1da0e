#include "admin/stats_log.hpp"

#include <fmt/format.h>

namespace pgweir {

std::string stats_log_line(const Statistics& averages) {
    return fmt::format(
        "stats: {} xacts/s, {} queries/s, {} client parses/s, {} server parses/s, {} binds/s, {} client logins/s, "
        "in {} B/s, out {} B/s, xact {} us, query {} us, wait {} us",
        averages.transactions, averages.queries, averages.client_parses, averages.server_parses, averages.binds,
        averages.client_logins, averages.received, averages.sent, averages.transaction_time, averages.query_time,
        averages.wait_time);
}

}  // namespace pgweir
