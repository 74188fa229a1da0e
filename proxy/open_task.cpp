// Opening one server connection, as a coroutine: connect, log in, connect_query; then it is the relay's.
#include <ctime>

#include <boost/asio/use_awaitable.hpp>

#include "protocol/backend/error_response.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/query.hpp"
#include "proxy/clock.hpp"
#include "proxy/connect_task.hpp"
#include "proxy/derive_task.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/own_server.hpp"
#include "proxy/socket_options.hpp"
#include "proxy/tls/handshake.hpp"
#include "proxy/worker.hpp"
#include "routing/server_login.hpp"

namespace pgweir {
namespace {

using Attempt = std::shared_ptr<Worker::OpenAttempt>;

ParameterList entry_parameters(const DatabaseEntry& entry) {
    ParameterList parameters;
    const auto add = [&](const char* name, const std::string& value) {
        if (!value.empty()) parameters.emplace_back(name, value);
    };
    add("client_encoding", entry.client_encoding);
    add("datestyle", entry.datestyle);
    add("timezone", entry.timezone);
    add("application_name", entry.application_name);
    return parameters;
}

void arm_timeout(Attempt attempt, Microseconds timeout) {
    if (timeout.count() == 0) return;
    attempt->timer.expires_after(std::chrono::microseconds(timeout.count()));
    attempt->timer.async_wait([attempt](const boost::system::error_code& error) {
        if (error) return;
        attempt->timed_out = true;
        attempt->cancel();
    });
}

ServerLoginRequest login_request(Worker& worker, const PoolTarget& target, const AsyncTransport& transport) {
    ServerLoginRequest request{.user = target.user,
                               .database = target.entry.dbname,
                               .parameters = entry_parameters(target.entry),
                               .secret = target.secret,
                               .scram_keys = {},
                               .is_tls = transport.layer != nullptr,
                               .end_point = server_end_point(transport),
                               .channel_binding = target.entry.channel_binding};
    if (target.secret.kind() == SecretKind::scram)
        request.scram_keys = worker.shared().keys.proved(target.user, target.secret.text());
    return request;
}

OpenFailure connect_timeout() { return {.reason = CloseReason::connect_timeout, .sqlstate = {}, .message = "connect timeout"}; }

// Runs the login to its end. The failure, if it did not succeed.
asio::awaitable<std::optional<OpenFailure>> log_in(Worker& worker, Attempt attempt, ServerLogin& login) {
    char buffer[4096];
    for (;;) {
        if (attempt->timed_out || attempt->abandoned) co_return connect_timeout();
        if (!login.output().empty()) {
            std::string bytes;
            bytes.swap(login.output());
            co_await attempt->write(bytes);
        }
        switch (login.next()) {
            case ServerLogin::Step::read: {
                const std::size_t count = co_await attempt->read(buffer, sizeof buffer);
                if (attempt->timed_out) co_return connect_timeout();
                if (count == 0)
                    login.on_end();
                else
                    login.on_bytes({buffer, count});
                break;
            }
            case ServerLogin::Step::derive: login.on_derived(co_await derive(worker, login.derive_job(), true)); break;
            case ServerLogin::Step::ready: co_return std::nullopt;
            case ServerLogin::Step::refused:
                co_return OpenFailure{.reason = CloseReason::login_failed, .sqlstate = login.sqlstate(), .message = login.message()};
            case ServerLogin::Step::failed: {
                const bool secret = login.client_fault() == Fault::server_login_wrong_password_type;
                const auto& row = fault_row(Fault::server_login_wrong_password_type);
                co_return OpenFailure{.reason = secret ? CloseReason::login_failed : CloseReason::connect_failed,
                                      .sqlstate = !secret ? "" : worker.compat_error_codes() ? row.compat_sqlstate : row.sqlstate,
                                      .message = secret ? row.message : login.reason()};
            }
        }
    }
}

// connect_query: sent once, its errors are logged and otherwise ignored. Leaves what came behind it in `leftover`. False:
// the server is of no use any more.
asio::awaitable<bool> run_connect_query(ServerConnection& server, Attempt attempt, const std::string& sql, std::string& leftover) {
    const std::string message = to_message(frontend::Query{sql});
    co_await attempt->write(message);
    server.session.begin_own_query();
    char buffer[4096];
    for (;;) {
        Bytes rest = leftover;
        const auto event = server.session.on_unlinked_bytes(rest);
        leftover.erase(0, leftover.size() - rest.size());
        if (event == UnlinkedEvent::done) co_return true;
        if (event == UnlinkedEvent::failed) {
            log(LogLevel::error, "{} error while executing exec_on_query: {}", name_of(server),
                server.session.own_error.empty() ? "it leaves a transaction open" : server.session.own_error);
            co_return server.session.is_at_rest();
        }
        if (event != UnlinkedEvent::nothing) co_return false;
        const std::size_t count = co_await attempt->read(buffer, sizeof buffer);
        if (count == 0 || attempt->timed_out) co_return false;
        leftover.append(buffer, count);
    }
}

// Before the first byte of the login, as server_tls_sslmode wants it.
asio::awaitable<std::optional<OpenFailure>> put_tls(Worker& worker, ServerConnection& server, const Attempt& attempt, const TlsLeg& leg) {
    const auto outcome = co_await request_tls(worker, *attempt, leg, server.host);
    if (outcome.succeeded) {
        if (attempt->layer) log(LogLevel::log, "{} SSL established: {}", name_of(server), attempt->layer->description());
        co_return std::nullopt;
    }
    if (attempt->timed_out || attempt->abandoned) co_return connect_timeout();    // the read that it ends looks like a lost server
    const std::string reason = outcome.failure.empty() ? "server conn crashed?" : outcome.failure;
    log(LogLevel::warning, "{} {}", name_of(server), reason);
    co_return OpenFailure{.reason = CloseReason::connect_failed, .sqlstate = {}, .message = reason};
}

// Those of a replication client's own server are its client's, and welcome nobody else.
void remember_parameters(Worker& worker, ServerConnection& server, const ParameterList& reported) {
    auto values = std::make_shared<ParameterValues>();
    const TrackedParameters& tracked = *server.session.tracked;
    for (const auto& [name, value] : reported) {
        const int place = tracked.find(name);
        if (place >= 0) values->set(place, value);
    }
    values->proven = true;
    server.session.parameters = worker.relay().catalog().intern(values);
    if (server.owner) return;
    auto welcome = std::make_shared<Welcome>();
    welcome->values = reported;
    welcome->tracked = server.session.parameters;
    worker.relay().decide([&](Book& book, BookActions& out) { book.set_welcome(server.id, welcome, out); });
}

// Connects, with TLS where that is wanted, and logs in. `login` is there afterwards if it came so far.
asio::awaitable<std::optional<OpenFailure>> reach(Worker& worker, ServerConnection& server, Attempt attempt, ProtocolVersion protocol,
                                                  std::optional<ServerLogin>& login) {
    const auto config = worker.shared().config.get();
    const ServerAddress address = next_address(*server.target, *server.context);
    server.remote = {.host = address.host, .port = address.port, .pid = 0, .is_unix = address.host.starts_with('/') || address.host.starts_with('@')};
    const std::function<bool()> is_over = [&] { return attempt->timed_out || attempt->abandoned; };
    const auto connected = co_await connect_socket(attempt->socket, address, is_over);
    if (connected.error) {
        if (server.target->entry.load_balance_hosts == LoadBalanceHosts::disable) server.context->next_host.fetch_add(1);
        log(LogLevel::debug, "{} {}", name_of(server), connected.error.message());
        co_return OpenFailure{.reason = CloseReason::connect_failed, .sqlstate = {},
                              .message = connected.resolving && !attempt->timed_out ? "server DNS lookup failed" : "connect failed"};
    }
    const int fd = attempt->socket.native_handle();
    if (!server.remote.is_unix) set_socket_options(fd, *config->settings);
    server.local = local_of(fd);
    if (auto peer = peer_of(fd); !peer.is_unix)
        server.remote = peer;
    else
        server.remote.pid = peer.pid;
    if (config->settings->log_connections)
        log(LogLevel::log, "{} new connection to server{}", name_of(server),
            server.remote.is_unix ? std::string() : fmt::format(" (from {})", server.local.text()));

    if (!server.remote.is_unix) {
        server.host = address.host;
        if (auto failure = co_await put_tls(worker, server, attempt, config->tls->servers)) co_return failure;
    }
    ServerLoginRequest request = login_request(worker, *server.target, *attempt);
    request.protocol = protocol;
    if (const OwnServerRequest* own = worker.own_request(server.owner))
        for (const auto& [name, value] : own->parameters) set_parameter(request.parameters, name, value);
    login.emplace(std::move(request), worker.shared().random);
    co_return co_await log_in(worker, attempt, *login);
}

// Asks for the newest protocol version, unless servers of this pool have refused to hear of it. Those that know how to
// answer name an older one; the others get one more connection, at once.
asio::awaitable<std::optional<OpenFailure>> reach_in_any_version(Worker& worker, ServerConnection& server, Attempt attempt,
                                                                 std::optional<ServerLogin>& login) {
    const bool is_old = server.context->old_protocol.load();
    auto failure = co_await reach(worker, server, attempt, is_old ? protocol_3_0 : protocol_newest, login);
    const bool again = failure && login && login->is_version_refused() && !attempt->timed_out && !attempt->abandoned;
    if (!again) co_return failure;
    log(LogLevel::debug, "{} server refuses protocol 3.2, trying 3.0: {}", name_of(server), failure->message);
    boost::system::error_code ignored;
    attempt->socket.close(ignored);
    attempt->layer.reset();
    login.reset();
    failure = co_await reach(worker, server, attempt, protocol_3_0, login);
    if (!failure) server.context->old_protocol.store(true);
    co_return failure;
}

// What the last steps are to know of a login that succeeded.
struct Opened {
    ParameterList reported;
    std::string leftover;    // sent behind it
};

// A server for physical replication takes no SQL.
bool takes_sql(const ServerConnection& server) { return server.replication != ReplicationKind::physical; }

asio::awaitable<std::optional<OpenFailure>> open(Worker& worker, ServerConnection& server, Attempt attempt, Opened& opened) {
    if (const OwnServerRequest* own = worker.own_request(server.owner)) server.replication = own->kind;
    server.target = worker.shared().book.target_of(*server.context);
    server.number = worker.shared().next_number.fetch_add(1);
    server.connected_at = now();
    server.connected_unix = std::time(nullptr);
    if (server.from_reserve) log(LogLevel::warning, "{} taking connection from reserve_pool", name_of(server));
    arm_timeout(attempt, worker.shared().config.get()->settings->server_connect_timeout);

    std::optional<ServerLogin> login;
    if (auto failure = co_await reach_in_any_version(worker, server, attempt, login)) {
        if (login && login->next() == ServerLogin::Step::refused && server.owner)
            log(LogLevel::error, "{} login failed: {}: {}", name_of(server), login->severity(), login->message());
        else if (login && login->next() == ServerLogin::Step::refused)
            log(LogLevel::warning, "{} server login failed: {} {}", name_of(server), login->severity(), login->message());
        else if (login)
            log(LogLevel::warning, "{} {}", name_of(server), failure->message);
        co_return failure;
    }
    server.cancel_key = login->cancel_key();
    opened.leftover = login->leftover();
    opened.reported = std::move(login->parameters());
    remember_parameters(worker, server, opened.reported);
    if (!server.target->entry.connect_query.empty() && takes_sql(server) &&
        !co_await run_connect_query(server, attempt, server.target->entry.connect_query, opened.leftover)) {
        if (attempt->timed_out) co_return connect_timeout();
        co_return OpenFailure{.reason = CloseReason::connect_failed, .sqlstate = {}, .message = "server conn crashed?"};
    }
    co_return std::nullopt;
}

}  // namespace

Task open_server_connection(Worker& worker, ServerConnection& server, Attempt attempt) {
    Opened opened;
    std::optional<OpenFailure> failure;
    try {
        if (!attempt->abandoned) failure = co_await open(worker, server, attempt, opened);
    } catch (const std::exception& error) {    // a socket path that is too long, a resolver without a thread
        failure = OpenFailure{.reason = CloseReason::connect_failed, .sqlstate = {}, .message = error.what()};
    }
    attempt->timer.cancel();
    worker.forget_open(server);
    if (failure || attempt->abandoned) {
        boost::system::error_code ignored;
        attempt->socket.close(ignored);
        const auto reason = attempt->abandoned ? std::string(to_string(static_cast<CloseReason>(server.close_reason.load()))) : failure->message;
        if (worker.log_disconnections())
            log(LogLevel::log, "{} closing because: {} (age={}s)", name_of(server), reason, (now() - server.connected_at).count() / 1'000'000);
        worker.relay().open_failed(server, failure.value_or(OpenFailure{}));
        co_return;
    }
    server.transport = attempt->release();
    if (const OwnServerRequest* own = worker.own_request(server.owner))
        own->on_ready(server, opened.reported, opened.leftover);
    else
        worker.relay().add_server(server, opened.leftover);
}

}  // namespace pgweir
