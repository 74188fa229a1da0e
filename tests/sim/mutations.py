"""The core broken on purpose: each mutation is one claim, and the edits that break it. `tests/sim/mutate` applies them to a
copy, one at a time, and asks the simulation whether it notices.

An edit is (file, old text, new text). The old text occurs exactly once; it is the start of a line or says enough of one.
A change of the core that moves such a text changes it here too (the test sim_mutations_apply)."""

from dataclasses import dataclass

BOOK_CPP = "routing/book.cpp"
BOOK_OPENING_CPP = "routing/book_opening.cpp"
BOOK_SERVERS_CPP = "routing/book_servers.cpp"
BOOK_SESSIONS_CPP = "routing/book_sessions.cpp"
CLIENT_SESSION_CPP = "routing/client_session.cpp"
POOL_CPP = "routing/pool.cpp"
POOL_HPP = "routing/pool.hpp"
REPLY_LEDGER_CPP = "routing/reply_ledger.cpp"
REPLY_LEDGER_HPP = "routing/reply_ledger.hpp"
SERVER_SESSION_CPP = "routing/server_session.cpp"
SERVER_SESSION_HPP = "routing/server_session.hpp"


@dataclass
class Mutation:
    claim: str
    edits: tuple
    same_because: str = ""  # nothing that anyone can observe changes: why


def mutation(claim, *edits, same_because=""):
    return Mutation(claim, edits, same_because)


