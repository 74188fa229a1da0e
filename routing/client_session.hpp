// The state machine of one logged-in client: messages and a server connection in, actions out.
//
// Promises: a server is asked for when a request arrives and given back when `server_is_free()`, and not before; every
//           reply goes to the client whose request earned it; a client that leaves costs no healthy server.
// Not here: which server it gets (Book), what the server owes (ReplyLedger), sockets and kept bytes (proxy/).
//
//   idle ──request──► waiting ──granted──► linked ──free──► idle
//     │                  │                   │  └─ Terminate, or lost ──► leaving ──free──► closed
//     └── Terminate, lost, fault ──► closed ◄┘
#pragma once

#include <cstdint>
#include <memory>

#include "protocol/frame_scanner.hpp"
#include "routing/client_statements.hpp"
#include "routing/counters.hpp"
#include "routing/message_traits.hpp"
#include "routing/pool_policy.hpp"
#include "routing/server_session.hpp"
#include "routing/server_state.hpp"
#include "routing/session_actions.hpp"
#include "routing/session_settings.hpp"
#include "routing/time.hpp"

namespace pgweir {

inline constexpr FrameRules client_frames = [] {
    using enum frontend::Type;
    return FrameRules{
        .known = {bind, close, copy_data, copy_done, copy_fail, describe, execute, flush, function_call, parse, query,
                  sync, terminate},
        .gathered = {describe},
        .runs = {copy_data},
        .gather_limit = 8,    // enough to see of what kind a Describe is
    };
}();

class ClientSession {
public:
    enum class Phase : std::uint8_t { idle, waiting, linked, leaving, closed };

    ClientSession(std::shared_ptr<const SessionPolicy> policy, PoolCounters& counters, SharedParameters parameters,
                  TimePoint now);

    // A replication client: the next grant is the server connection that was opened for it alone. It keeps that until one of
    // the two goes, and then both go.
    void await_own_server(TimePoint now);
    bool has_own_server() const { return has_own_server_; }

    // Bytes from the client. Returns how many were used; the rest must be kept and given again, with more behind it,
    // when more has come, after `resume_client`, once a server is linked, or at once when `out` was full (it has no room).
    // `server` is null unless linked or leaving.
    std::size_t on_client_bytes(Bytes input, ServerSession* server, TimePoint now, SessionActions& out);

    // Bytes from the linked server. Returns how many were used: all up to a half message, or up to where the server was
    // given back (then the rest is an unlinked server's).
    std::size_t on_server_bytes(Bytes input, ServerSession& server, TimePoint now, SessionActions& out);

    // A server has been linked. The client's kept bytes can be looked at again, unless parameters go first.
    void on_granted(ServerSession& server, TimePoint now, SessionActions& out);
    // Everything that was kept for the server has been written.
    void on_server_drained(ServerSession& server, TimePoint now, SessionActions& out);
    // The linked server is gone, by itself or because it was to be closed.
    void on_server_lost(const ServerSession& server, CloseReason reason, SessionActions& out);
    // The client is gone without Terminate.
    void on_client_lost(ServerSession* server, TimePoint now, SessionActions& out);
    // `deadline()` has passed.
    void on_deadline(ServerSession* server, TimePoint now, SessionActions& out);
    // The session has to end for a reason from outside: an operator's order, a failed server login.
    void on_fault(ServerSession* server, Fault fault, SessionActions& out);

    // As many bytes must be kept before `on_client_bytes` can do anything with them; 0: any.
    std::size_t bytes_wanted() const { return bytes_wanted_; }

    // The next moment at which something is due; `never` when nothing is.
    TimePoint deadline() const { return deadline_; }
    void set_policy(std::shared_ptr<const SessionPolicy> policy, const ServerSession* server);

    Phase phase() const { return phase_; }
    // Its client has said goodbye: it reads nothing any more.
    bool has_terminated() const { return has_terminated_; }
    bool is_linked() const { return phase_ == Phase::linked || phase_ == Phase::leaving; }
    // Its input may be read: it is neither waiting nor held back nor gone.
    bool wants_input() const {
        return !holds_input_ && !awaits_replies_ && (phase_ == Phase::idle || phase_ == Phase::linked);
    }
    // Its server has had a part of a message: whatever comes behind that would be taken for the rest.
    bool has_half_sent() const { return !scanner_.at_boundary() && !dropping_frame_; }
    // The number of the request that runs on the linked server, for a cancel; 0: none.
    std::uint32_t running_request(const ServerSession* server) const;

    // Counts the series of requests, so that a cancel hits the one it was meant for.
    std::uint32_t request_number() const { return request_number_; }
    const SharedParameters& parameters() const { return parameters_; }
    TimePoint last_request_at() const { return request_began_; }
    const SessionPolicy& policy() const { return *policy_; }
    // Prepared statements with a name.
    std::size_t statement_count() const { return statements_ ? statements_->size() : 0; }

private:
    bool take_unlinked(const Frame& frame, TimePoint now, SessionActions& out);
    bool take_linked(const Frame& frame, ServerSession& server, TimePoint now, SessionActions& out);
    bool take_silent(const Frame& frame, ServerSession& server, TimePoint now, SessionActions& out);
    bool next_of_cut(Bytes input, Bytes& rest, const FrameRules& rules, Frame& frame, ServerSession* server, SessionActions& out);
    void forward_frame(const Frame& frame, std::size_t offset, SessionActions& out);

