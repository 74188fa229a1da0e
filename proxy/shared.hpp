// What the workers share beside the book: the configuration, cancel keys, derived keys. Each has a leaf lock of its own,
// never held while the book is called.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "protocol/scram/scram_keys.hpp"
#include "proxy/book_host.hpp"
#include "proxy/running_config.hpp"
#include "proxy/system_random.hpp"
#include "routing/cancel_keys.hpp"
#include "routing/statement.hpp"

namespace pgweir {

class Control;
class Worker;

// SCRAM keys that took thousands of hash rounds, by what they were derived from; and those that clients have proved.
class KeyCache {
public:
    std::optional<ScramKeys> find(const ScramDerivation& derivation);
    void remember(const ScramDerivation& derivation, const ScramKeys& keys);
    // Pass-through: proved by a client of this user against this stored secret.
    std::optional<ScramKeys> proved(const std::string& user, const std::string& secret);
    void remember_proved(const std::string& user, const std::string& secret, const ScramKeys& keys);

private:
    static constexpr std::size_t entries_max = 10'000;

    std::mutex mutex_;
    std::map<ScramDerivation, ScramKeys> derived_;
    std::map<std::pair<std::string, std::string>, ScramKeys> proved_;
};

// The statements of all clients, one copy each.
class SharedStatements : public StatementSource {
public:
    StatementRef intern(Bytes identity) override {
        std::lock_guard lock(mutex_);
        return catalog_.intern(identity);
    }
    void outdate() override {
        std::lock_guard lock(mutex_);
        catalog_.outdate();
    }

private:
    std::mutex mutex_;
    StatementCatalog catalog_;
};

enum class ShutdownPhase : int { none, waiting_for_clients, waiting_for_servers };

struct Shared {
    Shared(int worker_count, const TrackedParameters& tracked) : book(worker_count, tracked, random), cancel_keys(random) {}

    SystemRandom random;
    BookHost book;
    ConfigHolder config;
    KeyCache keys;
    SharedStatements statements;

    std::mutex cancel_mutex;
    CancelKeys cancel_keys;

    Control* control = nullptr;                   // worker 0's thread alone
    std::array<Worker*, workers_max> workers{};
    std::atomic<std::uint64_t> next_number{1};    // SHOW's id: one for every accepted client and every new server
    std::atomic<ShutdownPhase> shutdown{ShutdownPhase::none};
    std::atomic<int> consoles{0};
    PoolCounters console_counters;                // written by worker 0
    std::atomic<int> servers_allowed{0};          // that may still be opened: descriptors are kept for them
};

}  // namespace pgweir
