// Carrying out what sessions and the book have decided.
#include <cassert>

#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/copy_fail.hpp"
#include "protocol/frontend/query.hpp"
#include "protocol/frontend/sync.hpp"
#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/relay.hpp"
#include "routing/packet_header.hpp"

namespace pgweir {
namespace {

constexpr Microseconds own_query_time{15'000'000};    // a check or reset that takes longer has failed

std::string waiting_notice() {
    std::string out;
    backend::ErrorFieldsBuilder fields;
    fields.add({backend::error_field::severity, "NOTICE"})
        .add({backend::error_field::severity_nonlocalized, "NOTICE"})
        .add({backend::error_field::sqlstate, "00000"})
        .add({backend::error_field::message, "No server connection available in postgres backend, client being queued"});
    append_message(out, backend::NoticeResponse{fields.view()});
    return out;
}

// Checked in every build, since it is what goes to a peer.
Bytes range_of(Bytes input, const SessionAction& action) {
    assert(std::size_t{action.offset} + action.length <= input.size());
    return {input.data() + action.offset, action.length};
}

}  // namespace

void Relay::carry_out(ClientConnection& client, Bytes input, const SessionActions& actions) {
    for (const SessionAction& action : actions) {
        switch (action.kind) {
            case SessionActionKind::forward_to_client: write_client(client, range_of(input, action)); break;
            case SessionActionKind::forward_to_server:
                if (client.server != nullptr) send_server(*client.server, range_of(input, action));
                break;
            case SessionActionKind::made_to_client: write_client(client, actions.made(action)); break;
            case SessionActionKind::made_to_server:
                if (client.server != nullptr) send_server(*client.server, actions.made(action));
                break;
            case SessionActionKind::check_out: check_out(client); break;
            case SessionActionKind::check_in:
                if (client.server != nullptr) check_in(client, *client.server);
                break;
            default: carry_out_rare(client, input, action);
        }
    }
}

// What does not happen to every transaction.
void Relay::carry_out_rare(ClientConnection& client, Bytes input, const SessionAction& action) {
    ServerConnection* server = client.server;
    switch (action.kind) {
        case SessionActionKind::send_to_client:
            write_client(client, action.message == OwnMessage::waiting_notice
                                     ? waiting_notice()
                                     : to_message(backend::ReadyForQuery{backend::TransactionStatus::idle}));
            break;
        case SessionActionKind::send_to_server:
            if (server != nullptr) append_own_message(client, *server, action.message);
            break;
        case SessionActionKind::leave_queue:
            host_book_.call(worker_, book_actions_, [&](Book& book, BookActions&) { book.leave_queue(client.id); });
            break;
        case SessionActionKind::close_server:
            if (server == nullptr) break;
            unlink(client);
            if (action.fault == Fault::internal_pairing) note_pairing_lost("a reply fits no request", *server);
            close_server(*server, action.fault == Fault::internal_pairing ? CloseReason::pairing
                                  : action.fault == Fault::none           ? CloseReason::client_left
                                                                          : CloseReason::fault);
            break;
        case SessionActionKind::close_client:
            close_client(client, action.fault, hex_of(range_of(input, action)));
            break;
        case SessionActionKind::resume_client:
            client.resumes = true;
            make_ready(client);
            break;
        case SessionActionKind::cancel_query:
            if (server != nullptr) host_.cancel_running(*server);
            break;
        default: break;    // carry_out has seen to it
    }
}

// Behind what is kept, and not flushed yet: the client's own message follows in the same write.
void Relay::append_own_message(ClientConnection& client, ServerConnection& server, OwnMessage message) {
    std::string out;
    switch (message) {
        case OwnMessage::sync: append_message(out, frontend::Sync{}); break;
        case OwnMessage::rollback: append_message(out, frontend::Query{"ROLLBACK"}); break;
        case OwnMessage::copy_fail: append_message(out, frontend::CopyFail{"client disconnected"}); break;
        case OwnMessage::parameters: {
            const std::string sql = replay_statement(*server.session.tracked, *client.session.parameters(), *server.session.parameters);
            log(LogLevel::debug, "{} varcache_apply: {}", name_of(server), sql);
            append_message(out, frontend::Query{sql});
            break;
        }
        case OwnMessage::none:
        case OwnMessage::check_query:
        case OwnMessage::reset_query:
        case OwnMessage::ready_idle:
        case OwnMessage::waiting_notice: return;
    }
    server.output.append(out);
    server.session.output_pending = true;
    if (message != OwnMessage::parameters) flush_server(server);
}

// The usual answer is a grant, carried out at once: the request goes on in the same write.
void Relay::check_out(ClientConnection& client) {
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) { book.check_out(client.id, now_, out); });
    ServerConnection* granted = nullptr;
    for (const BookAction& action : book_actions_) {
        if (action.kind == BookActionKind::grant && action.session == client.id)
            granted = find(action.server);
        else
            todo_.push_back(action);
    }
    book_actions_.clear();
    if (granted != nullptr) grant(client, *granted);
}

