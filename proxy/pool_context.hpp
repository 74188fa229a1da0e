// What the proxy knows about one pool beside the book: where its servers are, how to log in, its counters.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "routing/book.hpp"
#include "routing/counters.hpp"
#include "routing/entries.hpp"
#include "routing/server_login.hpp"

namespace pgweir {

// Immutable; a reload makes a new one.
struct PoolTarget {
    DatabaseEntry entry;
    std::string user;              // at the server
    StoredSecret secret;
    std::string unix_socket_dir;   // where to connect when the entry names no host
    int server_port = 5432;
};

struct PoolContext {
    PoolContext(PoolId pool_id, std::string database_name, std::string user_name, int workers)
        : id(pool_id), database(std::move(database_name)), user(std::move(user_name)),
          counters(std::make_unique<PoolCounters[]>(static_cast<std::size_t>(workers))) {}

    const PoolId id;
    const std::string database;
    const std::string user;
    const std::unique_ptr<PoolCounters[]> counters;    // by worker
    std::shared_ptr<const PoolTarget> target;          // swapped under BookHost's lock
    std::atomic<unsigned> next_host{0};
    std::atomic<bool> old_protocol{false};             // its servers refuse to hear of a newer protocol than 3.0
    std::atomic<bool> removed{false};                  // its entry has left the configuration
};

}  // namespace pgweir
