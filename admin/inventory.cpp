#include "admin/inventory.hpp"

namespace pgweir {

DatabaseRow console_database_row(int listen_port) {
    return {
        .name = std::string(console_database),
        .port = listen_port,
        .database = std::string(console_database),
        .force_user = "pgbouncer",
        .pool_size = 2,
        .pool_mode = PoolMode::statement,
    };
}

}  // namespace pgweir
