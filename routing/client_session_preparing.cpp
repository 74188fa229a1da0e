// Our own messages about prepared statements: a server is told what it lacks, and where a client must hear an error, the
// server is given something to refuse.
#include "protocol/backend/error_response.hpp"
#include "protocol/frontend/close.hpp"
#include "routing/client_session.hpp"
#include "routing/statement_messages.hpp"

namespace pgweir {
namespace {

using Kind = SessionActionKind;
using EffectKind = StatementEffect::Kind;

constexpr std::size_t name_told_max = 1024;    // bytes of a name that an error message repeats

}  // namespace

void ClientSession::make_droppable(ServerSession& server, SessionActions& out) {
    server.ledger.push(RequestKind::close, Disposition::swallow);
    server.ledger.push(RequestKind::parse, Disposition::inject);
    out.make(Kind::made_to_server, [](std::string& bytes) {
        append_message(bytes, frontend::Close{frontend::Target::statement, taken_name});
        append_parse(bytes, taken_name, Bytes("\0\0\0", 3));
    });
}

bool ClientSession::prepare_unnamed(ServerSession& server, SessionActions& out) {
    if (!statements_ || statements_->unnamed.empty()) return false;
    const Bytes identity = statements_->unnamed;
    const Bytes sql = identity.substr(0, identity.find('\0'));
    const bool may_drop = may_drop_statements(sql);
    statements_->unnamed_drops.clear();
    const std::string other = may_drop ? drop_by_unnamed(sql, server, out) : std::string();
    counters_->server_parses.add();
    server.ledger.push(RequestKind::parse, Disposition::inject, 1);
    server.statements.note(EffectKind::unnamed_again, server.ledger.series());
    out.make(Kind::made_to_server, [&](std::string& bytes) { append_parse(bytes, {}, other.empty() ? identity : Bytes(other)); });
    unnamed_is_there_ = true;
    unnamed_forgets_ = may_drop && forgets_statements(sql);
    return true;
}

void ClientSession::prepare_on(ServerSession& server, const StatementRef& statement, SessionActions& out) {
    if (server.statements.use(*statement) == Presence::present) return;
    send_parse(server, statement, out);
    server.ledger.push(RequestKind::parse, Disposition::inject, 1);
}

// The caller enters the request.
void ClientSession::send_parse(ServerSession& server, const StatementRef& statement, SessionActions& out) {
    if (server.statements.look_up(*statement) == Presence::unknown) close_on(server, statement, out);
    while (const StatementRef oldest = server.statements.to_evict(static_cast<std::size_t>(policy_->statements_max)))
        close_on(server, oldest, out);
    counters_->server_parses.add();
    server.statements.note(EffectKind::server_has, server.ledger.series()).statement = statement;
    out.make(Kind::made_to_server, [&](std::string& bytes) { append_parse(bytes, statement->name, statement->identity); });
}

// Closing one that is not there is no error (PostgreSQL manual, "Extended Query").
void ClientSession::close_on(ServerSession& server, const StatementRef& statement, SessionActions& out) {
    server.ledger.push(RequestKind::close, Disposition::swallow, 1);
    server.statements.note(EffectKind::server_lacks, server.ledger.series()).statement = statement;
    out.make(Kind::made_to_server, [&](std::string& bytes) {
        append_message(bytes, frontend::Close{frontend::Target::statement, statement->name});
    });
}

// An error at this place of the stream must be the server's, which then skips to Sync and fails the transaction. So it is
// given something to refuse, and the client gets our words for it.
void ClientSession::provoke(ServerSession& server, Fault refusal, Bytes name, SessionActions& out) {
    server.ledger.push(RequestKind::bind, Disposition::forward, 1);
    note_refusal(server, refusal, name);
    out.make(Kind::made_to_server, [](std::string& bytes) {
        constexpr Bytes counts("\0\0\0\0\0\0", 6);    // no formats, no values, no result formats
        append_bind_front(bytes, static_cast<std::uint32_t>(4 + 1 + absent_name.size() + 1 + counts.size()), {}, absent_name);
        bytes.append(counts);
    });
}

// A Parse of a name that the client has already. PostgreSQL looks at the text before it looks at the name, so it gets both:
// the text under a name that is taken.
void ClientSession::refuse_name(ServerSession& server, Bytes name, Bytes identity, SessionActions& out) {
    server.ledger.push(RequestKind::close, Disposition::swallow);
    server.ledger.push(RequestKind::parse, Disposition::inject);
    server.ledger.push(RequestKind::parse, Disposition::forward, 1);
    note_refusal(server, Fault::statement_name_taken, name);
    out.make(Kind::made_to_server, [&](std::string& bytes) {
        append_message(bytes, frontend::Close{frontend::Target::statement, taken_name});
        append_parse(bytes, taken_name, Bytes("\0\0\0", 3));
        append_parse(bytes, taken_name, identity);
    });
}

void ClientSession::note_refusal(ServerSession& server, Fault refusal, Bytes name) {
    StatementEffect& effect = server.statements.note(EffectKind::refused, server.ledger.series());
    effect.refusal = refusal;
    effect.name = name.substr(0, name_told_max);
}

// Before the ledger hears of the error. True: it is the one that was provoked, and the client has been told.
bool ClientSession::tell_refusal(const ServerSession& server, const Frame& frame, SessionActions& out) {
    if (!server.ledger.head_has_effects() || !frame.ends) return false;
    const StatementEffect& effect = server.statements.under_way().front();
    if (effect.kind != EffectKind::refused) return false;
    const auto error = backend::ErrorResponse::parse(BodyReader{frame.body()});
    const bool is_taken = effect.refusal == Fault::statement_name_taken;
    if (!error || error->fields.field(backend::error_field::sqlstate) != (is_taken ? "42P05" : "26000")) return false;
    if (!client_gone_)
        out.make(Kind::made_to_client, [&](std::string& bytes) { append_fault(bytes, effect.refusal, effect.name, false, "ERROR"); });
    return true;
}

}  // namespace pgweir
