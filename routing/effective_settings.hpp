// Which value counts for one pool or one session, where the file says it in several places.
//
// Pool settings and server-side timeouts go by the pool's user (the forced user, else the login name); client-side
// limits and timeouts by the login name. User wins over database, database over [pgbouncer].
#pragma once

#include <string_view>

#include "routing/pool_policy.hpp"
#include "routing/settings.hpp"

namespace pgweir {

// The user whose name the pool bears: the forced user where the entry has one, else the client's login name.
std::string_view pool_user(const DatabaseEntry& entry, std::string_view login_user);

PoolPolicy pool_policy(const Settings& settings, const DatabaseEntry& entry, std::string_view pool_user);
SessionPolicy session_policy(const Settings& settings, const DatabaseEntry& entry, std::string_view pool_user,
                             std::string_view login_user);
// The same for a replication client, whose server is nobody else's: its session is one for good, statements and parameters
// are between the two, and a stream has no end that query_timeout or transaction_timeout could mean.
SessionPolicy replication_policy(SessionPolicy policy);

// Bounds that pools or logins share. 0: no bound.
int max_db_connections(const Settings& settings, const DatabaseEntry& entry);
int max_db_client_connections(const Settings& settings, const DatabaseEntry& entry);
int max_user_connections(const Settings& settings, std::string_view pool_user);
int max_user_client_connections(const Settings& settings, std::string_view login_user);

}  // namespace pgweir
