// Whether the core does what it has promised: that something was said, asked for or dropped shows in no reply, so it is looked
// for here.
#include <algorithm>

#include "tests/sim/failure.hpp"
#include "tests/sim/host.hpp"

namespace pgweir::sim {
namespace {

constexpr Microseconds slack{333'000 + 60'000};  // one janitor round, and the host's own clock tick

}  // namespace

// A server is asked for only by a message that has a use for one.
void Host::require_worth_a_server(const ClientEnd& client) {
    if (client.kept_in.empty()) return;
    const char first = client.kept_in.front();
    require(first != 'd' && first != 'c' && first != 'f' && first != 'H',
            "client {} asks for a server for a message of type {}", client.outside->number(), first);
}

// What goes on to a server, as the client has sent it or as the core has made it of that.
void Host::note_sent(ClientEnd& client, Bytes bytes, bool is_made) {
    ServerEnd& server = *client.server;
    const SessionPolicy& policy = client.session->policy();
    const bool is_idle = server.session->ledger.is_settled() && server.session->transaction == TransactionStatus::idle;
    bool is_first = client.sent.rest == 0 && client.sent.header.empty();    // COPY data comes in runs
    client.sent.pass(bytes, [&](char type, std::size_t length) {
        require(is_made || length <= policy.max_packet_size, "client {} sends a message of {} bytes, where {} may be",
                client.outside->number(), length, policy.max_packet_size);
        require(type != 'd' || !is_first || !is_idle || policy.mode == PoolMode::session,
                "server {} is idle and gets COPY data of client {}", server.number, client.outside->number());
        client.said_goodbye = client.said_goodbye || type == 'X';
        server.told_now += is_made && type == 'P';
        is_first = false;
    });
}

// A server keeps no more statements than its clients may have, but for those that one of them needed at once.
void Host::require_few_statements(ServerEnd& server) {
    const LivePool& pool = pools_[server.pool];
    server.told_most = std::max(server.told_most, std::exchange(server.told_now, std::size_t{0}));
    if (pool.statements_most == 0 || server.owner != nullptr) return;
    const std::size_t most = pool.statements_most + server.told_most;
    require(server.session->statements.size() <= most, "server {} keeps {} statements, where {} may be", server.number,
            server.session->statements.size(), most);
}

// Nobody keeps a server that has nothing to do for it; after session mode until the next request.
void Host::require_given_back(const ClientEnd& client) {
    if (client.server == nullptr || client.session->phase() != ClientSession::Phase::linked || client.owns || client.may_keep) return;
    if (client.session->policy().mode == PoolMode::session || !client.kept_in.empty() || client.input_place.rest > 0) return;
    const ServerEnd& server = *client.server;
    const bool is_free = server.session->is_at_rest() && server.kept_in.empty() && server.kept_out.empty();
    require(!is_free, "client {} keeps server {}, which is free", client.outside->number(), server.number);
}

// A lost client's statement goes on in a block that is rolled back anyway, or where nobody wants it to.
bool Host::must_cancel(const ClientEnd& client) {
    if (client.server == nullptr || client.session->phase() != ClientSession::Phase::linked || client.owns) return false;
    const ServerSession& server = *client.server->session;
    if (server.ledger.is_settled() || server.ledger.copy_in() || client.session->has_half_sent()) return false;
    return server.transaction != TransactionStatus::idle ||
           client.session->policy().client_lost_query == ClientLostQuery::cancel;
}

// After `query_wait_notify` a client that waits is told so, once.
void Host::require_notified(const ClientEnd& client) {
    const SessionPolicy& policy = client.session->policy();
    if (client.session->phase() != ClientSession::Phase::waiting || policy.query_wait_notify.count() == 0) return;
    require(client.told_to_wait || now() - client.waiting_since < policy.query_wait_notify + slack,
            "client {} waits and is not told so", client.outside->number());
}

// After the janitor's round every worker is called where somebody waits beside an idle server.
std::array<bool, host_workers_max> Host::workers_to_call(std::size_t pool) const {
    std::array<bool, host_workers_max> wanted{};
    const Pool& in_book = *book_.pool(pools_[pool].id);
    if (book_.is_paused(in_book) || in_book.in_state(ServerState::idle) == 0) return wanted;
    for (std::size_t worker = 0; worker < static_cast<std::size_t>(scenario_.workers); ++worker)
        wanted[worker] = in_book.shares[worker].waiting.count > in_book.shares[worker].coming;
    return wanted;
}

}  // namespace pgweir::sim