void Relay::check_in(ClientConnection& client, ServerConnection& server) {
    unlink(client);
    if (client.edge_missed) make_ready(client);
    // A message that the server did not take yet is nobody else's.
    if (!server.output.empty()) return close_server(server, CloseReason::dirty);
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) { book.check_in(server.id, now_, out); });
    take_book_actions();
}

void Relay::grant(ClientConnection& client, ServerConnection& server) {
    // DESIGN, "Correctness" 12: checked in every build.
    if (client.server != nullptr || server.client != nullptr || !server.session.is_at_rest() || client.buried || client.closing) {
        note_pairing_lost("a server was granted that is not at rest", server);
        server_lost(server, CloseReason::pairing);
        return close_client(client, Fault::internal_pairing);
    }
    client.server = &server;
    server.client = &client;
    event_actions_.clear();
    client.session.on_granted(server.session, now_, event_actions_);
    if (event_actions_.size() > 0) carry_out(client, {}, event_actions_);
    if (!client.session.wants_input() && !server.output.empty()) flush_server(server);
}

void Relay::unlink(ClientConnection& client) {
    if (client.server == nullptr) return;
    ServerConnection& server = *client.server;
    server.half_sent = client.session.has_half_sent();
    server.client = nullptr;
    server.streamed = 0;
    if (server.is_marked) end_stream(server);    // the next client's answer may be short
    client.server = nullptr;
}

void Relay::take_book_actions() {
    for (const BookAction& action : book_actions_) todo_.push_back(action);
    book_actions_.clear();
}

void Relay::run_todo() {
    for (std::size_t i = 0; i < todo_.size(); ++i) {
        const BookAction action = todo_[i];
        run_book_action(action);
    }
    todo_.clear();
}

void Relay::run_book_action(const BookAction& action) {
    const bool for_others = action.worker != no_worker && action.worker != worker_;
    if (for_others) return;    // it is in that worker's mailbox
    switch (action.kind) {
        case BookActionKind::grant: {
            ServerConnection* server = find(action.server);
            ClientConnection* client = find(action.session);
            if (client == nullptr) {
                log(LogLevel::fatal, "pairing lost: a grant names a session that is gone ({})", action.session.index);
                if (server != nullptr) server_lost(*server, CloseReason::pairing);
                return;
            }
            if (server != nullptr)
                grant(*client, *server);
            else if (client->session.phase() == ClientSession::Phase::waiting)
                check_out(*client);    // lost since the decision: it asks again
            if (client->server == nullptr || client->buried || client->closing) return;
            client->resumes = false;
            KeptBytes kept = std::move(client->input);
            process_client(*client, kept.view());
            if (client->edge_missed) make_ready(*client);
            return;
        }
        case BookActionKind::refuse: {
            ClientConnection* client = find(action.session);
            if (client == nullptr) return;
            end_refused(*client, action.fault, host_book_.look([&](Book& book) {
                const Pool* pool = book.pool(client->context->id);
                return pool != nullptr ? pool->failure : PoolFailure{};
            }));
            return;
        }
        case BookActionKind::open: {
            ServerConnection* server = host_book_.connection(action.server);
            if (server == nullptr) return;
            if (by_server_.size() <= action.server.index) by_server_.resize(action.server.index + 1, nullptr);
            by_server_[action.server.index] = server;
            host_.open_server(*server);
            return;
        }
        case BookActionKind::look_again: return serve_called(action.pool);
        case BookActionKind::move:
            if (ServerConnection* server = find(action.server)) move_away(*server);
            return;
        case BookActionKind::check:
        case BookActionKind::reset:
            if (ServerConnection* server = find(action.server))
                begin_own_query(*server, action.kind == BookActionKind::check ? OwnMessage::check_query : OwnMessage::reset_query);
            return;
        case BookActionKind::close:
            if (ServerConnection* server = find(action.server)) close_by_order(*server);
            return;
    }
}

