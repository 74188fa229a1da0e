// A conversation of one client session and its server connection, told message by message: a test says what each side
// sends and what must come of it.
//
// Plays the proxy: keeps bytes that were not used and gives them again, carries out actions, links a server when told to.
// Strict: an order of the session's (check out, check in, close, …) that no expectation names fails the test.
// `at_every_cut` tells the same story with the bytes cut at each place, `for_each_step` up to each message.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/query.hpp"
#include "routing/client_session.hpp"

namespace pgweir::test {

// Transaction pooling, no time-outs.
SessionPolicy transaction_pooling();

template <class Message>
std::string wire(const Message& message) {
    if constexpr (std::is_convertible_v<const Message&, Bytes>)
        return std::string(Bytes(message));
    else
        return to_message(message);
}

template <class... Messages>
std::string wire_of(const Messages&... messages) {
    std::string out;
    (out.append(wire(messages)), ...);
    return out;
}

class SessionScript {
public:
    SessionScript();
    ~SessionScript();

    // Before the first message.
    SessionScript& under(const SessionPolicy& policy);
    SessionScript& client_wants(std::string_view parameter, std::string_view value, bool proven);
    SessionScript& server_has(std::string_view parameter, std::string_view value);
    SessionScript& with_own_server();   // a replication client, whose server has just logged in

    // What happens. Messages, or strings of bytes.
    template <class... Messages>
    SessionScript& client_sends(const Messages&... messages) {
        return client_bytes(wire_of(messages...));
    }
    template <class... Messages>
    SessionScript& server_sends(const Messages&... messages) {
        return server_bytes(wire_of(messages...));
    }
    SessionScript& grant();             // a server is linked to the waiting session
    SessionScript& use_other_server();  // the next grant is of a new one, with the parameters of `server_has`
    SessionScript& lose_client();
    SessionScript& lose_server(CloseReason reason = CloseReason::crashed);
    SessionScript& wait(Microseconds span);
    SessionScript& fault(Fault fault);
    SessionScript& change_policy(const SessionPolicy& policy);  // a reload
    SessionScript& hold_output();                               // the server's socket takes nothing
    SessionScript& drain_output();

    // What must have come of it since the last expectation.
    SessionScript& expect_check_out();  // …, and a server is linked
    SessionScript& expect_waiting();    // …, and none is there yet
    SessionScript& expect_check_in() { return expect({"check in"}); }
    SessionScript& expect_left() { return expect({"check in", "close client"}); }
    SessionScript& expect_no_check_in() { return expect({}); }
    SessionScript& expect_quiet() { return expect({}); }
    // The client is told, no server was linked or it is gone. `argument`: what its text shows, of a packet the header alone.
    SessionScript& expect_fault(Fault fault, std::string_view argument = {});
    SessionScript& expect_both_closed(Fault fault, std::string_view argument = {});  // the linked server ends with the client
    SessionScript& expect(const std::vector<std::string>& orders);

    // Bytes that a side got since it was last asked about.
    template <class... Messages>
    SessionScript& expect_forwarded(const Messages&... messages) {
        return expect_to_server(wire_of(messages...));
    }
    template <class... Messages>
    SessionScript& expect_client_gets(const Messages&... messages) {
        return expect_to_client(wire_of(messages...));
    }

    const ClientSession& session();
    ServerSession& server() { return *server_; }
    PoolCounters& counters() { return counters_; }
    std::uint32_t running_request();
    StatementCatalog& statements() { return statements_; }
    int actions_most() const { return actions_most_; }  // that one call gave
    std::size_t bytes_given() const { return bytes_given_; }
    bool is_linked() const { return linked_; }
    bool is_over();  // the client has been closed
    Bytes to_server() const { return to_server_; }
    void forget();
    void forget_orders() { orders_.clear(); }

    // How the bytes of both sides are cut.
    void cut_at(std::size_t place) { cut_ = place; }
    void cut_everywhere() { cut_everywhere_ = true; }
    // Ends the story by an exception before this message, or behind this many bytes.
    struct Interrupted {};
    void interrupt_at_step(int step) { last_step_ = step; }
    void interrupt_after(std::size_t bytes) { last_byte_ = bytes; }

private:
    SessionScript& client_bytes(Bytes bytes);
    SessionScript& server_bytes(Bytes bytes);
    SessionScript& expect_to_server(const std::string& bytes);
    SessionScript& expect_to_client(const std::string& bytes);
    void in_chunks(Bytes bytes, std::string& kept, void (SessionScript::*pump)());
    void begin_step();
    void pump_client();
    void pump_server();
    void carry_out(Bytes input);
    void order(std::string_view name, Fault fault = Fault::none, std::string_view argument = {});
    std::string own_message(OwnMessage message) const;
    ServerSession* linked_server() { return linked_ ? server_.get() : nullptr; }

    TrackedParameters tracked_;
    PoolCounters counters_;
    SessionPolicy policy_ = transaction_pooling();
    SharedParameters client_parameters_;
    SharedParameters server_parameters_;
    StatementCatalog statements_;
    std::unique_ptr<ClientSession> session_;
    std::unique_ptr<ServerSession> server_;
    SessionActions out_;
    TimePoint now_{1'000'000'000};
    bool linked_ = false;
    bool server_open_ = true;
    bool resumed_ = false;
    bool closed_ = false;
    std::string kept_of_client_;
    std::string kept_of_server_;
    std::string to_client_;
    std::string to_server_;
    std::vector<std::string> orders_;
    int actions_most_ = 0;
    std::size_t bytes_given_ = 0;
    std::size_t cut_ = std::string::npos;
    bool cut_everywhere_ = false;
    int step_ = 0;
    int last_step_ = -1;
    std::size_t last_byte_ = std::string::npos;
};

using Story = std::function<void(SessionScript&)>;
using Ending = std::function<void(SessionScript&)>;

// Tells the story whole, cut once at each place of the bytes of both sides, and byte by byte.
void at_every_cut(const Story& story);
// Tells the story up to each message of it, and there the ending.
void for_each_step(const Story& story, const Ending& ending);
// … and up to each byte.
void for_each_byte(const Story& story, const Ending& ending);

}  // namespace pgweir::test
