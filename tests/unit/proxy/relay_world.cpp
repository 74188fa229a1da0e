#include "tests/unit/proxy/relay_world.hpp"

#include <algorithm>

#include "proxy/clock.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {
namespace {

constexpr int batches_max = 1000;  // of one round: more is a relay that spins
constexpr int rounds_max = 100'000;

std::shared_ptr<const PoolPolicy> pool_policy_of(int pool_size) {
    auto policy = std::make_shared<PoolPolicy>();
    policy->mode = PoolMode::transaction;
    policy->pool_size = pool_size;
    policy->server_lifetime = std::chrono::hours{1};
    return policy;
}

std::shared_ptr<const SessionPolicy> session_policy_of() {
    auto policy = std::make_shared<SessionPolicy>();
    policy->mode = PoolMode::transaction;
    return policy;
}

// Without the error that tells a client of a lost server: the last message, if it is that.
Bytes without_loss_error(Bytes received) {
    std::size_t last = 0;
    for (std::size_t at = 0; at + 5 <= received.size(); at += 1 + message_length(received.substr(at + 1))) last = at;
    const Bytes message = received.substr(std::min(last, received.size()));
    return message.starts_with('E') && message.find("08006") != Bytes::npos ? received.substr(0, last) : received;
}

}  // namespace

RelayWorld::RelayWorld(int pool_size, MakeLine make_line, int workers)
    : make_line_(std::move(make_line)), book_(workers, tracked_, random_) {
    for (WorkerId worker = 0; worker < workers; ++worker) {
        sides_.push_back(std::make_unique<Side>(*this, worker));
        book_.attach(worker, *sides_.back());
    }
    context_ = book_.pool("app", "alice", pool_policy_of(pool_size), nullptr, now());
}

RelayWorld::~RelayWorld() { sides_.clear(); }    // their transports look at the lines

void RelayWorld::add_client(const Requests& requests, WorkerId worker) {
    auto client = std::make_unique<Client>();
    client->line = make_line_(true);
    client->requests = requests;
    client->expected = ready;
    SessionId session;
    Relay& relay = sides_[worker]->relay;
    relay.decide([&](Book& book, BookActions&) { session = book.add_session(context_->id, worker, now()); });
    relay.add_client(client->line->take_transport(), false,
                     ClientSession(session_policy_of(), context_->counters[worker], nullptr, now()), session, context_,
                     std::make_unique<ClientDetails>(), ready, {});
    clients_.push_back(std::move(client));
}

void RelayWorld::repeat() {
    for (const auto& client : clients_) {
        client->received.clear();
        client->expected.clear();
        client->next = 0;
    }
}

void RelayWorld::run() {
    int rounds = 0;
    while (!spins_ && round()) spins_ = spins_ || ++rounds == rounds_max;
}

bool RelayWorld::is_done() {
    return std::ranges::all_of(clients_, [](auto& client) { return client->is_done(); });
}

// True: something has moved.
bool RelayWorld::round() {
    run_relays();
    bool moved = false;
    for (const auto& side : sides_) moved |= open_servers(*side);
    for (const auto& server : servers_) moved |= play(*server);
    for (const auto& client : clients_) moved |= play(*client);
    for (const auto& server : servers_) moved |= server->line->settle();
    for (const auto& client : clients_) moved |= client->line->settle();
    return moved;
}

void RelayWorld::run_relays() {
    for (const auto& side : sides_) {
        before_batch();
        int batches = 0;
        while (side->relay.run_batch() && ++batches < batches_max) {
        }
        after_batch();
        spins_ = spins_ || batches == batches_max;
    }
}

bool RelayWorld::open_servers(Side& side) {
    const auto opening = std::exchange(side.to_open, {});
    for (ServerConnection* connection : opening) {
        servers_.push_back(std::make_unique<Server>());
        servers_.back()->line = make_line_(false);
        connection->transport = servers_.back()->line->take_transport();
        side.relay.add_server(*connection, {});
    }
    return !opening.empty();
}

void RelayWorld::Side::abandon_open(ServerConnection& server) {
    std::erase(to_open, &server);
    relay.open_failed(server, {});
}

int RelayWorld::servers_at_rest() {
    return book_.look([&](Book& book) { return book.pool(context_->id)->in_state(ServerState::idle); });
}

int RelayWorld::servers_of(WorkerId worker) {
    int count = 0;
    sides_[worker]->relay.each_server([&](const ServerConnection&) { ++count; });
    return count;
}

bool RelayWorld::play(Server& server) {
    server.incoming.clear();
    server.line->receive(server.incoming);
    server.script.take(server.incoming);
    server.line->send(server.script.output);
    const bool moved = !server.incoming.empty() || !server.script.output.empty();
    server.script.output.clear();
    return moved;
}

bool RelayWorld::play(Client& client) {
    const std::size_t before = client.received.size();
    client.line->receive(client.received);
    bool moved = client.received.size() > before;
    if (client.received.size() >= client.expected.size() && client.next < client.requests.size() &&
        !client.line->is_dead()) {
        const std::string& request = client.requests[client.next++];
        client.direct.take(request);
        client.expected += std::exchange(client.direct.output, {});
        client.line->send(request);
        moved = true;
    }
    return moved;
}

std::string RelayWorld::verdict(bool disturbed) {
    if (spins_) return "the relay spins";
    for (std::size_t i = 0; i < clients_.size(); ++i)
        if (auto trouble = verdict_on(*clients_[i], disturbed); !trouble.empty())
            return "client " + std::to_string(i + 1) + ": " + trouble;
    return verdict_on_servers();
}

// All bytes, or an end: of the client's own, or with one error behind whole messages for a server that was lost.
std::string RelayWorld::verdict_on(Client& client, bool disturbed) {
    if (auto trouble = client.line->trouble(); !trouble.empty()) return trouble;
    if (!client.is_done())
        return "it hangs: " + std::to_string(client.received.size()) + " bytes of " +
               std::to_string(client.expected.size());
    const bool ended = client.direct.is_terminated() || client.line->is_dead();
    if (ended && !client.line->is_closed()) return "its connection stays open";
    if (client.received == client.expected && client.next == client.requests.size()) return {};
    if (!disturbed) return "it got other bytes, or an end";
    if (!client.line->is_closed()) return "it got other bytes, or an end, and is still open";
    if (!Bytes(client.expected).starts_with(without_loss_error(client.received))) return "it got other bytes";
    return {};
}

std::string RelayWorld::verdict_on_servers() {
    std::string trouble;
    for (const auto& server : servers_) {
        trouble += server->script.trouble() + server->line->trouble();
        if (server->line->is_dead() && !server->line->is_closed()) trouble += "a lost server connection stays open";
        if (!server->line->is_closed() && !server->script.is_at_rest())
            trouble += "a server was left in the middle of something";
    }
    const auto gone =
        static_cast<int>(std::ranges::count_if(clients_, [](auto& client) { return client->line->is_closed(); }));
    if (gone != clients_gone_) trouble += "a client is gone from the relay, or from the test, alone";
    return trouble + book_.look([&](Book& book) -> std::string {
        const Pool& pool = *book.pool(context_->id);
        if (pool.sessions != static_cast<int>(clients_.size()) - gone) return "the book counts other sessions";
        if (pool.waiting != 0 || pool.linked != 0) return "a session waits, or has a server";
        if (pool.open() != pool.in_state(ServerState::idle)) return "a server is neither idle nor closed";
        if (book.broken_pairings() != 0) return "a pairing was broken";
        return {};
    });
}

}  // namespace pgweir::test
