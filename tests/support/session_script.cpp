#include "tests/support/session_script.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "protocol/frontend/copy_fail.hpp"
#include "protocol/frontend/sync.hpp"
#include "routing/packet_header.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

std::string text_of(std::string_view name, Fault fault, std::string_view argument) {
    std::string text(name);
    if (fault != Fault::none) text.append(": ").append(fault_message(fault, argument));
    return text;
}

}  // namespace

SessionPolicy transaction_pooling() {
    SessionPolicy policy;
    policy.mode = PoolMode::transaction;
    return policy;
}

SessionScript::SessionScript() { use_other_server(); }

SessionScript::~SessionScript() {
    if (std::uncaught_exceptions() == 0) CHECK(orders_ == std::vector<std::string>{});
}

SessionScript& SessionScript::under(const SessionPolicy& policy) {
    policy_ = policy;
    return *this;
}

SessionScript& SessionScript::client_wants(std::string_view parameter, std::string_view value, bool proven) {
    client_parameters_ = with_parameter(client_parameters_, tracked_.find(parameter), value, proven);
    return *this;
}

SessionScript& SessionScript::server_has(std::string_view parameter, std::string_view value) {
    server_parameters_ = with_parameter(server_parameters_, tracked_.find(parameter), value, true);
    server_->parameters = server_parameters_;
    return *this;
}

SessionScript& SessionScript::with_own_server() {
    policy_.mode = PoolMode::session;
    client_parameters_ = server_parameters_;
    session();
    session_->await_own_server(now_);
    return grant();
}

const ClientSession& SessionScript::session() {
    if (!session_)
        session_ = std::make_unique<ClientSession>(std::make_shared<SessionPolicy>(policy_), counters_,
                                                   client_parameters_, now_);
    return *session_;
}

std::uint32_t SessionScript::running_request() { return session().running_request(linked_server()); }

bool SessionScript::is_over() { return session().phase() == ClientSession::Phase::closed; }

void SessionScript::forget() {
    orders_.clear();
    to_server_.clear();
    to_client_.clear();
}

void SessionScript::begin_step() {
    session();
    INFO("orders that nothing expected");
    REQUIRE(orders_ == std::vector<std::string>{});
    if (step_++ == last_step_) throw Interrupted{};
}

SessionScript& SessionScript::client_bytes(Bytes bytes) {
    begin_step();
    in_chunks(bytes, kept_of_client_, &SessionScript::pump_client);
    return *this;
}

SessionScript& SessionScript::server_bytes(Bytes bytes) {
    begin_step();
    in_chunks(bytes, kept_of_server_, &SessionScript::pump_server);
    return *this;
}

void SessionScript::in_chunks(Bytes bytes, std::string& kept, void (SessionScript::*pump)()) {
    while (!bytes.empty()) {
        if (bytes_given_ == last_byte_) throw Interrupted{};
        std::size_t size = cut_everywhere_ ? 1 : bytes.size();
        for (const std::size_t place : {cut_, last_byte_})
            if (place > bytes_given_ && place != std::string::npos) size = std::min(size, place - bytes_given_);
        kept.append(bytes.substr(0, size));
        bytes.remove_prefix(size);
        bytes_given_ += size;
        (this->*pump)();
    }
}

void SessionScript::pump_client() {
    while (session_->wants_input() && !kept_of_client_.empty()) {
        out_.clear();
        const auto used = session_->on_client_bytes(kept_of_client_, linked_server(), now_, out_);
        carry_out(kept_of_client_);
        kept_of_client_.erase(0, used);
        if (used == 0) break;
    }
}

