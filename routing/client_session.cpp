#include "routing/client_session.hpp"

#include <cassert>

#include "routing/packet_header.hpp"

namespace pgweir {
namespace {

using Kind = SessionActionKind;

// Each message by itself: in a run only the first one's length is told.
constexpr FrameRules single_frames = [] {
    FrameRules rules = client_frames;
    rules.runs = {};
    return rules;
}();

std::size_t offset_in(Bytes input, Bytes rest) { return input.size() - rest.size(); }

// The front of the packet that `rest` begins with, for the text of an error.
Shown front_of(Bytes input, Bytes rest) {
    return {static_cast<std::uint32_t>(offset_in(input, rest)), static_cast<std::uint32_t>(shown_of_packet(rest).size())};
}

RequestKind request_of(const ClientMessage& message, const Frame& frame) {
    const bool is_describe = message.request == RequestKind::describe_portal;
    const bool of_statement = is_describe && frame.bytes.size() > frame_header_bytes && frame.bytes[frame_header_bytes] == 'S';
    return of_statement ? RequestKind::describe_statement : message.request;
}

}  // namespace

ClientSession::ClientSession(std::shared_ptr<const SessionPolicy> policy, PoolCounters& counters,
                             SharedParameters parameters, TimePoint now)
    : policy_(std::move(policy)), counters_(&counters), parameters_(std::move(parameters)), last_activity_(now) {
    update_deadline(nullptr);
}

void ClientSession::await_own_server(TimePoint now) {
    has_own_server_ = true;
    phase_ = Phase::waiting;
    waiting_since_ = request_began_ = now;
    update_deadline(nullptr);
}

std::size_t ClientSession::on_client_bytes(Bytes input, ServerSession* server, TimePoint now, SessionActions& out) {
    Bytes rest = input;
    Frame frame;
    std::size_t received = 0;
    bytes_wanted_ = 0;
    const bool has_bound = policy_->max_packet_size < message_length_max;
    const FrameRules& rules = has_bound ? single_frames : client_frames;
    while (wants_input() && !rest.empty() && out.has_room()) {
        const Bytes before = rest;
        if (!scanner_.next_whole(rest, rules, frame) && !next_of_cut(input, rest, rules, frame, server, out)) break;
        if (has_bound && frame.begins && frame.length - 1 > policy_->max_packet_size) {
            fail(is_linked() ? server : nullptr, Fault::packet_too_large, out, front_of(input, before));
            break;
        }
        const bool linked = phase_ == Phase::linked;
        replaced_ = 0;
        if (linked ? take_linked(frame, *server, now, out) : take_unlinked(frame, now, out)) {
            if (linked && !dropping_frame_) forward_frame(frame, offset_in(input, before), out);
            if (frame.ends) dropping_frame_ = false;
            received += frame.bytes.size();
            if (linked && frame.ends && (server->ledger.is_settled() || phase_ != Phase::linked)) release_if_free(*server, now, out);
            continue;
        }
        // Not taken: the message waits for a server, or for replies, so the scanner must see it again from its header.
        if (phase_ == Phase::waiting || awaits_replies_) {
            scanner_ = FrameScanner{};
            rest = before;
        }
        break;
    }
    counters_->received.add(static_cast<std::int64_t>(received));
    if (phase_ == Phase::linked && tracks_statements() && !server->ledger.empty()) {
        limit_answers(*server, out);
        release_if_free(*server, now, out);
    }
    return offset_in(input, rest);
}

// A message that is not there as a whole, or is none. False: more must come first, or the session has ended.
bool ClientSession::next_of_cut(Bytes input, Bytes& rest, const FrameRules& rules, Frame& frame, ServerSession* server,
                                SessionActions& out) {
    if (tracks_statements() && scanner_.at_boundary() && !has_whole_names(rest, server, out)) return false;
    const auto status = scanner_.next(rest, rules, frame);
    if (status == ScanStatus::error) fail(is_linked() ? server : nullptr, client_fault_of(scanner_.error()), out, front_of(input, rest));
    return status == ScanStatus::piece;
}

void ClientSession::forward_frame(const Frame& frame, std::size_t offset, SessionActions& out) {
    Bytes bytes = frame.bytes;
    bytes.remove_prefix(replaced_);
    if (!bytes.empty()) out.forward(Kind::forward_to_server, offset + replaced_, bytes);
}

// A message while no server is linked. False: it is not used (yet).
bool ClientSession::take_unlinked(const Frame& frame, TimePoint now, SessionActions& out) {
    using enum frontend::Type;
    if (!frame.begins) return true;
    const auto type = frontend::Type{frame.type};
    if (type == terminate) {
        has_terminated_ = true;
        phase_ = Phase::closed;
        out.close(Kind::close_client, Fault::none);
        return false;
    }
    // COPY data that comes after its COPY has failed, and a Flush with nothing before it, do nothing.
    if (type == copy_data || type == copy_done || type == copy_fail || type == flush) {
        dropping_frame_ = !frame.ends;
        return true;
    }
    if (type == query && policy_->refuse_simple_query) {
        fail(nullptr, Fault::simple_query_refused, out);
        return false;
    }
    phase_ = Phase::waiting;
    notified_ = false;
    waiting_since_ = request_began_ = now;
    update_deadline(nullptr);
    out.add({.kind = Kind::check_out});
    return false;
}

// A message while a server is linked; it is forwarded unless this says false.
bool ClientSession::take_linked(const Frame& frame, ServerSession& server, TimePoint now, SessionActions& out) {
    if (!frame.begins) return true;
    const ClientMessage message = client_messages[static_cast<unsigned char>(frame.type)];
    if (!message.earns_reply) return take_silent(frame, server, now, out);
    const bool is_query = frontend::Type{frame.type} == frontend::Type::query;
    if (is_query && policy_->refuse_simple_query) {
        fail(&server, Fault::simple_query_refused, out);
        return false;
    }
    const bool tracks = tracks_statements();
    if (tracks && message.names_statement && server.statements.has_under_way() && must_wait(frame, server, out)) {
        awaits_replies_ = true;
        return false;
    }
    const bool begins = !server.ledger.needs_sync() && !server.ledger.owes_client();
    if (begins) begin_request(now);
    const bool is_taken = tracks && message.names_statement && !server.ledger.is_skipping() && take_statement_message(frame, server, out);
    if (!is_taken) server.ledger.push(request_of(message, frame), Disposition::forward, tracks && message.runs ? effects_of_run(server) : 0);
    if (begins) update_deadline(&server);
    return true;
}

// What earns no reply: Terminate, Flush, COPY data.
bool ClientSession::take_silent(const Frame& frame, ServerSession& server, TimePoint now, SessionActions& out) {
    using enum frontend::Type;
    const auto type = frontend::Type{frame.type};
    if (type == terminate) {
        phase_ = Phase::leaving;
        client_gone_ = has_terminated_ = true;
        deadline_ = now + policy_->client_lost_drain;
        if (has_own_server_) return true;    // its server says goodbye itself, after all that was sent before
        proceed_leaving(server, out);
        return false;
    }
    // An idle server has no use for what is left of a COPY that failed.
    const bool is_idle = server.ledger.is_settled() && server.transaction == TransactionStatus::idle;
    if (is_idle && type == copy_data && policy_->mode != PoolMode::session) dropping_frame_ = true;
    if (type == flush) offer_answers(server, out);
    return true;
}

void ClientSession::begin_request(TimePoint now) {
    ++request_number_;
    request_began_ = now;
    if (in_transaction_) return;
    in_transaction_ = true;
    transaction_began_ = now;
}

void ClientSession::on_granted(ServerSession& server, TimePoint now, SessionActions& out) {
    phase_ = Phase::linked;
    unnamed_is_there_ = forgetting_ = dropping_ = false;
    request_began_ = now;
    if (!in_transaction_) transaction_began_ = now;
    counters_->server_assignments.add();
    counters_->wait_time.add((now - waiting_since_).count());
    if (parameters_ != server.parameters && parameters_ && server.parameters) {
        if (needs_replay(*server.tracked, *parameters_, *server.parameters)) {
            out.send(Kind::send_to_server, OwnMessage::parameters);
            server.begin_own_query();
            // A value that no server has reported may be refused, and then the client's statement must not run.
            holds_input_ = !parameters_->proven;
        } else if (parameters_->known == server.parameters->known) {
            parameters_ = server.parameters;    // equal: the next comparison is of two pointers
        }
    }
    update_deadline(&server);
}

std::size_t ClientSession::on_server_bytes(Bytes input, ServerSession& server, TimePoint now, SessionActions& out) {
    Bytes rest = input;
    Frame frame;
    while (is_linked() && !rest.empty() && out.has_room()) {
        const auto offset = offset_in(input, rest);
        const auto& rules = server.ledger.answers_plain_query() ? server_frames::of_query : server_frames::usual;
        if (!server.scanner.next_whole(rest, rules, frame)) {
            const auto status = server.scanner.next(rest, rules, frame);
            if (status == ScanStatus::error) fail(&server, Fault::server_protocol_error, out);
            if (status != ScanStatus::piece) break;
        }
        on_reply_frame(frame, offset, server, now, out);
    }
    counters_->sent.add(static_cast<std::int64_t>(offset_in(input, rest)));
    // Anything may have been what leaving waited for: a COPY's beginning, an error that wants a Sync, the end of a notice.
    if (phase_ == Phase::leaving) proceed_leaving(server, out);
    return offset_in(input, rest);
}

void ClientSession::on_reply_frame(const Frame& frame, std::size_t offset, ServerSession& server, TimePoint now,
                                   SessionActions& out) {
    const auto message = server_messages[static_cast<unsigned char>(frame.type)];
    if (frame.begins && server.ledger.has_due()) send_answers(server, out);    // before whatever comes now
    if (message == ServerMessage::news) return on_asynchronous(frame, offset, server, now, out);
    if (frame.begins && !begin_reply(frame, message, server, out)) return;
    if (message == ServerMessage::ready && !note_transaction(frame, server, out)) return;
    if (server.route == ReplyRoute::forward) pass_to_client(frame, offset, out);
    if (frame.ends && server.ledger.has_due()) send_answers(server, out);
    if (message == ServerMessage::ready) on_ready(server, now, out);
}

// Finds out whose it is. False: the session has ended over it.
bool ClientSession::begin_reply(const Frame& frame, ServerMessage message, ServerSession& server, SessionActions& out) {
    if (message == ServerMessage::error) return begin_error(frame, server, out);
    if (message == ServerMessage::completion) {
        if (server.note_completion(frame) && statements_) statements_->clear();
        note_dropped(server, frame);
    }
    server.route = server.ledger.on_reply(backend::Type{frame.type});
    if (server.route != ReplyRoute::mismatch) return true;
    fail(&server, Fault::internal_pairing, out);
    return false;
}

bool ClientSession::begin_error(const Frame& frame, ServerSession& server, SessionActions& out) {
    server.note_error(frame);
    note_outdated_plan(server, frame);
    const bool own = server.ledger.head_is_swallowed();
    const bool refused = tell_refusal(server, frame, out);
    server.route = server.ledger.on_reply(backend::Type::error_response);
    if (refused) server.route = ReplyRoute::swallow;
    if (server.route == ReplyRoute::mismatch) {
        fail(&server, Fault::internal_pairing, out);
        return false;
    }
    if (!own || client_gone_) return true;
    fail(&server, server.fatal_seen ? Fault::server_lost : Fault::invalid_server_parameter, out);
    return false;
}

// These come at any time and belong to no request.
void ClientSession::on_asynchronous(const Frame& frame, std::size_t offset, ServerSession& server, TimePoint now,
                                    SessionActions& out) {
    if (frame.begins) {
        server.route = ReplyRoute::forward;
        if (backend::Type{frame.type} == backend::Type::parameter_status) {
            const bool tracked = server.note_parameter(frame);
            // What our own SET changed the client knows already; what its statement changed follows it from now on.
            if (server.ledger.head_is_swallowed())
                server.route = ReplyRoute::swallow;
            else if (tracked)
                parameters_ = server.parameters;
        }
    }
    if (server.route != ReplyRoute::forward) return;
    pass_to_client(frame, offset, out);
    if (frame.begins || !frame.ends) return;
    // What has had to wait for its end.
    if (server.ledger.has_due()) send_answers(server, out);
    release_if_free(server, now, out);
}

void ClientSession::pass_to_client(const Frame& frame, std::size_t offset, SessionActions& out) {
    if (!client_gone_) out.forward(Kind::forward_to_client, offset, frame.bytes);
}

// False: the session has ended over it.
bool ClientSession::note_transaction(const Frame& frame, ServerSession& server, SessionActions& out) {
    const char status = frame.body().size() == 1 ? frame.body()[0] : '?';
    if (status != 'I' && status != 'T' && status != 'E') {
        fail(&server, Fault::server_protocol_error, out);
        return false;
    }
    server.transaction = TransactionStatus{status};
    if (policy_->mode != PoolMode::statement || status == 'I' || phase_ != Phase::linked) return true;
    fail(&server, Fault::statement_mode_transaction, out);
    return false;
}

void ClientSession::on_ready(ServerSession& server, TimePoint now, SessionActions& out) {
    if (server.route == ReplyRoute::swallow) return on_replayed(server, out);

    last_activity_ = now;
    count_ready(server, now);
    release_if_free(server, now, out);
    if (phase_ == Phase::linked) update_deadline(&server);
}

// The answer to a request of our own: parameters, or a step of leaving.
void ClientSession::on_replayed(ServerSession& server, SessionActions& out) {
    if (phase_ == Phase::leaving) return proceed_leaving(server, out);
    parameters_ = server.parameters;
    if (!holds_input_) return;
    holds_input_ = false;
    out.add({.kind = Kind::resume_client});
}

void ClientSession::count_ready(const ServerSession& server, TimePoint now) {
    counters_->queries.add();
    if (server.ledger.is_settled()) counters_->query_time.add((now - request_began_).count());
    if (server.transaction != TransactionStatus::idle) return;
    counters_->transactions.add();
    if (!server.ledger.is_settled()) return;
    counters_->transaction_time.add((now - transaction_began_).count());
    in_transaction_ = false;
}

// DESIGN, "Correctness" 1: every condition in one place. A cancel in flight is the book's to know.
bool ClientSession::server_is_free(const ServerSession& server) const {
    const bool is_free = server.is_at_rest() && scanner_.at_boundary();
    assert(!is_free || !holds_input_);    // the answer to our SET is owed as long
    return is_free;
}

void ClientSession::release_if_free(ServerSession& server, TimePoint now, SessionActions& out) {
    if (phase_ == Phase::leaving) return proceed_leaving(server, out);
    if (phase_ != Phase::linked || policy_->mode == PoolMode::session || has_own_server_ || !server_is_free(server)) return;
    phase_ = Phase::idle;
    in_transaction_ = false;
    last_activity_ = now;
    update_deadline(nullptr);
    give_back(server, out);
}

void ClientSession::give_back(const ServerSession& server, SessionActions& out) const {
    if (has_own_server_ || server.ledger.is_uncertain() || server.fatal_seen)
        out.close(Kind::close_server, Fault::none);
    else
        out.add({.kind = Kind::check_in});
}

void ClientSession::on_server_drained(ServerSession& server, TimePoint now, SessionActions& out) {
    release_if_free(server, now, out);
}

void ClientSession::set_policy(std::shared_ptr<const SessionPolicy> policy, const ServerSession* server) {
    policy_ = std::move(policy);
    if (phase_ != Phase::leaving && phase_ != Phase::closed) update_deadline(server);
}

std::uint32_t ClientSession::running_request(const ServerSession* server) const {
    // While our own SET runs a cancel would hit that.
    if (phase_ != Phase::linked || server == nullptr || server->ledger.head_is_swallowed()) return 0;
    return server->ledger.owes_client() ? request_number_ : 0;
}

}  // namespace pgweir
