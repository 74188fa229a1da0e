// The relays of one worker, or more, between scripted clients and scripted servers, driven round by round on one thread.
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

class RelayWorld {
public:
    using MakeLine = std::function<std::unique_ptr<TestLine>(bool is_client)>;

    RelayWorld(int pool_size, MakeLine make_line, int workers = 1);
    ~RelayWorld();

    void add_client(const Requests& requests, WorkerId worker = 0);
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
    Relay& relay() { return sides_[0]->relay; }
    Poller& poller() { return relay().poller(); }
    // Sessions that have a server.
    int linked() {
        return book_.look([this](Book& book) { return book.pool(context_->id)->linked; });
    }

    // What is wrong with the outcome; empty: nothing. `disturbed`: lines were ended, so a client may have been told so.
    std::string verdict(bool disturbed);
    int servers_opened() const { return static_cast<int>(servers_.size()); }
    int servers_at_rest();    // in the pool, for whoever comes
    int servers_of(WorkerId worker);
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

    // A worker: its relay, and what the relay asks of the slow paths.
    class Side : public RelayHost, public WorkerPort {
    public:
        Side(RelayWorld& world, WorkerId worker) : relay(worker, world.book_, *this), world_(world) {}
        Relay relay;
        std::vector<ServerConnection*> to_open;

    private:
        void open_server(ServerConnection& server) override { to_open.push_back(&server); }
        void abandon_open(ServerConnection& server) override;
        void cancel_running(ServerConnection&) override {}
        void client_gone(const ClientConnection&) override { ++world_.clients_gone_; }
        void welcome_arrived(SessionId, Fault) override {}
        void deadline_armed() override {}
        void on_poll_event(const PollToken& token) override { world_.on_newcomer(token); }
        StatementSource& statements() override { return world_.statements_; }
        bool compat_error_codes() const override { return false; }
        bool log_disconnections() const override { return false; }
        bool log_pooler_errors() const override { return false; }

        Mailbox& mailbox() override { return relay.mailbox(); }
        void wake() override { relay.poller().wake(); }
        void look_again_at(PoolId) override {}

        RelayWorld& world_;
    };

    bool round();
    void run_relays();
    bool open_servers(Side& side);
    bool play(Server& server);
    bool play(Client& client);
    std::string verdict_on(Client& client, bool disturbed);
    std::string verdict_on_servers();

    MakeLine make_line_;
    SystemRandom random_;
    TrackedParameters tracked_;
    BookHost book_;
    std::vector<std::unique_ptr<Side>> sides_;    // by worker
    std::shared_ptr<PoolContext> context_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<std::unique_ptr<Server>> servers_;
    int clients_gone_ = 0;
    bool spins_ = false;
    StatementCatalog statements_;
};

}  // namespace pgweir::test
