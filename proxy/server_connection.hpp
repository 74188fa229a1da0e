// One server connection: its socket, its protocol state, what is kept for it, and its node in a worker's mailbox.
//
// Belongs to one worker at a time. Not here: who may have it (Book).
#pragma once

#include <memory>
#include <string>

#include "proxy/client_connection.hpp"
#include "proxy/kept_bytes.hpp"
#include "proxy/mailbox.hpp"
#include "proxy/pool_context.hpp"
#include "proxy/transport.hpp"
#include "routing/server_session.hpp"

namespace pgweir {

struct LocalServerTag;
using LocalServerId = Id<LocalServerTag>;    // a place in its worker's table

struct ServerConnection : MailboxNode {
    ServerConnection(ServerId server_id, std::shared_ptr<PoolContext> pool_context, const TrackedParameters& tracked)
        : id(server_id), context(std::move(pool_context)), session(tracked) {}

    const ServerId id;
    const std::shared_ptr<PoolContext> context;
    Transport transport;
    ServerSession session;
    LocalServerId place{};                 // once it is in a worker's table
    ClientConnection* client = nullptr;    // linked
    KeptBytes input;
    KeptBytes output;
    std::string cancel_key;
    SessionId owner{};                     // opened for this session alone
    ReplicationKind replication = ReplicationKind::none;
    std::shared_ptr<const PoolTarget> target;
    std::string host;                      // as the entry names it: whose certificate it must be
    PeerAddress remote;
    PeerAddress local;
    std::uint64_t number = 0;
    TimePoint connected_at{};
    std::int64_t connected_unix = 0;
    TimePoint own_query_until = never;     // a check or reset must have ended by then
    std::uint32_t streamed = 0;            // bytes of a long answer, reads close behind each other (modulo 2^32)
    std::uint32_t seen_streamed = 0;       // … when the timer last looked
    bool is_marked = false;                // its socket wakes us for many bytes only
    bool from_reserve = false;
    bool edge_missed = false;
    bool hung_up = false;
    bool is_ready = false;
    bool broken = false;
    bool half_sent = false;                // its client went in the middle of a message
    bool watching_output = false;
    bool closed = false;                   // gone from the book; freed when its node is not linked
    std::atomic<std::uint8_t> move_to{0};      // arguments of the pending orders
    std::atomic<std::uint8_t> close_reason{0};
};

}  // namespace pgweir
