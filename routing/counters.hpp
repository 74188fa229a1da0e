// Statistics of one pool on one worker: written by that worker alone, read by anyone without waiting for it.
#pragma once

#include <atomic>
#include <cstdint>

namespace pgweir {

// One writer, many readers; an increment is a plain load, add and store.
class Counter {
public:
    void add(std::int64_t by = 1) { value_.store(value_.load(std::memory_order_relaxed) + by, std::memory_order_relaxed); }
    std::int64_t get() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::int64_t> value_{0};
};

struct PoolCounters {
    Counter server_assignments;
    Counter transactions;
    Counter queries;
    Counter received;            // bytes from clients
    Counter sent;                // bytes from servers
    Counter transaction_time;    // microseconds
    Counter query_time;
    Counter wait_time;
    Counter client_parses;
    Counter server_parses;
    Counter binds;
    Counter client_logins;
};

}  // namespace pgweir
