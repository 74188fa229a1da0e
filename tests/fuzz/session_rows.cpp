// A session between raw bytes of both sides: whatever they send, and whatever happens to them, it gives orders that can be
// carried out.
#include <memory>

#include "routing/client_session.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/parsers.hpp"

namespace pgweir::test {
namespace {

using Kind = SessionActionKind;
using Phase = ClientSession::Phase;

enum class Step : unsigned { client_bytes, server_bytes, grant, drained, blocked, client_lost, server_lost, deadline, fault, policy, count_ };

std::shared_ptr<const SessionPolicy> policy_of(unsigned choice) {
    auto policy = std::make_shared<SessionPolicy>();
    policy->mode = PoolMode{static_cast<std::uint8_t>(choice % 3)};
    policy->statements_max = (choice & 4) != 0 ? 0 : 2;
    policy->client_lost_query = (choice & 8) != 0 ? ClientLostQuery::cancel : ClientLostQuery::finish;
    policy->refuse_simple_query = (choice & 16) != 0;
    if ((choice & 32) != 0) policy->max_packet_size = 100;
    if ((choice & 64) != 0) {
        policy->query_timeout = policy->query_wait_timeout = policy->transaction_timeout = Microseconds{5'000'000};
        policy->query_wait_notify = policy->idle_transaction_timeout = policy->client_idle_timeout = Microseconds{3'000'000};
    }
    return policy;
}

// Plays the proxy, and holds every order against what the proxy relies on.
class Conversation {
public:
    explicit Conversation(unsigned choice) {
        if ((choice & 128) != 0) {
            wanted_ = with_parameter(nullptr, tracked_.find("TimeZone"), "UTC", (choice & 4) != 0);
            present_ = with_parameter(nullptr, tracked_.find("TimeZone"), "GMT", true);
        }
        session_ = std::make_unique<ClientSession>(policy_of(choice), counters_, wanted_, now_);
        if (choice % 3 == 0 && (choice & 12) == 12) session_->await_own_server(now_);
        new_server();
    }

    bool is_over() const { return session_->phase() == Phase::closed; }

    void take(Step step, unsigned argument, Bytes bytes) {
        now_ = now_ + Microseconds{1000};
        switch (step) {
            case Step::client_bytes: kept_of_client_ += bytes; break;
            case Step::server_bytes: kept_of_server_ += bytes; break;
            case Step::grant: grant(); break;
            case Step::drained: set_blocked(false); break;
            case Step::blocked: set_blocked(true); break;
            case Step::client_lost: call([&] { session_->on_client_lost(linked(), now_, out_); }); break;
            case Step::server_lost: lose_server(); break;
            case Step::deadline: reach_deadline(); break;
            case Step::fault: call([&] { session_->on_fault(linked(), Fault::admin_disconnect, out_); }); break;
            case Step::policy: session_->set_policy(policy_of(argument), linked()); break;
            case Step::count_: break;
        }
        pump();
    }

private:
    ServerSession* linked() { return is_linked_ ? server_.get() : nullptr; }

    template <class Call>
    void call(Call make, Bytes input = {}) {
        if (is_over()) return;
        out_.clear();
        make();
        carry_out(input);
    }

    void new_server() {
        server_ = std::make_unique<ServerSession>(tracked_);
        server_->statement_source = &statements_;
        server_->parameters = present_;
        kept_of_server_.clear();
    }

    void grant() {
        if (session_->phase() != Phase::waiting) return;
        if (!server_->is_at_rest() || !server_->ledger.empty()) new_server();
        is_linked_ = true;
        call([&] { session_->on_granted(*server_, now_, out_); });
    }

    void set_blocked(bool blocked) {
        if (!is_linked_) return;
        server_->output_pending = blocked;
        if (!blocked) call([&] { session_->on_server_drained(*server_, now_, out_); });
    }

    void lose_server() {
        if (!is_linked_) return;
        is_linked_ = false;
        call([&] { session_->on_server_lost(*server_, CloseReason::crashed, out_); });
        new_server();
    }

    void reach_deadline() {
        const TimePoint due = session_->deadline();
        if (due == never) return;
        now_ = std::max(now_, due);
        call([&] { session_->on_deadline(linked(), now_, out_); });
        require(is_over() || session_->deadline() > due, "a deadline that has passed is not set again");
    }

    void pump() {
        bool moved = true;
        while (moved && !is_over()) moved = pump_client() || pump_server();
    }

    bool pump_client() {
        if (kept_of_client_.empty() || !session_->wants_input()) return false;
        const std::string input = kept_of_client_;
        std::size_t used = 0;
        call([&] { used = session_->on_client_bytes(input, linked(), now_, out_); }, input);
        require(used <= input.size(), "no more is used than was given");
        kept_of_client_.erase(0, used);
        return used > 0;
    }

    bool pump_server() {
        if (kept_of_server_.empty()) return false;
        const std::string input = kept_of_server_;
        std::size_t used = 0;
        if (is_linked_) {
            const auto* before = server_.get();
            call([&] { used = session_->on_server_bytes(input, *server_, now_, out_); }, input);
            require(used <= input.size(), "no more is used than was given");
            if (before != server_.get()) return true;
        } else {
            Bytes rest = input;
            const auto event = server_->on_unlinked_bytes(rest);
            used = input.size() - rest.size();
            if (event != UnlinkedEvent::nothing) {
                new_server();
                return true;
            }
        }
        kept_of_server_.erase(0, used);
        return used > 0;
    }

