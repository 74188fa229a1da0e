// Where a server connection is in its life, and why it ends. The table is the picture: what is not in it cannot happen.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace pgweir {

enum class ServerState : std::uint8_t {
    connecting,         // socket, TLS and login
    idle,               // nobody has it
    checking,           // runs server_check_query before a session gets it
    checked_out,        // a session has it
    in_transit,         // on its way from one worker to another
    resetting,          // runs server_reset_query
    held_for_cancel,    // given back, but a cancel request for it is still under way
    closing,            // its owner has been told to close it
    count_
};

enum class ServerEvent : std::uint8_t { logged_in, granted, sent, arrived, check_begun, check_passed, returned, reset_begun,
                                        reset_done, held, released, close, count_ };

struct ServerTransition {
    ServerState from;
    ServerEvent on;
    ServerState to;
};

inline constexpr auto server_transitions = std::to_array<ServerTransition>({
    {ServerState::connecting, ServerEvent::logged_in, ServerState::idle},
    {ServerState::idle, ServerEvent::granted, ServerState::checked_out},
    {ServerState::idle, ServerEvent::sent, ServerState::in_transit},
    {ServerState::in_transit, ServerEvent::arrived, ServerState::idle},
    {ServerState::idle, ServerEvent::check_begun, ServerState::checking},
    {ServerState::checking, ServerEvent::check_passed, ServerState::idle},
    {ServerState::checked_out, ServerEvent::returned, ServerState::idle},
    {ServerState::checked_out, ServerEvent::reset_begun, ServerState::resetting},
    {ServerState::held_for_cancel, ServerEvent::reset_begun, ServerState::resetting},
    {ServerState::resetting, ServerEvent::reset_done, ServerState::idle},
    {ServerState::checked_out, ServerEvent::held, ServerState::held_for_cancel},
    {ServerState::held_for_cancel, ServerEvent::released, ServerState::idle},
    {ServerState::connecting, ServerEvent::close, ServerState::closing},
    {ServerState::idle, ServerEvent::close, ServerState::closing},
    {ServerState::checking, ServerEvent::close, ServerState::closing},
    {ServerState::checked_out, ServerEvent::close, ServerState::closing},
    {ServerState::resetting, ServerEvent::close, ServerState::closing},
    {ServerState::held_for_cancel, ServerEvent::close, ServerState::closing},
});

// The same by state and event, made from the list above; `count_` where nothing follows.
inline constexpr auto server_state_after = [] {
    std::array<std::array<ServerState, static_cast<int>(ServerEvent::count_)>, static_cast<int>(ServerState::count_)> table{};
    for (auto& row : table) row.fill(ServerState::count_);
    for (const auto& t : server_transitions) table[static_cast<std::size_t>(t.from)][static_cast<std::size_t>(t.on)] = t.to;
    return table;
}();

// The state that follows; nothing when the event cannot happen there.
constexpr std::optional<ServerState> next_state(ServerState from, ServerEvent on) {
    const ServerState next = server_state_after[static_cast<std::size_t>(from)][static_cast<std::size_t>(on)];
    if (next == ServerState::count_) return std::nullopt;
    return next;
}

static_assert(!next_state(ServerState::closing, ServerEvent::granted), "a server that is closing is never granted");
static_assert(!next_state(ServerState::held_for_cancel, ServerEvent::granted), "nor one that a cancel may still hit");
static_assert(!next_state(ServerState::in_transit, ServerEvent::close), "a server in transit is closed on arrival");

// Why a server connection was closed. The texts are PgBouncer's where it has one.
enum class CloseReason : std::uint8_t {
    none,
    lifetime_over, idle_timeout, too_many_servers, evicted, pause_mode, marked, target_changed, database_removed,
    connect_failed, connect_timeout, login_failed,
    crashed, dirty, check_failed, reset_failed, fault, client_left, replication_client_closed, cancel_given_up, uncertain,
    pairing, shutdown,
};

std::string_view to_string(CloseReason reason);

}  // namespace pgweir