void Relay::end_refused(ClientConnection& client, Fault fault, const PoolFailure& failure) {
    event_actions_.clear();
    client.session.on_fault(nullptr, fault, event_actions_);
    for (const SessionAction& action : event_actions_)
        if (action.kind == SessionActionKind::close_client) close_client(client, fault, failure.message, failure.sqlstate);
}

// Sessions that wait are refused, logins that wait have their welcome.
void Relay::look_again(PoolId pool) {
    now_ = now();
    serve_called(pool);
    settle();
}

void Relay::serve_called(PoolId pool) {
    for (;;) {
        Called called;
        PoolFailure failure;
        host_book_.call(worker_, book_actions_, [&](Book& book, BookActions&) {
            called = book.next_called(pool, worker_);
            if (called.fault == Fault::server_login_failed) failure = book.pool(pool)->failure;
        });
        if (!called.session) break;
        if (ClientConnection* client = find(called.session))
            end_refused(*client, called.fault, failure);
        else
            host_.welcome_arrived(called.session, called.fault);
    }
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) { book.serve_waiting(pool, worker_, now_, out); });
    take_book_actions();
}

void Relay::begin_own_query(ServerConnection& server, OwnMessage what) {
    server.session.begin_own_query();
    server.session.parameters_reset = what == OwnMessage::reset_query;
    server.own_query_until = now_ + own_query_time;
    host_.deadline_armed();
    const auto policy = host_book_.look([&](Book& book) { return book.pool(server.context->id)->policy; });
    std::string_view sql = what == OwnMessage::reset_query ? policy->server_reset_query : policy->server_check_query;
    if (what == OwnMessage::check_query && sql == ";") sql = "";
    send_server(server, to_message(frontend::Query{sql}));
    if (!server.output.empty()) flush_server(server);
}

// DESIGN §3: it moves if it is open, at rest and holds no byte; else it is closed.
void Relay::move_away(ServerConnection& server) {
    if (server.closed) return;
    if (!server.session.is_at_rest() || !server.input.empty() || server.transport.has_buffered() || server.client != nullptr)
        return close_server(server, CloseReason::dirty);
    const auto to = server.move_to.load(std::memory_order_relaxed);
    poller_.remove(server.transport.fd());
    servers_.erase(server.place);
    server.place = {};
    server.is_ready = false;
    server.watching_output = false;
    by_server_[server.id.index] = nullptr;
    host_book_.hand_over(server, static_cast<WorkerId>(to));
}

void Relay::take_in(ServerConnection& server) {
    if (stall != nullptr) stall();
    now_ = now();
    if (by_server_.size() <= server.id.index) by_server_.resize(server.id.index + 1, nullptr);
    by_server_[server.id.index] = &server;
    server.place = servers_.emplace(&server);
    poller_.add(server.transport.fd(), {PollKind::server, server.place.index, server.place.generation & PollToken::generation_mask});
    server.session.catalog = &catalog_;
    server.edge_missed = false;
    server.hung_up = false;
    read_server(server);    // again: healthy; bytes: an idle server's; end: lost
    if (server.closed) return;
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) { book.arrived(server.id, now_, out); });
    take_book_actions();
}

// The book has given it up already; whoever has it (nobody, as a rule) is told.
void Relay::close_by_order(ServerConnection& server) {
    if (server.closed) return;
    const auto reason = static_cast<CloseReason>(server.close_reason.load(std::memory_order_relaxed));
    if (!server.place) return host_.abandon_open(server);
    server_lost(server, reason);
}

void Relay::note_pairing_lost(std::string_view what, const ServerConnection& server) {
    log(LogLevel::fatal, "{} pairing lost: {}: both sides are closed", name_of(server), what);
}

}  // namespace pgweir
