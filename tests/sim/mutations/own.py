"""Replication clients: a server connection of their own."""

from .mutation import mutation

BOOK_OPENING_CPP = "routing/book_opening.cpp"
BOOK_OWN_CPP = "routing/book_own.cpp"
BOOK_SERVERS_CPP = "routing/book_servers.cpp"
CLIENT_SESSION_CPP = "routing/client_session.cpp"
LEAVING_CPP = "routing/client_session_leaving.cpp"

MUTATIONS = (
    mutation("a replication client's server is lent to others",
        (BOOK_SERVERS_CPP, "    if (server->owner) return own_logged_in(id, *server, now, out);\n", "")),
    mutation("a replication client's failed attempt counts for the pool",
        (BOOK_SERVERS_CPP, "    if (server->owner) return server_lost(id, now, out);    // it says nothing of logins without replication\n", "")),
    mutation("a replication client's server counts as one that is coming",
        (BOOK_SERVERS_CPP,
         "        case State::connecting: (server.owner ? pool.own_connecting : pool.shares[server.worker].coming) += by; break;",
         "        case State::connecting: pool.shares[server.worker].coming += by; break;")),
    mutation("no idle server gives way to a replication client",
        (BOOK_OWN_CPP, "        if (is_full(pool, now)) return make_room_for_own(pool, out);", "        if (is_full(pool, now)) return;")),
    mutation("more idle servers give way than replication clients wait",
        (BOOK_OWN_CPP, "    while (pool.awaiting_own > pool.in_state(State::closing) && out.has_room()) {", "    while (out.has_room()) {")),
    mutation("a replication client opens beyond the pool's size",
        (BOOK_OWN_CPP, "    return load.bound > 0 && load.open >= load.bound;", "    return false;")),
    mutation("a server that comes back never gives way to a replication client",
        (BOOK_SERVERS_CPP,
         "    if (pool.awaiting_own > 0 && gives_way_to_own(pool, now)) return close(id, server, CloseReason::evicted, out);\n",
         "")),
    mutation("a freed permit is not for replication clients",
        (BOOK_OPENING_CPP, "    if (pool.awaiting_own > 0) open_own_servers(id, pool, now, out);\n", "")),
    mutation("RECONNECT spares replication clients' servers",
        (BOOK_OWN_CPP, "        if (server.epoch == pool.epoch) continue;\n", "        if (true) continue;\n")),
    mutation("PAUSE opens servers for replication clients",
        (BOOK_OWN_CPP, "    if (is_paused(pool) || shutting_down_) return;\n", "    if (shutting_down_) return;\n")),
    mutation("a replication client's Terminate is kept from its server",
        (CLIENT_SESSION_CPP, "        if (has_own_server_) return true;    // its server says goodbye itself, after all that was sent before\n", "")),
    mutation("a lost replication client's server lives on",
        (LEAVING_CPP, "    if (has_own_server_) return finish_leaving(*server, out);\n", "")),
    mutation("a replication client's server is given back",
        (CLIENT_SESSION_CPP, "if (has_own_server_ || server.ledger.is_uncertain() ||", "if (server.ledger.is_uncertain() ||")),
    mutation("a server that nobody waits for stays idle beside a replication client",
        (BOOK_SERVERS_CPP, "pool.awaiting_own > 0 && lacks_room_for_own(pool, now);", "false;")),
)
