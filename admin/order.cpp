#include "admin/order.hpp"

#include <fmt/format.h>

#include <array>

#include "routing/console_name.hpp"

namespace pgweir {

namespace {

// In the order of OrderKind; the verb stands in "cannot … admin db".
struct OrderWords {
    std::string_view word;
    std::string_view verb;
};

constexpr auto order_words = std::to_array<OrderWords>({
    {"SET", ""}, {"RELOAD", ""}, {"PAUSE", "pause"}, {"RESUME", "resume"}, {"SUSPEND", ""}, {"DISABLE", "disable"},
    {"ENABLE", "enable"}, {"RECONNECT", "reconnect"}, {"WAIT_CLOSE", "wait in"}, {"KILL", "kill"}, {"KILL_CLIENT", ""},
    {"SHUTDOWN", ""},
});
static_assert(order_words.size() == static_cast<std::size_t>(OrderKind::shutdown) + 1);

const OrderWords& words_of(OrderKind kind) { return order_words[static_cast<std::size_t>(kind)]; }

// What the log names in quotes. A value is left out: it may be a secret.
std::string subject_of(const Order& order) {
    if (order.kind == OrderKind::set) return order.key;
    if (order.kind == OrderKind::kill_client) return std::to_string(order.client_id.value_or(0));
    return order.database;
}

}  // namespace

std::string_view word_of(OrderKind kind) { return words_of(kind).word; }

OrderRefusal refusal_of(OrderError error, const Order& order) {
    const auto refusal = [](std::string message) { return OrderRefusal{"08P01", std::move(message)}; };
    switch (error) {
        case OrderError::set_failed: return refusal("SET failed");
        case OrderError::reload_failed: return {"F0000", "RELOAD failed, see logs for additional details"};
        case OrderError::already_paused: return refusal("already suspended/paused");
        case OrderError::not_paused: return refusal("pooler is not paused/suspended");
        case OrderError::database_not_paused: return refusal(fmt::format("database {} is not paused", order.database));
        case OrderError::suspend_while_paused: return refusal("cannot suspend with paused databases");
        case OrderError::shutting_down: return refusal("pooler is shutting down");
        case OrderError::no_such_database: return refusal(fmt::format("no such database: {}", order.database));
        case OrderError::client_not_found: return refusal("client not found");
        case OrderError::admin_needed: return refusal("admin access needed");
        case OrderError::database_required: return refusal("a database is required");
        case OrderError::console_entry:
            return refusal(fmt::format("cannot {} admin db: {}", words_of(order.kind).verb, order.database));
        case OrderError::bad_client_id: return refusal("invalid client pointer supplied");
        case OrderError::canceled: return {"57014", "canceling statement due to user request"};
        case OrderError::count_: break;
    }
    return refusal("unknown error");
}

std::optional<OrderError> mistake_in(const Order& order) {
    if (order.kind == OrderKind::kill_client && !order.client_id) return OrderError::bad_client_id;
    if ((order.kind == OrderKind::disable || order.kind == OrderKind::enable) && order.database.empty())
        return OrderError::database_required;
    if (!is_console_database(order.database)) return std::nullopt;
    return order.kind == OrderKind::resume ? OrderError::database_not_paused : OrderError::console_entry;
}

std::string order_log_line(const Order& order) {
    const auto word = word_of(order.kind);
    if (order.kind == OrderKind::shutdown && order.mode != ShutdownMode::immediate) {
        const bool for_servers = order.mode == ShutdownMode::wait_for_servers;
        return fmt::format("{} {} command issued", word, for_servers ? "WAIT_FOR_SERVERS" : "WAIT_FOR_CLIENTS");
    }
    const auto subject = subject_of(order);
    return subject.empty() ? fmt::format("{} command issued", word) : fmt::format("{} '{}' command issued", word, subject);
}

}  // namespace pgweir