    void carry_out(Bytes input) {
        bool client_closed = false;
        for (const SessionAction& action : out_) {
            require(!client_closed, "nothing is ordered behind the end of the session");
            switch (action.kind) {
                case Kind::forward_to_client:
                case Kind::forward_to_server:
                    require(std::size_t{action.offset} + action.length <= input.size() && action.length > 0, "a range lies in the input");
                    require(action.kind == Kind::forward_to_client || is_linked_, "bytes go to a server that is there");
                    break;
                case Kind::made_to_client:
                case Kind::made_to_server:
                    require(out_.made(action).size() == action.length && action.length > 0, "a range lies in what was made");
                    require(action.kind == Kind::made_to_client || is_linked_, "bytes go to a server that is there");
                    break;
                case Kind::send_to_server:
                case Kind::cancel_query: require(is_linked_, "a server that is told something is there"); break;
                case Kind::check_in:
                    require(is_linked_ && server_->is_at_rest() && !server_->ledger.is_uncertain(), "a server is at rest when it is given back");
                    require(!session_->has_own_server(), "a server of one client is given back to nobody");
                    is_linked_ = false;
                    break;
                case Kind::close_server:
                    require(is_linked_, "a server that is closed was linked");
                    is_linked_ = false;
                    dead_ = std::move(server_);
                    new_server();
                    break;
                case Kind::check_out: require(session_->phase() == Phase::waiting, "a session that asks for a server waits"); break;
                case Kind::close_client: client_closed = true; break;
                case Kind::send_to_client:
                case Kind::leave_queue:
                case Kind::resume_client: break;
            }
        }
        require(client_closed == is_over(), "the session says that it is over");
        if (is_over()) require(!is_linked_, "a session that is over has no server");
        if (!is_over()) require(is_linked_ == session_->is_linked(), "a session knows whether it has a server");
    }

    TrackedParameters tracked_;
    PoolCounters counters_;
    SharedParameters wanted_;
    SharedParameters present_;
    std::unique_ptr<ClientSession> session_;
    StatementCatalog statements_;
    std::unique_ptr<ServerSession> server_;
    std::unique_ptr<ServerSession> dead_;    // may still be looked at by the call that closed it
    SessionActions out_;
    TimePoint now_{1'000'000'000};
    bool is_linked_ = false;
    std::string kept_of_client_;
    std::string kept_of_server_;
};

// An input is a choice, then steps: what happens, an argument, and for bytes so many of them.
void fuzz_session(Bytes bytes) {
    FuzzInput input(bytes);
    Conversation conversation(input.byte());
    while (!input.empty() && !conversation.is_over()) {
        const auto step = Step{input.byte() % static_cast<unsigned>(Step::count_)};
        const unsigned argument = input.byte();
        const bool has_bytes = step == Step::client_bytes || step == Step::server_bytes;
        conversation.take(step, argument, has_bytes ? input.take(argument) : Bytes());
    }
}

std::string step_of(Step step, Bytes bytes) {
    std::string text;
    do {
        const Bytes part = bytes.substr(0, 255);
        text += static_cast<char>(step);
        text += static_cast<char>(part.size());
        text += part;
        bytes.remove_prefix(part.size());
    } while (!bytes.empty());
    return text;
}

std::vector<Seed> session_seeds() {
    const std::string grant = step_of(Step::grant, {});
    const std::string query("Q\0\0\0\x0dselect 1\0", 14);
    const std::string complete("C\0\0\0\x0dSELECT 1\0", 14);
    const std::string idle("Z\0\0\0\5I", 6);
    const std::string in_block("Z\0\0\0\5T", 6);
    const std::string copy_in("G\0\0\0\7\0\0\0", 8);
    const std::string copy_data("d\0\0\0\5x", 6);
    const std::string copy_done("c\0\0\0\4", 5);
    const auto client = [](const std::string& bytes) { return step_of(Step::client_bytes, bytes); };
    const auto server = [](const std::string& bytes) { return step_of(Step::server_bytes, bytes); };
    std::vector<Seed> seeds{
        {"query", '\1' + client(query) + grant + server(complete + idle) + client(query)},
        {"block", '\1' + client(query) + grant + server(complete + in_block) + step_of(Step::client_lost, {}) + server(complete + idle)},
        {"copy", '\1' + client(query) + grant + server(copy_in) + client(copy_data + copy_done) + server(complete + idle)},
        {"parameters", '\x81' + client(query) + grant + server(complete + idle + complete + idle)},
        {"timeouts", '\x41' + client(query) + step_of(Step::deadline, {}) + step_of(Step::deadline, {})},
    };
    std::string extended;
    for (const auto& seed : wire_seeds("frontend_messages.txt"))
        if (!seed.name.starts_with("bad_") && !seed.name.starts_with("terminate")) extended += seed.bytes;
    std::string replies;
    for (const auto& seed : wire_seeds("backend_messages.txt")) {
        seeds.push_back({"reply_" + seed.name, '\5' + client(query) + grant + server(seed.bytes) + server(idle)});
        if (!seed.name.starts_with("bad_")) replies += seed.bytes;
    }
    seeds.push_back({"all", '\5' + client(extended) + grant + client(extended) + server(replies)});
    return seeds;
}

}  // namespace

std::vector<FuzzParser> session_parsers() { return {{"session", fuzz_session, session_seeds}}; }

}  // namespace pgweir::test
