// The host's cancel requests: a connection of their own for each, the packet sent only if the same request still runs, and the
// server held back until that connection is over.
#include "tests/sim/failure.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/host_decide.hpp"

namespace pgweir::sim {

struct Host::CancelRequest {
    ClientEnd* client;
    ServerEnd* server;  // that ran the request when the cancel came
    std::uint32_t number;
    TimePoint asked_at;    // the request
    PoolId pool;
    int attempts = 0;
};

// The number of the request that a cancel is for; 0: none runs. A lost client's own is canceled while it leaves.
std::uint32_t Host::request_to_cancel(const ClientEnd& client) const {
    if (!client.open || !client.session || client.server == nullptr) return 0;
    const ServerSession& server = *client.server->session;
    if (client.session->phase() == ClientSession::Phase::leaving)
        return server.ledger.is_settled() ? 0 : client.session->request_number();
    return client.session->running_request(&server);
}

bool Host::cancel(ClientEnd& client) {
    const auto number = request_to_cancel(client);
    trace_("cancel for client {}: request {}", client.outside->number(), number);
    const bool is_linked = client.open && client.session && client.session->phase() == ClientSession::Phase::linked;
    if (is_linked && client.server != nullptr) {
        const ReplyLedger& ledger = client.server->session->ledger;
        require(number != 0 || !ledger.owes_client() || ledger.head_is_swallowed(), "the request of client {} cannot be canceled",
                client.outside->number());
    }
    if (number == 0) return false;
    ++cancels_under_way_;
    connect_cancel(
        std::make_shared<CancelRequest>(CancelRequest{&client, client.server, number, client.session->last_request_at(), pools_[client.pool].id}));
    return true;
}

// The session's worker does all of it.
void Host::connect_cancel(std::shared_ptr<CancelRequest> request) {
    bool permitted = false;
    decide(request->client->worker,
           [&](Book& book, BookActions&) { permitted = book.begin_cancel_connection(request->pool); });
    const Pool& pool = *book_.pool(request->pool);
    const int bound = pool.policy->cancel_bound;
    require(!permitted || bound == 0 || pool.open() + pool.cancel_connections <= bound,
            "{} servers and {} cancel connections, where {} may be", pool.open(), pool.cancel_connections, bound);
    if (!permitted) {
        if (++request->attempts > 3) {
            --cancels_under_way_;
            return;
        }
        events_.after(Microseconds{50'000}, [this, request] { connect_cancel(request); });
        return;
    }
    events_.after(random_.span(Microseconds{20'000}), [this, request] { confirm_cancel(request); });
}

void Host::confirm_cancel(const std::shared_ptr<CancelRequest>& request) {
    const ClientEnd& client = *request->client;
    if (client.server != request->server || request_to_cancel(client) != request->number) {
        trace_("the cancel for client {} is dropped: its request has ended", client.outside->number());
        return end_cancel(*request);
    }
    require(client.session->last_request_at() == request->asked_at, "the cancel for client {} is meant for an earlier request",
            client.outside->number());
    send_cancel(request, *request->server);
}

// From here on the server is held back, until the connection has closed or is given up.
void Host::send_cancel(const std::shared_ptr<CancelRequest>& request, ServerEnd& server) {
    trace_("the cancel for client {} is on its way to server {}", request->client->outside->number(), server.number);
    decide(server.worker, [&](Book& book, BookActions&) { book.hold_for_cancel(server.id); });
    ++server.cancels_held;
    const bool hangs = random_.percent(scenario_.faults.cancel_hangs);
    const auto travel = random_.span(Microseconds{hangs ? 2'000'000 : 30'000});
    const auto closed = travel + random_.span(Microseconds{5'000});
    const Microseconds patience{hangs ? 100'000 : 1'000'000};
    const bool given_up = closed > patience;
    events_.after(travel, [this, request, &server] { packet_arrives(*request, server); });
    events_.after(given_up ? patience : closed, [this, request, &server, given_up] {
        if (--server.cancels_held == 0) server.released_at = now();
        trace_("the cancel for server {} is {}", server.number, given_up ? "given up" : "over");
        decide(server.worker, [&](Book& book, BookActions& out) { book.cancel_done(server.id, given_up, now(), out); });
        end_cancel(*request);
        settle();
    });
}

void Host::end_cancel(const CancelRequest& request) {
    decide(request.client->worker, [&](Book& book, BookActions&) { book.end_cancel_connection(request.pool); });
    --cancels_under_way_;
}

// The signal reaches the process: it must not run anything but what this client, or we for it, asked for.
void Host::packet_arrives(const CancelRequest& request, ServerEnd& server) {
    const Statement* running = server.backend->running();
    trace_("the cancel reaches server {}, which runs {}", server.number, running != nullptr ? running->tag : "nothing");
    if (running == nullptr) return;
    const int victim = sim::client_of(*running);
    const int meant = request.client->outside->number();
    require(victim == meant || victim == -1, "the cancel of client {} hits a statement of client {}", meant, victim);
    require(server.stage == ServerEnd::Stage::closed || server.client == nullptr || server.client == request.client,
            "the cancel of client {} hits a server that client {} has", meant,
            server.client != nullptr ? server.client->outside->number() : 0);
    require(server.task == ServerEnd::Task::none, "the cancel of client {} hits a check or reset", meant);
    server.backend->cancel();
    settle();
}

}  // namespace pgweir::sim
