// One logged-in client on its worker: its socket, its session, what is kept for it.
#pragma once

#include <memory>
#include <string>

#include "proxy/kept_bytes.hpp"
#include "proxy/pool_context.hpp"
#include "proxy/transport.hpp"
#include "routing/client_session.hpp"
#include "routing/start_up_parameters.hpp"

namespace pgweir {

struct ServerConnection;

struct ClientTag;
using ClientId = Id<ClientTag>;    // a place in its worker's table

// An endpoint's address as SHOW and log lines give it.
struct PeerAddress {
    std::string host = "unix";     // "10.0.0.7", "::1", "unix"
    int port = 0;
    int pid = 0;                   // of a Unix socket's peer
    bool is_unix = false;

    // "10.0.0.7:40112", "[::1]:40112", "unix(1234):6432".
    std::string text() const;
};

// What only SHOW and log lines want: apart, since an idle client should be small.
struct ClientDetails {
    std::string login_user;
    PeerAddress peer;
    TimePoint connected_at{};
    std::int64_t connected_unix = 0;     // seconds since 1970
    std::uint64_t number = 0;            // SHOW's id
    std::string cancel_key;
    ReplicationKind replication = ReplicationKind::none;
    std::uint32_t user_bound = 0;        // the places in Limits that count it
    std::uint32_t database_bound = 0;
};

struct ClientConnection {
    ClientConnection(Transport socket, ClientSession client_session, SessionId session_id,
                     std::shared_ptr<PoolContext> pool_context, std::unique_ptr<ClientDetails> client_details)
        : transport(std::move(socket)), session(std::move(client_session)), id(session_id), context(std::move(pool_context)),
          details(std::move(client_details)) {}

    Transport transport;
    ClientSession session;
    SessionId id;                       // in the book
    ClientId place{};                   // in the worker's table
    std::shared_ptr<PoolContext> context;
    std::unique_ptr<ClientDetails> details;
    ServerConnection* server = nullptr; // linked
    KeptBytes input;                    // read, not used yet
    KeptBytes output;                   // not taken by the socket yet
    bool edge_missed = false;           // readiness came while it was not read
    bool hung_up = false;               // the event said so: read on to the end
    bool is_ready = false;              // on the ready list
    bool resumes = false;               // its kept input is to be looked at
    bool broken = false;                // a write failed
    bool closing = false;               // only `output` is still to go
    bool buried = false;
    bool watching_output = false;
    TimePoint closing_until = never;
};

}  // namespace pgweir