void SessionScript::pump_server() {
    while (linked_ && !kept_of_server_.empty()) {
        out_.clear();
        const auto used = session_->on_server_bytes(kept_of_server_, *server_, now_, out_);
        carry_out(kept_of_server_);
        kept_of_server_.erase(0, used);
        if (used == 0) break;
    }
    if (!server_open_) return kept_of_server_.clear();
    if (!linked_) {
        Bytes rest = kept_of_server_;
        const auto event = server_->on_unlinked_bytes(rest);
        if (event == UnlinkedEvent::dirty) order("server dirty");
        if (event == UnlinkedEvent::fatal) order("server fatal");
        kept_of_server_.erase(0, kept_of_server_.size() - rest.size());
    }
    if (std::exchange(resumed_, false)) pump_client();
}

void SessionScript::carry_out(Bytes input) {
    using Kind = SessionActionKind;
    actions_most_ = std::max(actions_most_, out_.size());
    for (const SessionAction& action : out_) {
        const Bytes range = input.substr(std::min<std::size_t>(action.offset, input.size()), action.length);
        switch (action.kind) {
            case Kind::forward_to_client:
                REQUIRE_FALSE(closed_);
                REQUIRE(range.size() == action.length);
                to_client_ += range;
                break;
            case Kind::forward_to_server:
                REQUIRE(linked_);
                REQUIRE(range.size() == action.length);
                to_server_ += range;
                break;
            case Kind::made_to_client:
                REQUIRE_FALSE(closed_);
                to_client_ += out_.made(action);
                break;
            case Kind::made_to_server:
                REQUIRE(linked_);
                to_server_ += out_.made(action);
                break;
            case Kind::send_to_server:
                REQUIRE(linked_);
                to_server_ += own_message(action.message);
                break;
            case Kind::send_to_client: order("notice to client"); break;
            case Kind::check_out: order("check out"); break;
            case Kind::leave_queue: order("leave queue"); break;
            case Kind::check_in:
                REQUIRE(linked_);
                REQUIRE(server_->is_at_rest());
                REQUIRE_FALSE(server_->ledger.is_uncertain());
                linked_ = false;
                order("check in");
                break;
            case Kind::close_server:
                REQUIRE(linked_);
                linked_ = server_open_ = false;
                order("close server", action.fault);
                break;
            case Kind::close_client:
                REQUIRE_FALSE(closed_);
                closed_ = true;
                // How much more than the header is shown depends on where the bytes are cut.
                order("close client", action.fault, hex_of(range.substr(0, frame_header_bytes)));
                break;
            case Kind::resume_client: resumed_ = true; break;
            case Kind::cancel_query:
                REQUIRE(linked_);
                order("cancel query");
                break;
        }
    }
    REQUIRE(closed_ == (session_->phase() == ClientSession::Phase::closed));
}

void SessionScript::order(std::string_view name, Fault fault, std::string_view argument) {
    orders_.push_back(text_of(name, fault, argument));
}

std::string SessionScript::own_message(OwnMessage message) const {
    switch (message) {
        case OwnMessage::sync: return to_message(frontend::Sync{});
        case OwnMessage::rollback: return to_message(frontend::Query{"ROLLBACK"});
        case OwnMessage::copy_fail: return to_message(frontend::CopyFail{"client left"});
        case OwnMessage::parameters:
            return to_message(
                frontend::Query{replay_statement(tracked_, *session_->parameters(), *server_->parameters)});
        default: break;
    }
    FAIL("no message for a server");
    return {};
}

SessionScript& SessionScript::grant() {
    REQUIRE(session().phase() == ClientSession::Phase::waiting);
    REQUIRE(server_open_);
    linked_ = true;
    out_.clear();
    session_->on_granted(*server_, now_, out_);
    carry_out({});
    pump_client();
    return *this;
}

SessionScript& SessionScript::use_other_server() {
    REQUIRE_FALSE(linked_);
    server_ = std::make_unique<ServerSession>(tracked_);
    server_->statement_source = &statements_;
    server_->parameters = server_parameters_;
    server_open_ = true;
    kept_of_server_.clear();
    return *this;
}