MUTATIONS = (
    mutation("the permit of a user bound is not given back",
        (BOOK_SERVERS_CPP, "    --user.servers;\n", "")),
    mutation("a closed server still counts as open",
        (BOOK_SERVERS_CPP, "    --pool.open_count;\n", "")),
    mutation("the eviction count is not decremented",
        (BOOK_SERVERS_CPP, "    if (server->evicted_for_database) --database.evicting;\n", "")),
    mutation("check-in one reply early",
        (REPLY_LEDGER_HPP, "return count_ == 0 && !unsynced_", "return count_ <= 1 && !unsynced_")),
    mutation("a cancel under way does not hold the server back",
        (BOOK_SERVERS_CPP, "    if (server->cancels > 0) {\n", "    if (false) {\n")),
    mutation("… nor is it seen when the server is lent",
        (BOOK_SERVERS_CPP, "    if (server->cancels > 0) {\n", "    if (false) {\n"),
        (BOOK_SERVERS_CPP, "        server.session || server.cancels != 0) {", "        server.session) {")),
    mutation("a cancel that was given up does not close the server",
        (BOOK_SERVERS_CPP, "    if (given_up) server->close_when_returned = true;\n", "")),
    mutation("pools are shared by users",
        (BOOK_CPP, "if (pools_.at(id.index).user_bound == user_bound) return id;", "return id;")),
    mutation("a Sync's reply is swallowed",
        (CLIENT_SESSION_CPP,
            "server.ledger.push(request.kind);",
            "server.ledger.push(request.kind, request.kind == RequestKind::sync ? Disposition::swallow : Disposition::forward);")),
    mutation("the queue is last in, first out",
        (BOOK_SESSIONS_CPP,
            "share.waiting.push_back(sessions_, id.index);",
            "share.waiting.push_front(sessions_, id.index);")),
    mutation("no advantage for those who wait elsewhere",
        (BOOK_SERVERS_CPP, "if (own == nullptr || other.since + move_advantage < own->since)", "if (own == nullptr)")),
    mutation("a lost server leaves its waiter to itself",
        (BOOK_SERVERS_CPP,
            "    shift(*server, Event::close);\n"
            "    replace(*server, now, out);\n",
            "    shift(*server, Event::close);\n")),
    mutation("a server that must close on arrival leaves its waiter",
        (BOOK_SERVERS_CPP, "    if (server.state == State::closing) replace(server, now, out);\n", "")),
    mutation("moves ignore servers in transit",
        (BOOK_SESSIONS_CPP, "share.waiting.count <= share.transit", "share.waiting.count == 0")),
    mutation("a move does not count as in transit",
        (BOOK_SERVERS_CPP, "            pool.shares[server.to].transit += by;\n", "")),
    mutation("an arrived server keeps its old worker",
        (BOOK_SERVERS_CPP, "    server->worker = server->to;\n", "")),
    mutation("Terminate in a block without ROLLBACK",
        (CLIENT_SESSION_CPP,
            "    if (server.transaction != TransactionStatus::idle) {\n"
            "        server.begin_own_query();",
            "    if (server.transaction == TransactionStatus::failed) {\n"
            "        server.begin_own_query();")),
    mutation("no CopyFail for a client that left in a COPY",
        (CLIENT_SESSION_CPP, "        out.send(Kind::send_to_server, OwnMessage::copy_fail);\n", "")),
    mutation("no Sync for a client that left in a series",
        (CLIENT_SESSION_CPP, "    if (server.ledger.needs_sync()) {", "    if (false) {")),
    mutation("a Sync read past by COPY is waited for",
        (REPLY_LEDGER_CPP,
            "        ++voided_syncs_;\n"
            "        return;\n",
            "        ++voided_syncs_;\n")),
    mutation("… also one sent before the COPY began",
        (REPLY_LEDGER_CPP, "        if (!done && entry.kind == RequestKind::sync) {", "        if (false) {")),
    mutation("after an error the ledger stops at a Query",
        (REPLY_LEDGER_CPP,
            "while (count_ > 0 && at(0).kind != RequestKind::sync) {",
            "while (count_ > 0 && !ends_with_ready(at(0).kind)) {")),
    mutation("requests are counted while the server skips",
        (REPLY_LEDGER_CPP, "        if (skipping_) return;\n", "")),
    mutation("of Syncs sent at once only the last is counted",
        (REPLY_LEDGER_CPP,
            "    append({kind, disposition, answer_id});\n"
            "}\n"
            "\n"
            "ReplyRoute ReplyLedger::on_reply",
            "    if (kind == RequestKind::sync && count_ > 0 && at(count_ - 1).kind == kind) return;\n"
            "    append({kind, disposition, answer_id});\n"
            "}\n"
            "\n"
            "ReplyRoute ReplyLedger::on_reply")),
    mutation("a COPY that failed at its start leaves no doubt",
        (REPLY_LEDGER_CPP, "uncertain_syncs_ = copy_open_ ? voided_syncs_ : 0;", "uncertain_syncs_ = 0;")),
    mutation("a doubtful server is given back",
        (CLIENT_SESSION_CPP, "if (server.ledger.is_uncertain() || server.fatal_seen)", "if (server.fatal_seen)")),
    mutation("a half message does not keep the server",
        (CLIENT_SESSION_CPP, "return server.is_at_rest() && scanner_.at_boundary() &&", "return server.is_at_rest() &&")),
    mutation("bytes kept for the server do not keep it",
        (SERVER_SESSION_HPP, "between_messages && !output_pending &&", "between_messages &&")),
    mutation("a failed transaction counts as idle",
        (CLIENT_SESSION_CPP,
            "    server.transaction = TransactionStatus{status};\n",
            "    server.transaction = status == 'E' ? TransactionStatus::idle : TransactionStatus{status};\n")),
    mutation("the bound of a user is not looked at",
        (BOOK_OPENING_CPP, "return user.is_full() ? &user : nullptr;", "return nullptr;")),
    mutation("the reserve opens at once",
        (POOL_CPP, "opening_bound(*policy, waited)", "opening_bound(*policy, Microseconds{1000000000})")),
    mutation("pool_size is one too many",
        (POOL_CPP, "opening_bound(*policy, waited)", "opening_bound(*policy, waited) + 1")),
    mutation("a freed permit wakes no refused pool",
        (BOOK_OPENING_CPP, "        if (!best || !out.has_room()) break;", "        if (true) break;")),
    mutation("a refused pool does not evict",
        (BOOK_OPENING_CPP,
            "        remember_refused(id, pool);\n"
            "        evict_for(id, pool, now, out);\n",
            "        remember_refused(id, pool);\n")),
    mutation("an idle server does not give way",
        (BOOK_SERVERS_CPP,
            "    if (is_wanted_elsewhere(server.pool, pool, server, now)) return close(id, server, CloseReason::evicted, out);\n",
            "")),
    mutation("PAUSE does not stop servers that come back",
        (BOOK_SERVERS_CPP, "    if (is_paused(pool)) return CloseReason::pause_mode;\n", "")),
    mutation("RECONNECT spares servers that come back",
        (BOOK_SERVERS_CPP, "    if (server.epoch != pool.epoch) return CloseReason::marked;\n", "")),
    mutation("server_lifetime is forgotten",
        (BOOK_SERVERS_CPP,
            "    if (server.lifetime.count() == 0 ? server.used : now - server.connected_at >= server.lifetime)\n"
            "        return CloseReason::lifetime_over;\n",
            "")),
    mutation("no reset between sessions",
        (BOOK_SERVERS_CPP,
            "if ((policy.mode == PoolMode::session || policy.server_reset_query_always) &&",
            "if ((policy.server_reset_query_always) &&")),
    mutation("no check before reuse",
        (BOOK_SERVERS_CPP,
            "    if (!needs_check(server, pools_.at(server.pool.index), now)) return false;\n",
            "    return false;\n")),
    mutation("a failed attempt is never forgotten",
        (BOOK_SERVERS_CPP, "    pool.failure = {};\n", "")),
    mutation("a welcome tells nobody",
        (BOOK_SERVERS_CPP,
            "    pool.welcome = std::move(welcome);\n"
            "    look_again(server->pool, pool, out);\n",
            "    pool.welcome = std::move(welcome);\n")),
    mutation("a session removed while it waits stays in the queue",
        (BOOK_SESSIONS_CPP,
            "    dequeue(id, *session, pool);\n"
            "    if (session->state == SessionState::linked)",
            "    if (session->state == SessionState::linked)")),
    mutation("those called include later ones",
        (BOOK_SESSIONS_CPP,
            "if (!welcomed && session.ticket > pool->called_until) continue;",
            "if (!welcomed && pool->called_until == 0) continue;")),
    mutation("parameters are not replayed",
        (CLIENT_SESSION_CPP, "if (needs_replay(*parameters_, *server.parameters)) {", "if (false) {")),
    mutation("a value never tried before goes with the statement",
        (CLIENT_SESSION_CPP, "holds_input_ = !parameters_->proven;", "holds_input_ = false;")),
    mutation("a client's SET is not remembered",
        (CLIENT_SESSION_CPP,
            "            else if (tracked)\n"
            "                parameters_ = server.parameters;\n",
            "")),
    mutation("query_wait_timeout is never due",
        (CLIENT_SESSION_CPP,
            "deadline_ = std::min(after(waiting_since_, p.query_wait_timeout), after(waiting_since_, p.query_timeout));",
            "deadline_ = after(waiting_since_, p.query_timeout);")),
    mutation("idle_transaction_timeout is never due",
        (CLIENT_SESSION_CPP, "if (!busy && in_block) deadline_", "if (busy && in_block) deadline_")),
    mutation("bytes of a lost client are half a request",
        (CLIENT_SESSION_CPP, "if (!scanner_.at_boundary() && !dropping_frame_) return fail(server, Fault::none, out);", "")),
    mutation("a refused pool is forgotten",
        (BOOK_OPENING_CPP, "    limits_.refused().push_back(id);\n", "")),
    mutation("the bound of opening is looked at without the servers that are closing",
        (POOL_CPP, ".open = open(),", ".open = open() - in_state(ServerState::closing),")),
    mutation("after Terminate an error does not bring its Sync",
        (CLIENT_SESSION_CPP,
            "    if (phase_ == Phase::leaving) proceed_leaving(server, out);\n"
            "    return offset_in(input, rest);\n",
            "    return offset_in(input, rest);\n")),
    mutation("a FATAL error does not keep the server from coming back",
        (SERVER_SESSION_HPP,
            " && !output_pending &&\n"
            "               !fatal_seen;",
            " && !output_pending;")),
    mutation("news half read by nobody goes on to the next client",
        (SERVER_SESSION_CPP, "            route = ReplyRoute::swallow;", "            route = ReplyRoute::forward;")),
    mutation("a newcomer passes those who wait for a check",
        (BOOK_SESSIONS_CPP,
            "            if (!checking && share.waiting.empty()) return lend",
            "            if (!checking) return lend")),
    mutation("a login counts on a server of before the RECONNECT",
        (POOL_HPP,
            "awaiting_welcome > 0 && !welcome && connecting.empty();",
            "awaiting_welcome > 0 && logged_in == 0 && connecting.empty();")),
    mutation("a failing pool opens beyond its size",
        (BOOK_SESSIONS_CPP, "    if (fits && pool.connecting.empty()", "    if (pool.connecting.empty()")),
    mutation("a request's number stays the same",
        (CLIENT_SESSION_CPP, "    ++request_number_;\n", "")),
    mutation("a cancel finds a request where only our SET runs",
        (CLIENT_SESSION_CPP,
            "server == nullptr || server->ledger.head_is_swallowed()) return 0;",
            "server == nullptr) return 0;")),
    mutation("a statement in statement mode may open a block",
        (CLIENT_SESSION_CPP, "policy_->mode != PoolMode::statement || status == 'I'", "true || status == 'I'")),
    mutation("Terminate overtakes what was sent before it",
        (CLIENT_SESSION_CPP,
            "    if (!server.ledger.is_settled() || !server.scanner.at_boundary() || server.output_pending) return;\n",
            "    if (!server.scanner.at_boundary() || server.output_pending) return;\n")),
)
