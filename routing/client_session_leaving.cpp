// The end of a session: a client that says goodbye or is lost, a server that is, a fault. What is under way at a healthy
// server is brought to rest first (DESIGN, "Correctness" 4), so that it need not be closed.
#include "routing/client_session.hpp"

namespace pgweir {
namespace {

using Kind = SessionActionKind;

// What a client hears when its server goes. RECONNECT and a reload end servers that work: nothing has crashed.
Fault fault_of_loss(CloseReason reason) {
    const bool is_ordered = reason == CloseReason::marked || reason == CloseReason::target_changed;
    return is_ordered ? Fault::admin_disconnect : Fault::server_lost;
}

}  // namespace

void ClientSession::on_server_lost(const ServerSession& server, CloseReason reason, SessionActions& out) {
    phase_ = Phase::closed;
    deadline_ = never;
    // Inside a half message an error would be taken for its rest; after the server's own FATAL it would be a second one.
    const bool told = server.fatal_seen || !server.scanner.at_boundary();
    out.close(Kind::close_client, told || client_gone_ ? Fault::none : fault_of_loss(reason));
}

void ClientSession::on_client_lost(ServerSession* server, TimePoint now, SessionActions& out) {
    if (client_gone_ && phase_ == Phase::leaving) return;
    client_gone_ = true;
    if (phase_ == Phase::waiting) out.add({.kind = Kind::leave_queue});
    if (phase_ != Phase::linked) {
        phase_ = Phase::closed;
        deadline_ = never;
        return out.close(Kind::close_client, Fault::none);
    }
    if (has_half_sent()) return fail(server, Fault::none, out);
    if (has_own_server_) return finish_leaving(*server, out);
    phase_ = Phase::leaving;
    const bool busy = !server->ledger.is_settled();
    if (busy && !server->ledger.copy_in() &&
        (server->transaction != TransactionStatus::idle || policy_->client_lost_query == ClientLostQuery::cancel))
        out.add({.kind = Kind::cancel_query});
    deadline_ = now + policy_->client_lost_drain;
    proceed_leaving(*server, out);
}

// One step towards a server at rest. PostgreSQL needs CopyFail to end a COPY, a Sync to answer a series, and ROLLBACK to
// leave a transaction block.
void ClientSession::proceed_leaving(ServerSession& server, SessionActions& out) {
    if (has_own_server_) return;    // it has been told to go, and is about to
    send_answers(server, out);
    if (server.ledger.copy_in()) {
        server.ledger.push(RequestKind::copy_end);
        out.send(Kind::send_to_server, OwnMessage::copy_fail);
    }
    if (server.ledger.needs_sync()) {
        server.ledger.push(RequestKind::sync, Disposition::swallow);
        out.send(Kind::send_to_server, OwnMessage::sync);
    }
    if (!server.ledger.is_settled() || !server.scanner.at_boundary() || server.output_pending) return;
    if (server.transaction != TransactionStatus::idle) {
        server.begin_own_query();
        out.send(Kind::send_to_server, OwnMessage::rollback);
        return;
    }
    finish_leaving(server, out);
}

void ClientSession::finish_leaving(ServerSession& server, SessionActions& out) {
    phase_ = Phase::closed;
    deadline_ = never;
    give_back(server, out);
    out.close(Kind::close_client, Fault::none);
}

void ClientSession::on_fault(ServerSession* server, Fault fault, SessionActions& out) {
    if (phase_ == Phase::closed) return;
    if (phase_ == Phase::waiting) out.add({.kind = Kind::leave_queue});
    fail(is_linked() ? server : nullptr, fault, out);
}

void ClientSession::fail(ServerSession* server, Fault fault, SessionActions& out, Shown shown) {
    phase_ = Phase::closed;
    deadline_ = never;
    const bool told = server != nullptr && (server->fatal_seen || !server->scanner.at_boundary());    // as in on_server_lost
    if (server != nullptr) out.close(Kind::close_server, fault);
    out.close(Kind::close_client, told || client_gone_ ? Fault::none : fault, shown);
}

}  // namespace pgweir
