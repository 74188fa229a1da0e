// A cancel request on the worker of its session: a connection of its own to the session's server, the packet sent only
// if the same request still runs, the server held back until that connection has closed.
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "protocol/body_writer.hpp"
#include "protocol/frontend/cancel_request.hpp"
#include "proxy/clock.hpp"
#include "proxy/connect_task.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/tls/handshake.hpp"
#include "proxy/worker.hpp"

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds permit_poll{50};

// The request that a cancel was asked for.
struct Target {
    ServerId server;
    std::uint32_t request = 0;
    PoolId pool;
    ServerAddress address;
    std::string host;
    std::string key;
};

// What the session runs now; request 0: nothing. A client that was lost has its running request cancelled too.
Target target_of(Worker& worker, SessionId session) {
    ClientConnection* client = worker.relay().find(session);
    if (client == nullptr || client->server == nullptr) return {};
    const ServerConnection& server = *client->server;
    const bool leaving = client->session.phase() == ClientSession::Phase::leaving;
    const bool running = leaving ? !server.session.ledger.is_settled() : client->session.running_request(&server.session) != 0;
    if (!running || server.cancel_key.size() < 8) return {};
    return {.server = server.id,
            .request = client->session.request_number(),
            .pool = client->context->id,
            .address = {.host = server.remote.host, .port = server.remote.port},
            .host = server.host,
            .key = server.cancel_key};
}

bool still_runs(Worker& worker, SessionId session, const Target& target) {
    const Target current = target_of(worker, session);
    return current.request != 0 && current.server == target.server && current.request == target.request;
}

// Waits until the pool may have one more connection. False: the request has ended, or it took too long.
asio::awaitable<bool> wait_for_permit(Worker& worker, SessionId session, const Target& target) {
    const auto limit = worker.shared().config.get()->settings->cancel_wait_timeout;
    const TimePoint until = limit.count() > 0 ? now() + limit : never;
    for (;;) {
        if (worker.shared().book.look([&](Book& book) { return book.begin_cancel_connection(target.pool); })) co_return true;
        if (now() >= until) {
            log(LogLevel::log, "cancel_wait_timeout");
            co_return false;
        }
        asio::steady_timer timer(worker.io(), permit_poll);
        co_await timer.async_wait(as_result);
        if (!still_runs(worker, session, target)) co_return false;
    }
}

// Reads until the server closes: then the signal has been sent.
asio::awaitable<void> wait_for_close(AsyncTransport& transport) {
    char byte[16];
    while (co_await transport.read(byte, sizeof byte) > 0) {
    }
}

std::string packet_of(const std::string& key) {
    std::string packet;
    append_packet(packet, frontend::CancelRequest{.process_id = BodyReader(key).int32(), .secret = Bytes(key).substr(4)});
    return packet;
}

struct Connection : AsyncTransport {
    explicit Connection(asio::io_context& io) : AsyncTransport(io), timer(io) {}
    asio::steady_timer timer;
    bool timed_out = false;
};

// The read or connect that the deadline ends looks like a lost server.
void log_failure(const Connection& connection, std::string_view why) {
    if (connection.timed_out) why = "connect timeout";
    log(LogLevel::warning, "cancel request: {}", why.empty() ? "server conn crashed?" : why);
}

// What the key may be sent over. False: it may not be sent, for a reason that the log has.
asio::awaitable<bool> connect(Worker& worker, Connection& connection, const Target& target) {
    const std::function<bool()> is_over = [&] { return connection.timed_out; };
    const auto connected = co_await connect_socket(connection.socket, target.address, is_over);
    if (connected.error) {
        const std::string why = connected.error.message();
        log_failure(connection, why);
        co_return false;
    }
    if (target.host.empty()) co_return true;    // a Unix socket
    const auto tls = worker.shared().config.get()->tls;
    const auto outcome = co_await request_tls(worker, connection, tls->servers, target.host);
    if (!outcome.succeeded) log_failure(connection, outcome.failure);
    co_return outcome.succeeded;
}

asio::awaitable<void> send_cancel(Worker& worker, SessionId session, Target target) {
    auto connection = std::make_shared<Connection>(worker.io());
    const auto settings = worker.shared().config.get()->settings;
    const auto limit = settings->cancel_wait_timeout.count() > 0 ? settings->cancel_wait_timeout : settings->server_connect_timeout;
    if (limit.count() > 0) {
        connection->timer.expires_after(std::chrono::microseconds(limit.count()));
        connection->timer.async_wait([connection](const boost::system::error_code& error) {
            if (error) return;
            connection->timed_out = true;
            connection->cancel();
        });
    }
    if (!co_await connect(worker, *connection, target)) {
        // told already
    } else if (!still_runs(worker, session, target)) {
        log(LogLevel::log, "not sending cancel request for client that is now idle");
    } else {
        worker.shared().book.look([&](Book& book) { book.hold_for_cancel(target.server); });
        const std::string packet = packet_of(target.key);
        const bool sent = co_await connection->write(packet);
        if (sent) co_await wait_for_close(*connection);
        const bool closed = sent && !connection->timed_out;
        worker.relay().decide([&](Book& book, BookActions& out) { book.cancel_done(target.server, !closed, now(), out); });
    }
    connection->timer.cancel();
}

}  // namespace

Task cancel_request(Worker& worker, SessionId session) {
    const Target target = target_of(worker, session);
    if (target.request == 0) {
        log(LogLevel::log, "cancel request for idle client");
        co_return;
    }
    if (!co_await wait_for_permit(worker, session, target)) co_return;
    co_await send_cancel(worker, session, target);
    worker.shared().book.look([&](Book& book) { book.end_cancel_connection(target.pool); });
}

}  // namespace pgweir
