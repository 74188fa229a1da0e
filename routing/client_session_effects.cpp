// What holds of prepared statements once replies have come, and what is sent in the place of replies that the server owes
// nobody. Nothing is taken for done before the server has said so.
#include <algorithm>

#include "protocol/backend/close_complete.hpp"
#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/parse_complete.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/flush.hpp"
#include "routing/client_session.hpp"

namespace pgweir {
namespace {

using Kind = SessionActionKind;
using EffectKind = StatementEffect::Kind;

constexpr std::uint32_t ledger_long = 4096;    // requests

}  // namespace

// Before the ledger hears of it.
void ClientSession::note_dropped(ServerSession& server, const Frame& frame) {
    if (!server.ledger.head_has_effects() || !frame.ends) return;
    const auto done = backend::CommandComplete::parse(BodyReader{frame.body()});
    if (done && done->tag == "DEALLOCATE") server.statements.confirm_drop();
}

// "cached plan must not change result type": the client is told, and prepares the same text again, which must then be
// planned again. Which statement it was the message does not say.
void ClientSession::note_outdated_plan(ServerSession& server, const Frame& frame) const {
    if (!tracks_statements() || !frame.ends || server.statement_source == nullptr) return;
    const auto error = backend::ErrorResponse::parse(BodyReader{frame.body()});
    if (error && error->fields.field(backend::error_field::sqlstate) == "0A000" &&
        error->fields.field(backend::error_field::routine) == "RevalidateCachedQuery")
        server.statement_source->outdate();
}

// What a Query or Execute changes beside its result: `forgetting_` and `dropping_` say it.
std::uint16_t ClientSession::effects_of_run(ServerSession& server) {
    if (server.ledger.is_skipping()) return 0;
    std::uint16_t effects = 0;
    if (std::exchange(dropping_, false)) {
        server.statements.note(EffectKind::client_drops, server.ledger.series()).name = statements().unnamed_drops;
        ++effects;
    }
    if (!std::exchange(forgetting_, false)) return effects;
    server.statements.note(EffectKind::all_forgotten, server.ledger.series());
    return effects + 1;
}

// A Query drops the unnamed statement, in its turn: what is under way comes first, and may have it skipped.
std::uint16_t ClientSession::end_unnamed(ServerSession& server) {
    unnamed_is_there_ = true;    // none on both sides
    if (server.statements.has_under_way() || (statements_ && server.ledger.needs_sync())) {
        server.statements.note(EffectKind::unnamed, server.ledger.series());
        return 1;
    }
    if (statements_) statements_->unnamed.clear();
    return 0;
}

StatementRef ClientSession::statement_named(Bytes name, const ServerSession& server) const {
    const auto effects = server.statements.under_way();
    for (auto effect = effects.rbegin(); effect != effects.rend(); ++effect) {
        if (effect->kind == EffectKind::all_forgotten) return nullptr;
        if (effect->name != name) continue;
        if (effect->kind == EffectKind::client_names) return effect->statement;
        if (effect->kind == EffectKind::client_forgets || effect->kind == EffectKind::client_drops) return nullptr;
    }
    return statements_ ? statements_->find(name) : nullptr;
}

// Answers of ours must not pile up: those that wait for nothing go now, and where they wait for the server in a series that
// goes on and on, it is asked for what it has.
void ClientSession::limit_answers(ServerSession& server, SessionActions& out) {
    if (!server.ledger.awaits_ready()) offer_answers(server, out);
    if (server.ledger.size() > ledger_long && server.ledger.needs_sync())
        out.make(Kind::made_to_server, [](std::string& bytes) { append_message(bytes, frontend::Flush{}); });
}

// Not into the middle of a message that the client is being sent: behind it they go by themselves.
void ClientSession::offer_answers(ServerSession& server, SessionActions& out) {
    if (server.is_between_messages()) send_answers(server, out);
}

// What is due of our own answers; and whatever has been decided by the last reply takes hold. Whoever waits for nothing else
// is idle again.
void ClientSession::send_answers(ServerSession& server, SessionActions& out) {
    bool answers = false;
    while (const auto request = server.ledger.take_answer()) {
        answers = true;
        if (client_gone_ || server.fatal_seen) continue;    // nothing follows a FATAL error
        out.make(Kind::made_to_client, [&](std::string& bytes) {
            if (*request == RequestKind::parse)
                append_message(bytes, backend::ParseComplete{});
            else
                append_message(bytes, backend::CloseComplete{});
        });
    }
    if (server.ledger.has_effects()) take_effects(server, out);
    if (answers && phase_ == Phase::linked && server.ledger.is_settled()) update_deadline(&server);
}

void ClientSession::take_effects(ServerSession& server, SessionActions& out) {
    const auto effects = server.ledger.take_effects();
    for (std::uint32_t i = 0; i < effects.dropped; ++i)
        drop_effect(server.statements.take_effect(), server, i == 0 && effects.first_failed);
    for (std::uint32_t i = 0; i < effects.settled; ++i) take_effect(server.statements.take_effect(), server);
    if (!awaits_replies_) return;
    awaits_replies_ = false;
    if (phase_ == Phase::linked) out.add({.kind = Kind::resume_client});
}

void ClientSession::take_effect(StatementEffect& effect, ServerSession& server) {
    switch (effect.kind) {
        case EffectKind::server_has: return server.statements.add(std::move(effect.statement));
        case EffectKind::server_lacks:
            server.statements.remove(*effect.statement);
            effect.statement = nullptr;
            return;
        case EffectKind::client_names:
            statements().settle(effect.name, *effect.statement);
            return statements_->add(effect.name, std::move(effect.statement));
        case EffectKind::client_forgets:
            if (statements_) statements_->remove(effect.name);
            return;
        case EffectKind::client_drops:
            if (statements_ && effect.is_confirmed) statements_->remove(effect.name);
            return;
        case EffectKind::unnamed:
            std::swap(statements().unnamed, effect.name);
            return;
        case EffectKind::unnamed_again:
        case EffectKind::all_forgotten:    // its command tag says whether it was so
        case EffectKind::refused: return;
    }
}

// `failed`: it is the one that failed, not one that was skipped for it. PostgreSQL drops the unnamed statement before it
// looks at the new one's text.
void ClientSession::drop_effect(StatementEffect& effect, const ServerSession& server, bool failed) {
    if (effect.kind == EffectKind::client_names) statements().settle(effect.name, *effect.statement);
    effect.statement = nullptr;
    if (!effect.is_about_unnamed()) return;
    if (failed && effect.kind == EffectKind::unnamed && statements_) statements_->unnamed.clear();
    const auto later = server.statements.under_way();
    unnamed_is_there_ = unnamed_is_there_ && std::any_of(later.begin(), later.end(), [](const auto& other) { return other.is_about_unnamed(); });
}

ClientStatements& ClientSession::statements() {
    if (!statements_) statements_ = std::make_unique<ClientStatements>();
    return *statements_;
}

}  // namespace pgweir
