// The time-outs of a session, by what it is doing.
#include <algorithm>

#include "routing/client_session.hpp"

namespace pgweir {
namespace {

using Kind = SessionActionKind;

TimePoint after(TimePoint start, Microseconds timeout) { return timeout.count() > 0 ? start + timeout : never; }

}  // namespace

void ClientSession::update_deadline(const ServerSession* server) {
    const SessionPolicy& p = *policy_;
    switch (phase_) {
        case Phase::idle: deadline_ = after(last_activity_, p.client_idle_timeout); break;
        case Phase::waiting:
            deadline_ = std::min(after(waiting_since_, p.query_wait_timeout), after(waiting_since_, p.query_timeout));
            if (!notified_) deadline_ = std::min(deadline_, after(waiting_since_, p.query_wait_notify));
            break;
        case Phase::linked: {
            deadline_ = never;
            if (!p.limits_linked()) break;
            const bool busy = !server->ledger.is_settled();
            const bool in_block = server->transaction != TransactionStatus::idle;
            if (busy) deadline_ = after(request_began_, p.query_timeout);
            if (busy || in_block) deadline_ = std::min(deadline_, after(transaction_began_, p.transaction_timeout));
            if (!busy && in_block) deadline_ = std::min(deadline_, after(last_activity_, p.idle_transaction_timeout));
            break;
        }
        case Phase::leaving:
        case Phase::closed: break;
    }
}

void ClientSession::on_deadline(ServerSession* server, TimePoint now, SessionActions& out) {
    if (now < deadline_) return;
    const SessionPolicy& p = *policy_;
    switch (phase_) {
        case Phase::idle: return on_fault(nullptr, Fault::client_idle_timeout, out);
        case Phase::waiting:
            if (now >= after(waiting_since_, p.query_wait_timeout)) return on_fault(nullptr, Fault::query_wait_timeout, out);
            if (now >= after(waiting_since_, p.query_timeout)) return on_fault(nullptr, Fault::query_timeout_waiting, out);
            notified_ = true;
            out.send(Kind::send_to_client, OwnMessage::waiting_notice);
            return update_deadline(nullptr);
        case Phase::linked:
            if (!server->ledger.is_settled() && now >= after(request_began_, p.query_timeout))
                return fail(server, Fault::query_timeout, out);
            if (now >= after(transaction_began_, p.transaction_timeout) &&
                (!server->ledger.is_settled() || server->transaction != TransactionStatus::idle))
                return fail(server, Fault::transaction_timeout, out);
            if (server->ledger.is_settled() && server->transaction != TransactionStatus::idle)
                return fail(server, Fault::idle_transaction_timeout, out);
            return update_deadline(server);
        case Phase::leaving: return fail(server, Fault::none, out);    // PostgreSQL finishes what it has begun
        case Phase::closed: return;
    }
}

}  // namespace pgweir
