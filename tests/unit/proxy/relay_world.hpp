// One worker's relay between scripted clients and scripted servers, driven round by round on one thread.
//
// A client sends each request when the one before has been answered, and must get the very bytes that a server of its
// own would have sent. Servers are opened when the book says so. Nothing waits: a run that makes no more progress before
// everybody is done is a run that hangs.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/relay.hpp"
#include "proxy/system_random.hpp"
#include "tests/support/scripted_server.hpp"
#include "tests/unit/proxy/test_line.hpp"

namespace pgweir::test {

using Requests = std::vector<std::string>;

class RelayWorld : public RelayHost, public WorkerPort {
public:
    using MakeLine = std::function<std::unique_ptr<TestLine>(bool is_client)>;

    RelayWorld(int pool_size, MakeLine make_line);
    ~RelayWorld() override;

    void add_client(const Requests& requests);
    // Asks all clients for the same again; none may have ended.
    void repeat();

    // Each client asks for the next that it has, without waiting for the relay.
    void play_clients() {
        for (const auto& client : clients_) play(*client);
    }

    // Until every client is done, or nothing moves any more.
    void run();
    // Called around whatever the relay does.
    std::function<void()> before_batch = [] {};
    std::function<void()> after_batch = [] {};
    // A login's or a listening socket's event.
    std::function<void(const PollToken&)> on_newcomer = [](const PollToken&) {};
    Poller& poller() { return relay_->poller(); }
    // Sessions that have a server.
    int linked() {
        return book_.look([this](Book& book) { return book.pool(context_->id)->linked; });
    }

    // What is wrong with the outcome; empty: nothing. `disturbed`: lines were ended, so a client may have been told so.
    std::string verdict(bool disturbed);
    int servers_opened() const { return static_cast<int>(servers_.size()); }
    bool is_done();    // every client has what it asked for, or has ended
    // Bytes of answers that this client has, and its requests so far.
    std::size_t received(std::size_t client) const { return clients_[client]->received.size(); }
    std::size_t sent_requests(std::size_t client) const { return clients_[client]->next; }

private:
    struct Client {
        std::unique_ptr<TestLine> line;
        Requests requests;
        ScriptedServer direct;      // what the client would get without a proxy
        std::string received;
        std::string expected;       // up to the last request sent
        std::size_t next = 0;
        bool is_done() { return line->is_dead() || line->is_closed() || (next == requests.size() && received.size() >= expected.size()); }
    };
    struct Server {
        std::unique_ptr<TestLine> line;
        ScriptedServer script;
        std::string incoming;
    };

    bool round();
    void run_relay();
    bool open_servers();
    bool play(Server& server);
    bool play(Client& client);
    std::string verdict_on(Client& client, bool disturbed);
    std::string verdict_on_servers();

    // RelayHost
    void open_server(ServerConnection& server) override { to_open_.push_back(&server); }
    void abandon_open(ServerConnection& server) override;
    void cancel_running(ServerConnection&) override {}
    void client_gone(const ClientConnection&) override { ++clients_gone_; }
    void welcome_arrived(SessionId, Fault) override {}
    void deadline_armed() override {}
    void on_poll_event(const PollToken& token) override { on_newcomer(token); }
    StatementSource& statements() override { return statements_; }
    bool compat_error_codes() const override { return false; }
    bool log_disconnections() const override { return false; }
    bool log_pooler_errors() const override { return false; }

    // WorkerPort
    Mailbox& mailbox() override { return relay_->mailbox(); }
    void wake() override { relay_->poller().wake(); }
    void look_again_at(PoolId) override {}

    MakeLine make_line_;
    SystemRandom random_;
    TrackedParameters tracked_;
    BookHost book_;
    std::unique_ptr<Relay> relay_;
    std::shared_ptr<PoolContext> context_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Server>> servers_;
    std::vector<ServerConnection*> to_open_;
    int clients_gone_ = 0;
    bool spins_ = false;
    StatementCatalog statements_;
};

}  // namespace pgweir::test
