// Prepared statements of a client on servers that are not its own (DESIGN, "Correctness" 2 and 10): names are replaced by
// the statement's own, a server that lacks a statement is told it in the same write, and what the server need not see is
// answered at its place in the stream.
//
// What a message does holds once its request has succeeded. Within one series (up to its Sync) everything after a failure
// is skipped, so the rest of the series may count on it; a message of a later series that would depend on it waits.
#include <algorithm>

#include "protocol/backend/close_complete.hpp"
#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/parse_complete.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/close.hpp"
#include "protocol/frontend/describe.hpp"
#include "protocol/frontend/flush.hpp"
#include "protocol/frontend/parse.hpp"
#include "protocol/frontend/query.hpp"
#include "routing/client_session.hpp"
#include "routing/statement_messages.hpp"

namespace pgweir {
namespace {

using Kind = SessionActionKind;
using EffectKind = StatementEffect::Kind;

constexpr std::size_t gathered_max = 16u << 20;        // bytes of a Parse, Describe or Close
constexpr std::size_t unnamed_kept_max = 64u << 10;    // bytes of an unnamed Parse whose text is kept
constexpr std::size_t bind_names_max = 4u << 20;       // bytes up to the end of a Bind's names
constexpr std::size_t query_held_max = 1u << 10;       // bytes of a Query that is looked at as a whole
constexpr Bytes dropping_sql = "deallocate pgweir_taken";
constexpr std::size_t effects_max = 256;               // under way: each name is looked for among them

struct BindNames {
    Bytes portal;
    Bytes statement;
    std::size_t end = 0;    // behind them; 0: not there
};

BindNames bind_names(Bytes body) {
    if (body.size() >= 2 && body[0] == '\0' && body[1] == '\0') return {{}, {}, 2};    // the usual ones: no names
    const auto portal_end = body.find('\0');
    if (portal_end == Bytes::npos) return {};
    const auto statement_end = body.find('\0', portal_end + 1);
    if (statement_end == Bytes::npos) return {};
    return {body.substr(0, portal_end), body.substr(portal_end + 1, statement_end - portal_end - 1), statement_end + 1};
}

std::uint32_t length_field(Bytes header) {
    return static_cast<std::uint32_t>(BodyReader{header.substr(1)}.int32());
}

// The text of a Query that is all there.
Bytes sql_of(const Frame& frame) {
    const Bytes body = frame.body();
    return frame.ends && body.ends_with('\0') ? body.substr(0, body.size() - 1) : Bytes();
}

bool is_unnamed_parse(const Frame& frame) {
    return frontend::Type{frame.type} == frontend::Type::parse && frame.body().starts_with('\0');
}

// That of an unnamed Parse.
Bytes unnamed_sql_of(const Frame& frame) {
    const Bytes identity = frame.body().substr(1);
    return frame.ends ? identity.substr(0, identity.find('\0')) : Bytes();
}

std::string with_other_name(Bytes sql, const Deallocation& dropped) {
    std::string other(sql.substr(0, dropped.begin));
    return other.append(dropping_sql).append(sql.substr(dropped.end));
}

// The name in a Parse, or behind the kind in a Describe or Close of a statement; nothing for a portal's.
std::optional<Bytes> statement_name(const Frame& frame) {
    Bytes body = frame.body();
    if (frontend::Type{frame.type} != frontend::Type::parse) {
        if (!body.starts_with('S')) return std::nullopt;
        body.remove_prefix(1);
    }
    if (body.starts_with('\0')) return Bytes();
    const auto end = body.find('\0');
    if (end == Bytes::npos) return std::nullopt;
    return body.substr(0, end);
}

}  // namespace

// The next message is there as far as it must be looked at. False: more of it must come first, or the session has ended.
bool ClientSession::has_whole_names(Bytes rest, ServerSession* server, SessionActions& out) {
    using enum frontend::Type;
    if (rest.size() < frame_header_bytes) return true;    // the scanner's to judge
    const std::uint32_t length = length_field(rest);
    if (rest.size() > length || length < 4 || length >= message_length_max || length > policy_->max_packet_size) return true;
    const auto type = frontend::Type{rest[0]};
    if (type != parse && type != bind && type != describe && type != close && type != query) return true;
    const Bytes body = rest.substr(frame_header_bytes);
    const bool passes = (type == parse && body.starts_with('\0') && length > unnamed_kept_max) ||
                        (type == query && length > query_held_max);
    if (passes || (type == bind && bind_names(body).end > 0)) return true;
    bytes_wanted_ = type == bind ? std::min<std::size_t>(2 * rest.size(), length + 1) : length + 1;
    const std::size_t bound = type == bind ? bind_names_max : gathered_max;
    if (bytes_wanted_ > bound) fail(is_linked() ? server : nullptr, Fault::message_too_long, out);
    return false;
}

bool ClientSession::must_wait(const Frame& frame, ServerSession& server, SessionActions& out) {
    const auto under_way = server.statements.under_way();
    const bool may_be_much = thinning_out_ || under_way.size() >= effects_max;
    if (may_be_much && must_thin_out(server, out)) return true;
    return server.statements.has_under_way() && server.statements.under_way().front().series != server.ledger.series() &&
           must_stall(frame, server);
}

// A client that prepares or deallocates on and on waits for its replies now and then; inside a series the server is asked
// for what it has.
bool ClientSession::must_thin_out(ServerSession& server, SessionActions& out) {
    if (server.statements.under_way().size() >= effects_max && !server.ledger.awaits_ready()) offer_answers(server, out);
    const std::size_t under_way = server.statements.under_way().size();
    if (under_way <= effects_max / 2 || server.ledger.copy_in()) {
        thinning_out_ = false;
    } else if (under_way >= effects_max && !std::exchange(thinning_out_, true) && server.ledger.needs_sync()) {
        out.make(Kind::made_to_server, [](std::string& bytes) { append_message(bytes, frontend::Flush{}); });
    }
    return thinning_out_;
}

// What a later series needs is not certain before the earlier one has been answered. In COPY there is no later series yet.
bool ClientSession::must_stall(const Frame& frame, const ServerSession& server) const {
    using enum frontend::Type;
    const auto type = frontend::Type{frame.type};
    const auto effects = server.statements.under_way();
    if (server.ledger.copy_in()) return false;
    if (type == query || is_unnamed_parse(frame)) {
        const auto dropped = find_deallocation(type == query ? sql_of(frame) : unnamed_sql_of(frame));
        return dropped && std::any_of(effects.begin(), effects.end(), [&](const auto& effect) { return effect.name == dropped->name; });
    }
    const auto name = type == bind ? std::optional(bind_names(frame.body()).statement) : statement_name(frame);
    if (!name) return false;
    for (auto effect = effects.rbegin(); effect != effects.rend(); ++effect) {
        const bool unnamed = effect->is_about_unnamed();
        if (unnamed != name->empty()) continue;
        if (effect->series != server.ledger.series()) return true;
        if (unnamed) return false;    // only the last one counts
    }
    return false;
}

bool ClientSession::take_statement_message(const Frame& frame, ServerSession& server, SessionActions& out) {
    using enum frontend::Type;
    switch (frontend::Type{frame.type}) {
        case parse: return take_parse(frame, server, out);
        case bind: return take_bind(frame, server, out);
        case describe: return take_describe(frame, server, out);
        case close: return take_close(frame, server, out);
        case query: return take_query(frame, server, out);
        default: return false;
    }
}

bool ClientSession::take_parse(const Frame& frame, ServerSession& server, SessionActions& out) {
    const auto name = statement_name(frame);
    if (!name) return false;
    if (name->empty()) return take_unnamed_parse(frame, server, out);
    if (!frontend::Parse::parse(BodyReader{frame.body()})) return false;    // the server refuses it

    counters_->client_parses.add();
    replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
    if (statement_named(*name, server)) {
        refuse_name(server, *name, frame.body().substr(name->size() + 1), out);
        return true;
    }
    const StatementRef statement = server.statement_source->intern(frame.body().substr(name->size() + 1));
    if (!statements().has_room_for(*name, *statement)) {
        provoke(server, Fault::too_many_statements, *name, out);
        return true;
    }
    // A failed transaction refuses nearly everything: the server says so. Where it is not known yet how the transaction
    // stands, or where an answer of ours would belong, it is asked too.
    const bool is_known = server.ledger.is_caught_up();
    const bool refuses = server.transaction == TransactionStatus::failed && !statement->ends_transaction;
    const Presence presence = server.statements.use(*statement);
    if (is_known && !refuses && presence == Presence::present) {
        server.ledger.push(RequestKind::parse, Disposition::answer, 1);
    } else {
        if (!is_known && presence == Presence::present) close_on(server, statement, out);
        send_parse(server, statement, out);
        server.ledger.push(RequestKind::parse, Disposition::forward, 2);
    }
    StatementEffect& named = server.statements.note(EffectKind::client_names, server.ledger.series());
    named.statement = statement;
    named.name = *name;
    statements_->promise(*name, *statement);
    return true;
}

bool ClientSession::take_unnamed_parse(const Frame& frame, ServerSession& server, SessionActions& out) {
    if (statements_) statements_->unnamed_drops.clear();
    const Bytes identity = frame.body().substr(1);
    const bool may_drop = may_drop_statements(unnamed_sql_of(frame));
    if (may_drop) take_unnamed_deallocate(frame, server, out);
    server.ledger.push(RequestKind::parse, Disposition::forward, 1);
    StatementEffect& effect = server.statements.note(EffectKind::unnamed, server.ledger.series());
    if (frame.ends) effect.name = identity;    // kept: a later Bind may find itself on another server
    unnamed_is_there_ = true;
    unnamed_forgets_ = may_drop && forgets_statements(effect.name);
    return true;
}

bool ClientSession::take_bind(const Frame& frame, ServerSession& server, SessionActions& out) {
    const BindNames names = bind_names(frame.body());
    if (names.end == 0) return false;
    if (names.statement.empty()) {
        if (!unnamed_is_there_ && !prepare_unnamed(server, out)) {
            provoke(server, Fault::unnamed_statement_missing, {}, out);
            replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
            dropping_frame_ = !frame.ends;
            return true;
        }
        forgetting_ = forgetting_ || unnamed_forgets_;
        dropping_ = statements_ && !statements_->unnamed_drops.empty();
        return false;
    }
    const StatementRef statement = statement_named(names.statement, server);
    if (!statement) return false;    // the server says so, in its own words
    counters_->binds.add();
    forgetting_ = forgetting_ || statement->forgets_statements;
    dropping_ = false;
    prepare_on(server, statement, out);
    server.ledger.push(RequestKind::bind);
    const auto length = static_cast<std::uint32_t>(frame.length - 1 - names.statement.size() + statement->name.size());
    out.make(Kind::made_to_server, [&](std::string& bytes) { append_bind_front(bytes, length, names.portal, statement->name); });
    replaced_ = static_cast<std::uint32_t>(frame_header_bytes + names.end);
    return true;
}

bool ClientSession::take_describe(const Frame& frame, ServerSession& server, SessionActions& out) {
    const auto name = statement_name(frame);
    if (!name) return false;
    if (name->empty()) {
        if (unnamed_is_there_ || prepare_unnamed(server, out)) return false;
        replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
        provoke(server, Fault::unnamed_statement_missing, {}, out);
        return true;
    }
    const StatementRef statement = statement_named(*name, server);
    if (!statement) return false;
    prepare_on(server, statement, out);
    server.ledger.push(RequestKind::describe_statement);
    out.make(Kind::made_to_server, [&](std::string& bytes) {
        append_message(bytes, frontend::Describe{frontend::Target::statement, statement->name});
    });
    replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
    return true;
}

// The server keeps it for whoever has the same text. It is asked only for an answer in its place, of a name that it lacks.
bool ClientSession::take_close(const Frame& frame, ServerSession& server, SessionActions& out) {
    const auto name = statement_name(frame);
    if (!name) return false;
    if (name->empty()) {
        server.ledger.push(RequestKind::close, Disposition::forward, 1);
        server.statements.note(EffectKind::unnamed, server.ledger.series());
        unnamed_is_there_ = true;    // none on both sides
        return true;
    }
    const bool is_named = statement_named(*name, server) != nullptr;
    const bool answers = server.ledger.is_caught_up();
    server.ledger.push(RequestKind::close, answers ? Disposition::answer : Disposition::forward, is_named ? 1 : 0);
    if (is_named) server.statements.note(EffectKind::client_forgets, server.ledger.series()).name = *name;
    if (!answers)
        out.make(Kind::made_to_server, [](std::string& bytes) {
            append_message(bytes, frontend::Close{frontend::Target::statement, absent_name});
        });
    replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
    return true;
}

// Every Query comes through here; few have to do with statements, and where nobody has any, none has.
bool ClientSession::take_query(const Frame& frame, ServerSession& server, SessionActions& out) {
    const bool has_any = statements_ || server.statements.size() > 0 || server.statements.has_under_way();
    const bool may_drop = has_any && (!frame.ends || may_drop_statements(frame.body()));
    if (may_drop && take_deallocate(frame, server, out)) return true;
    forgetting_ = may_drop && (!frame.ends || forgets_statements(frame.body()));    // the rest of a long one may say so
    std::uint16_t effects = end_unnamed(server);
    if (std::exchange(forgetting_, false)) {
        server.statements.note(EffectKind::all_forgotten, server.ledger.series());
        ++effects;
    }
    server.ledger.push(RequestKind::query, Disposition::forward, effects);
    return true;
}

// DEALLOCATE of a statement of the protocol, by which several drivers end theirs. The server knows it by another name, and
// keeps it: it gets one to drop that was made for that, so that the answer is its own, in a failed transaction too.
bool ClientSession::take_deallocate(const Frame& frame, ServerSession& server, SessionActions& out) {
    const Bytes sql = sql_of(frame);
    const auto dropped = find_deallocation(sql);
    if (!dropped || !statement_named(dropped->name, server)) return false;
    make_droppable(server, out);
    forgetting_ = false;
    const std::uint16_t effects = end_unnamed(server);
    server.statements.note(EffectKind::client_drops, server.ledger.series()).name = dropped->name;
    server.ledger.push(RequestKind::query, Disposition::forward, static_cast<std::uint16_t>(effects + 1));
    const std::string other = with_other_name(sql, *dropped);
    out.make(Kind::made_to_server, [&](std::string& bytes) { append_message(bytes, frontend::Query{other}); });
    replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
    return true;
}

// The same by an unnamed Parse; it drops when it is run.
void ClientSession::take_unnamed_deallocate(const Frame& frame, ServerSession& server, SessionActions& out) {
    const std::string other = drop_by_unnamed(unnamed_sql_of(frame), server, out);
    if (other.empty()) return;
    out.make(Kind::made_to_server, [&](std::string& bytes) { append_parse(bytes, {}, other); });
    replaced_ = static_cast<std::uint32_t>(frame.bytes.size());
}

// What the server is told in the place of an unnamed statement that drops one of the protocol; empty: it is no such.
std::string ClientSession::drop_by_unnamed(Bytes sql, ServerSession& server, SessionActions& out) {
    const auto dropped = find_deallocation(sql);
    if (!dropped || !statement_named(dropped->name, server)) return {};
    make_droppable(server, out);
    statements().unnamed_drops = dropped->name;
    return with_other_name(sql, *dropped) + std::string("\0\0\0", 3);
}

}  // namespace pgweir