SessionScript& SessionScript::lose_client() {
    session();
    out_.clear();
    session_->on_client_lost(linked_server(), now_, out_);
    carry_out({});
    to_client_.clear();
    return *this;
}

SessionScript& SessionScript::lose_server(CloseReason reason) {
    REQUIRE(linked_);
    out_.clear();
    session_->on_server_lost(*server_, reason, out_);
    linked_ = server_open_ = false;
    carry_out({});
    return *this;
}

SessionScript& SessionScript::wait(Microseconds span) {
    const TimePoint until = now_ + span;
    while (session().deadline() <= until) {
        now_ = std::max(now_, session_->deadline());
        const auto due = session_->deadline();
        out_.clear();
        session_->on_deadline(linked_server(), now_, out_);
        carry_out({});
        REQUIRE(session_->deadline() > due);  // else a worker would spin on it
    }
    now_ = until;
    return *this;
}

SessionScript& SessionScript::fault(Fault fault) {
    session();
    out_.clear();
    session_->on_fault(linked_server(), fault, out_);
    carry_out({});
    return *this;
}

SessionScript& SessionScript::change_policy(const SessionPolicy& policy) {
    session_->set_policy(std::make_shared<SessionPolicy>(policy), linked_server());
    return *this;
}

SessionScript& SessionScript::hold_output() {
    server_->output_pending = true;
    return *this;
}

SessionScript& SessionScript::drain_output() {
    server_->output_pending = false;
    if (!linked_) return *this;
    out_.clear();
    session_->on_server_drained(*server_, now_, out_);
    carry_out({});
    return *this;
}

SessionScript& SessionScript::expect_check_out() { return expect({"check out"}).grant(); }
SessionScript& SessionScript::expect_waiting() { return expect({"check out"}); }
SessionScript& SessionScript::expect_fault(Fault fault, std::string_view argument) {
    return expect({text_of("close client", fault, argument)});
}
SessionScript& SessionScript::expect_both_closed(Fault fault, std::string_view argument) {
    return expect({text_of("close server", fault, {}), text_of("close client", fault, argument)});
}

SessionScript& SessionScript::expect(const std::vector<std::string>& orders) {
    REQUIRE(orders_ == orders);
    orders_.clear();
    return *this;
}

SessionScript& SessionScript::expect_to_server(const std::string& bytes) {
    REQUIRE(to_server_ == bytes);
    to_server_.clear();
    return *this;
}

SessionScript& SessionScript::expect_to_client(const std::string& bytes) {
    REQUIRE(to_client_ == bytes);
    to_client_.clear();
    return *this;
}

void at_every_cut(const Story& story) {
    std::size_t size = 0;
    {
        SessionScript whole;
        story(whole);
        size = whole.bytes_given();
    }
    for (std::size_t place = 1; place < size; ++place) {
        INFO("cut at byte " << place << " of both sides together");
        SessionScript script;
        script.cut_at(place);
        story(script);
    }
    INFO("byte by byte");
    SessionScript script;
    script.cut_everywhere();
    story(script);
}

namespace {

// False: the story came to its own end.
bool tell_until_interrupted(SessionScript& script, const Story& story) {
    try {
        story(script);
    } catch (const SessionScript::Interrupted&) {
        return true;
    }
    return false;
}

}  // namespace

void for_each_step(const Story& story, const Ending& ending) {
    for (int step = 0;; ++step) {
        INFO("before message " << step);
        SessionScript script;
        script.interrupt_at_step(step);
        if (!tell_until_interrupted(script, story)) return;
        ending(script);
    }
}

void for_each_byte(const Story& story, const Ending& ending) {
    for (std::size_t bytes = 0;; ++bytes) {
        INFO("behind byte " << bytes << " of both sides together");
        SessionScript script;
        script.interrupt_after(bytes);
        if (!tell_until_interrupted(script, story)) return;
        ending(script);
    }
}

}  // namespace pgweir::test