    // client_session_statements.cpp: what a message about a prepared statement becomes. False: it is forwarded as it is,
    // and its request is not in the ledger yet.
    bool tracks_statements() const { return policy_->statements_max > 0; }
    bool has_whole_names(Bytes rest, ServerSession* server, SessionActions& out);
    bool must_wait(const Frame& frame, ServerSession& server, SessionActions& out);
    bool must_thin_out(ServerSession& server, SessionActions& out);
    bool must_stall(const Frame& frame, const ServerSession& server) const;
    bool take_statement_message(const Frame& frame, ServerSession& server, SessionActions& out);
    bool take_parse(const Frame& frame, ServerSession& server, SessionActions& out);
    bool take_unnamed_parse(const Frame& frame, ServerSession& server, SessionActions& out);
    bool take_bind(const Frame& frame, ServerSession& server, SessionActions& out);
    bool take_describe(const Frame& frame, ServerSession& server, SessionActions& out);
    bool take_close(const Frame& frame, ServerSession& server, SessionActions& out);
    bool take_query(const Frame& frame, ServerSession& server, SessionActions& out);
    std::uint16_t effects_of_run(ServerSession& server);
    std::uint16_t end_unnamed(ServerSession& server);
    StatementRef statement_named(Bytes name, const ServerSession& server) const;
    bool prepare_unnamed(ServerSession& server, SessionActions& out);
    void prepare_on(ServerSession& server, const StatementRef& statement, SessionActions& out);
    void send_parse(ServerSession& server, const StatementRef& statement, SessionActions& out);
    void close_on(ServerSession& server, const StatementRef& statement, SessionActions& out);
    void provoke(ServerSession& server, Fault refusal, Bytes name, SessionActions& out);
    void limit_answers(ServerSession& server, SessionActions& out);
    void offer_answers(ServerSession& server, SessionActions& out);
    void send_answers(ServerSession& server, SessionActions& out);
    void refuse_name(ServerSession& server, Bytes name, Bytes identity, SessionActions& out);
    static void note_refusal(ServerSession& server, Fault refusal, Bytes name);
    bool tell_refusal(const ServerSession& server, const Frame& frame, SessionActions& out);
    bool take_deallocate(const Frame& frame, ServerSession& server, SessionActions& out);
    void take_unnamed_deallocate(const Frame& frame, ServerSession& server, SessionActions& out);
    std::string drop_by_unnamed(Bytes sql, ServerSession& server, SessionActions& out);
    static void make_droppable(ServerSession& server, SessionActions& out);
    static void note_dropped(ServerSession& server, const Frame& frame);
    void note_outdated_plan(ServerSession& server, const Frame& frame) const;
    void take_effects(ServerSession& server, SessionActions& out);
    void take_effect(StatementEffect& effect, ServerSession& server);
    void drop_effect(StatementEffect& effect, const ServerSession& server, bool failed);
    ClientStatements& statements();
    void begin_request(TimePoint now);
    void on_reply_frame(const Frame& frame, std::size_t offset, ServerSession& server, TimePoint now, SessionActions& out);
    bool begin_reply(const Frame& frame, ServerMessage message, ServerSession& server, SessionActions& out);
    bool begin_error(const Frame& frame, ServerSession& server, SessionActions& out);
    void on_asynchronous(const Frame& frame, std::size_t offset, ServerSession& server, TimePoint now, SessionActions& out);
    bool note_transaction(const Frame& frame, ServerSession& server, SessionActions& out);
    void on_ready(ServerSession& server, TimePoint now, SessionActions& out);
    void on_replayed(ServerSession& server, SessionActions& out);
    void pass_to_client(const Frame& frame, std::size_t offset, SessionActions& out);
    void count_ready(const ServerSession& server, TimePoint now);
    void release_if_free(ServerSession& server, TimePoint now, SessionActions& out);
    bool server_is_free(const ServerSession& server) const;
    void proceed_leaving(ServerSession& server, SessionActions& out);
    void finish_leaving(ServerSession& server, SessionActions& out);
    void give_back(const ServerSession& server, SessionActions& out) const;
    void fail(ServerSession* server, Fault fault, SessionActions& out, Shown shown = {});
    void update_deadline(const ServerSession* server);

    std::shared_ptr<const SessionPolicy> policy_;
    PoolCounters* counters_;
    SharedParameters parameters_;
    FrameScanner scanner_;
    Phase phase_ = Phase::idle;
    bool client_gone_ = false;         // no byte goes to it any more
    bool has_terminated_ = false;
    bool has_own_server_ = false;
    bool holds_input_ = false;         // parameters of an unproven value are on their way: the client's bytes wait
    bool in_transaction_ = false;      // as counted: the first query of a transaction has been seen
    bool notified_ = false;            // query_wait_notify has been sent for this wait
    bool dropping_frame_ = false;      // the rest of a message that no server sees
    bool awaits_replies_ = false;      // what a message means depends on replies to come: the client's bytes wait
    bool thinning_out_ = false;        // … or too much depends on them
    bool unnamed_is_there_ = false;    // the linked server's unnamed statement is what this client takes it to be
    bool forgetting_ = false;          // what runs next may drop all prepared statements
    bool unnamed_forgets_ = false;     // the unnamed statement would
    bool dropping_ = false;            // what runs next drops the statement that `unnamed_drops` names
    std::size_t bytes_wanted_ = 0;
    std::uint32_t replaced_ = 0;       // bytes at the front of the message in hand that own bytes stand for
    std::uint32_t request_number_ = 0;
    TimePoint waiting_since_{};
    TimePoint request_began_{};        // the first message of the series that runs
    TimePoint transaction_began_{};
    TimePoint last_activity_{};
    TimePoint deadline_ = never;
    std::unique_ptr<ClientStatements> statements_;
};

}  // namespace pgweir
