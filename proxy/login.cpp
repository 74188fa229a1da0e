#include "proxy/login.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <ctime>

#include "admin/inventory.hpp"
#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/pool_setup.hpp"
#include "proxy/tls/handshake.hpp"
#include "routing/effective_settings.hpp"
#include "routing/welcome.hpp"

namespace pgweir {

using Step = ClientLogin::Step;

// What a login looks up, from one snapshot of the configuration.
class Login::Directory : public LoginDirectory {
public:
    Directory(Shared& shared, std::shared_ptr<const RunningConfig> config) : shared_(shared), config_(std::move(config)) {}

    DatabaseFacts find_database(std::string_view name) const override {
        const auto entry = config_->entry(name);
        if (!entry) return {};
        const bool disabled = shared_.book.look([&](Book& book) {
            for (const auto& database : book.limits().databases())
                if (database.name == name) return database.disabled;
            return false;
        });
        return {.exists = true, .is_disabled = disabled, .forced_user = entry->user};
    }

    UserFacts find_user(std::string_view name, std::string_view) const override {
        return {.known = config_->knows_user(name) ? UserKnown::yes : UserKnown::no, .secret = config_->secret_of(name)};
    }

    bool is_shutting_down() const override { return shared_.shutdown.load() != ShutdownPhase::none; }

private:
    Shared& shared_;
    std::shared_ptr<const RunningConfig> config_;
};

namespace {

// The tracked values of a session: the server's, the client's own start-up values over them.
SharedParameters session_parameters(Worker& worker, const Welcome& welcome, const ParameterList& own) {
    SharedParameters values = welcome.tracked;
    const TrackedParameters& tracked = worker.shared().book.tracked();
    for (const auto& [name, value] : own) {
        const int place = tracked.find(name);
        if (place < 0 || !values->has(place)) continue;
        if (!equal_ignoring_case(values->values[static_cast<std::size_t>(place)], value)) values = with_parameter(values, place, value, false);
    }
    return worker.relay().catalog().intern(values);
}

// Only what application_name_add_host repeats.
std::string told_address(const RunningConfig& config, const Accepted& accepted) {
    if (!config.settings->application_name_add_host) return {};
    return accepted.is_unix ? "unix:" + std::to_string(config.settings->listen_port) : accepted.peer.text();
}

}  // namespace

Login::Login(Worker& worker, const Accepted& accepted)
    : worker_(worker), shared_(worker.shared()), config_(shared_.config.get()),
      directory_(std::make_unique<Directory>(shared_, config_)), counts_(shared_, worker), fd_(accepted.fd),
      number_(shared_.next_number.fetch_add(1)), connected_at_(now()), connected_unix_(std::time(nullptr)), peer_(accepted.peer),
      login_(config_->rules, *directory_, shared_.random,
             {.is_unix_socket = accepted.is_unix, .is_own_user = accepted.is_unix && is_own_user(), .address = told_address(*config_, accepted)}) {
    if (accepted.is_unix) peer_.port = config_->settings->listen_port;
    worker_.add_login(*this);
}

Login::~Login() {
    worker_.remove_login(*this);
    if (session_) worker_.forget_welcome(session_);
}

Login::Next Login::advance() {
    for (;;) {
        log_attempt();
        switch (login_.next()) {
            case Step::read: return Next::read;
            case Step::admit: login_.on_admitted(counts_.admit(login_.admission(), login_, *config_)); break;
            case Step::derive: {
                const auto known = derive_job_is_cacheable() ? shared_.keys.find(derive_job()) : std::nullopt;
                if (!known) return Next::derive;
                login_.on_derived(*known);
                break;
            }
            case Step::negotiate_tls: return Next::negotiate_tls;
            case Step::look_up_user: login_.refuse(Fault::bouncer_config_error); break;
            case Step::authenticated: return find_session();
            case Step::cancel: cancel(); return Next::closed;
            case Step::refused: log_refusal(); return Next::closed;
            case Step::close: log_close(); return Next::closed;
        }
    }
}

Login::Next Login::find_session() {
    const ClientLoginResult& result = login_.result();
    if (result.scram_keys) shared_.keys.remember_proved(result.user, result.secret.text(), *result.scram_keys);
    if (result.console != ConsoleRole::none) return Next::console;
    replication_ = result.parameters.replication;
    config_ = shared_.config.get();    // a reload may have come in between
    entry_ = config_->entry(result.database);
    if (!entry_) {
        login_.refuse(Fault::no_such_database, result.database);
        log_refusal();
        return Next::closed;
    }
    while (!session_) {    // a pool that has been idle for too long goes in between: then once more
        context_ = find_pool(worker_, *config_, *entry_, result.user);
        worker_.relay().decide([&](Book& book, BookActions& out) {
            session_ = book.add_session(context_->id, worker_.id(), now());
            if (session_ && !is_replication()) welcome_ = book.await_welcome(session_, now(), out);
            if (session_ && !is_replication() && !welcome_) worker_.expect_welcome(session_);
        });
    }
    waiting_since_ = now();
    if (is_replication()) return Next::own_server;
    return welcome_ ? Next::session : Next::await_welcome;
}

bool Login::on_welcome() {
    welcome_ = shared_.book.look([&](Book& book) { return book.pool(context_->id)->welcome; });
    if (welcome_) return true;
    // RECONNECT has just dropped it.
    worker_.expect_welcome(session_);
    worker_.relay().decide([&](Book& book, BookActions& out) { welcome_ = book.await_welcome(session_, now(), out); });
    return welcome_ != nullptr;
}

TimePoint Login::deadline() const {
    const auto timeout = config_->settings->client_login_timeout;
    return timeout.count() > 0 ? connected_at_ + timeout : never;
}

SessionPolicy Login::policy() const {
    const auto policy = session_policy(*config_->settings, *entry_, context_->user, login_.user());
    return is_replication() ? replication_policy(policy) : policy;
}

TimePoint Login::welcome_deadline() const {
    const auto bounds = policy();
    TimePoint until = deadline();
    if (bounds.query_wait_timeout.count() > 0) until = std::min(until, now() + bounds.query_wait_timeout);
    if (bounds.query_timeout.count() > 0) until = std::min(until, now() + bounds.query_timeout);
    return until;
}

// Which of the bounds on the wait for a welcome has passed.
Fault Login::passed_bound() const {
    if (now() >= deadline()) return Fault::client_login_timeout_server_down;
    const auto bounds = policy();
    const bool by_query = bounds.query_timeout.count() > 0 &&
                          (bounds.query_wait_timeout.count() == 0 || bounds.query_timeout < bounds.query_wait_timeout);
    return by_query ? Fault::query_timeout_waiting : Fault::query_wait_timeout;
}

void Login::leave() {
    shared_.book.look([&](Book& book) {
        book.leave_queue(session_);
        book.remove_session(session_, now());
    });
    session_ = {};
    if (config_->settings->log_disconnections) log(LogLevel::log, "{} closing because: client unexpected eof (age={}s)", name(), age());
}

void Login::refuse_session(Fault fault) {
    PoolFailure failure;
    worker_.relay().decide([&](Book& book, BookActions&) {
        book.leave_queue(session_);
        if (const Pool* pool = book.pool(context_->id)) failure = pool->failure;
        book.remove_session(session_, now());
    });
    session_ = {};
    if (fault == Fault::server_login_failed) {
        append_server_refusal(login_.output(), failure.sqlstate, failure.message);
        return log_refusal(failure.message);
    }
    if (fault == Fault::client_login_timeout_server_down) fault = passed_bound();
    login_.refuse(fault == Fault::none ? Fault::server_lost : fault, failure.message);
    log_refusal();
}

void Login::begin_session(Transport transport, bool is_polled) {
    const ParameterList& own = login_.result().parameters.tracked;
    PoolCounters& counters = context_->counters[worker_.id()];
    counters.wait_time.add((now() - waiting_since_).count());
    ClientSession client(worker_.shared_policy(std::make_shared<const SessionPolicy>(policy())), counters,
                         session_parameters(worker_, *welcome_, own), now());
    hand_over(std::move(transport), is_polled, std::move(client), welcome_parameters(welcome_->values, own));
}

Fault Login::ask_own_server() {
    Fault fault = Fault::none;
    worker_.expect_welcome(session_);
    worker_.relay().decide([&](Book& book, BookActions& out) { fault = book.ask_own_server(session_, now(), out); });
    return fault;
}

void Login::begin_replication(Transport transport, ServerConnection& server, const ParameterList& reported, Bytes server_leftover) {
    ClientSession client(worker_.shared_policy(std::make_shared<const SessionPolicy>(policy())), context_->counters[worker_.id()],
                         server.session.parameters, now());
    client.await_own_server(waiting_since_);
    Relay& relay = worker_.relay();
    hand_over(std::move(transport), false, std::move(client), reported);
    const SessionId session = std::exchange(session_, {});    // the relay's now
    relay.add_server(server, server_leftover);
    ClientConnection* waiting = relay.find(session);
    if (waiting != nullptr && waiting->server == nullptr) relay.end_client(*waiting, Fault::server_lost);    // an order to close it came first
}

// To the relay, `shown` being what the client is welcomed with.
void Login::hand_over(Transport transport, bool is_polled, ClientSession client, const ParameterList& shown) {
    auto client_details = details();
    counts_.hand_over();
    std::string bytes;
    bytes.swap(login_.output());
    append_welcome(bytes, shown, client_details->cancel_key, config_->settings->login_notify_message);
    context_->counters[worker_.id()].client_logins.add();
    worker_.relay().add_client(std::move(transport), is_polled, std::move(client), session_, std::move(context_),
                               std::move(client_details), bytes, login_.leftover());
}

std::unique_ptr<ClientDetails> Login::details() {
    auto details = std::make_unique<ClientDetails>();
    details->login_user = login_.user();
    details->peer = peer_;
    details->connected_at = connected_at_;
    details->connected_unix = connected_unix_;
    details->number = number_;
    details->replication = replication_;
    details->user_bound = counts_.user();
    details->database_bound = counts_.database();
    std::lock_guard lock(shared_.cancel_mutex);
    details->cancel_key = shared_.cancel_keys.issue({session_, worker_.id()}, login_.result().protocol);
    return details;
}

void Login::begin_console(int descriptor, std::unique_ptr<TransportLayer> layer) {
    counts_.count_exempt(login_);
    counts_.hand_over_to_console();
    std::string leftover(login_.leftover());
    pgweir::begin_console(*shared_.workers[0], ConsoleStart{.descriptor = descriptor,
                                                            .layer = std::move(layer),
                                                            .login = std::move(login_.result()),
                                                            .leftover = std::move(leftover),
                                                            .peer = peer_,
                                                            .local = local_of(descriptor),
                                                            .number = number_,
                                                            .database_bound = counts_.database(),
                                                            .user_bound = counts_.user()});
}

void Login::on_tls_ready(const TlsLayer& layer) {
    tls_ = layer.description();
    login_.on_tls_ready(facts_of(layer));
}

void Login::on_tls_failed(const std::string& failure) {
    if (!failure.empty()) log(LogLevel::warning, "{} {}", name(), failure);
    tls_failure_ = failure;
    login_.on_tls_failed();
}

// What cannot be said over TLS is not said at all: within a handshake the client expects nothing else.
void Login::on_timeout() {
    if (login_.next() != Step::negotiate_tls) return login_.refuse(Fault::client_login_timeout);
    tls_failure_ = fault_message(Fault::client_login_timeout);
    login_.on_tls_failed();
}

void Login::cancel() const {
    CancelTarget target;
    {
        std::lock_guard lock(shared_.cancel_mutex);
        target = shared_.cancel_keys.find(login_.cancel_key());
    }
    if (target)
        shared_.workers[target.worker]->begin_cancel(target.session);
    else
        cancel_console(*shared_.workers[0], std::string(login_.cancel_key()), name());
}

bool Login::kill() {
    const bool waits = session_ && !welcome_;
    if (waits) worker_.welcome_arrived(session_, Fault::admin_disconnect);
    return waits;
}

ClientRow Login::row() const {
    const bool waits = bool(session_);
    const PeerAddress local = local_of(fd_);
    ClientRow row;
    row.state = waits ? ClientState::waiting : ClientState::login;
    row.user = login_.user();
    row.database = login_.database();
    row.replication = replication_;
    row.addr = peer_.is_unix ? "unix" : peer_.host;
    row.port = peer_.port;
    row.local_addr = local.is_unix ? "unix" : local.host;
    row.local_port = peer_.is_unix ? peer_.port : local.port;
    row.connect_time = row.request_time = std::chrono::sys_seconds{std::chrono::seconds{connected_unix_}};
    if (waits) row.wait = now() - waiting_since_;
    row.ptr = reinterpret_cast<std::uintptr_t>(this);
    row.remote_pid = peer_.pid;
    row.tls = tls_;
    row.id = number_;
    return row;
}

bool Login::is_own_user() const {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    return ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 && credentials.uid == ::geteuid();
}

std::string Login::name() const { return name_of_login(this, login_.database(), login_.user(), peer_); }
std::int64_t Login::age() const { return (now() - connected_at_).count() / 1'000'000; }

void Login::log_attempt() {
    if (!login_.take_login_attempt() || !config_->settings->log_connections) return;
    if (!login_.is_user_known()) log(LogLevel::log, "{} no such user: {}", name(), login_.user());
    log(LogLevel::log, "{} login attempt: db={} user={} tls={} replication={}", name(), login_.database(), login_.user(),
        tls_.empty() ? "no" : tls_, to_string(login_.result().parameters.replication));
}

void Login::log_refusal() const { log_refusal(fault_message(login_.fault(), login_.fault_argument())); }

void Login::log_refusal(const std::string& text) const {
    if (!login_.log_reason().empty()) log(LogLevel::error, "{} {}", name(), login_.log_reason());
    if (config_->settings->log_disconnections) log(LogLevel::log, "{} closing because: {} (age={}s)", name(), text, age());
    if (config_->settings->log_pooler_errors) log(LogLevel::warning, "{} pooler error: {}", name(), text);
}

void Login::log_close() const {
    if (!login_.has_sent_anything() || !config_->settings->log_disconnections) return;
    log(LogLevel::log, "{} closing because: {} (age={}s)", name(), tls_failure_.empty() ? "client unexpected eof" : tls_failure_, age());
}

}  // namespace pgweir
