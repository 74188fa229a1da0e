// What an operator orders at the console, and why it may be refused.
//
// The console gives an Order out, proxy/ carries it out and says `done` or `failed`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgweir {

enum class OrderKind : std::uint8_t {
    set, reload, pause, resume, suspend, disable, enable, reconnect, wait_close, kill, kill_client, shutdown,
};

enum class ShutdownMode : std::uint8_t { immediate, wait_for_servers, wait_for_clients };

struct Order {
    OrderKind kind{};
    std::string database = {};                       // pause … kill; empty: all
    std::string key = {};                            // set
    std::string value = {};
    std::optional<std::uint64_t> client_id{};        // kill_client: the id of SHOW CLIENTS; none: what was given is no id
    ShutdownMode mode = ShutdownMode::immediate;     // shutdown
    bool wants_answer = true;                        // false: carry it out, then call neither `done` nor `failed`

    bool operator==(const Order&) const = default;
};

// "PAUSE", "WAIT_CLOSE": the command's word, which is also the tag of its answer.
std::string_view word_of(OrderKind kind);

enum class OrderError : std::uint8_t {
    set_failed,                // unknown key, bad value
    reload_failed,
    already_paused,            // PAUSE, SUSPEND, KILL: all is paused or suspended
    not_paused,                // RESUME: nothing is
    database_not_paused,
    suspend_while_paused,      // SUSPEND: a database is paused
    shutting_down,             // RESUME
    no_such_database,
    client_not_found,
    // what the console finds by itself
    admin_needed,
    database_required,
    console_entry,             // not with the console's own database
    bad_client_id,
    canceled,                  // a cancel request has ended the wait
    count_
};

struct OrderRefusal {
    std::string sqlstate;
    std::string message;
};

OrderRefusal refusal_of(OrderError error, const Order& order);

// What is wrong with the order whatever the state of the process.
std::optional<OrderError> mistake_in(const Order& order);

// The log's line about an order given: `PAUSE 'app' command issued`.
std::string order_log_line(const Order& order);

// Notice beside the answer to SET, when certificates or keys cannot be used.
inline constexpr std::string_view tls_not_applied_notice =
    "TLS settings could not be applied, still using old configuration";

}  // namespace pgweir
