// The login of one client, as a coroutine around ClientLogin: from the accepted socket to a session of the relay.
#include <ctime>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <unistd.h>

#include "admin/inventory.hpp"
#include "proxy/clock.hpp"
#include "proxy/derive_task.hpp"
#include "proxy/hang_up.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/pool_setup.hpp"
#include "proxy/tls/handshake.hpp"
#include "proxy/worker.hpp"
#include "routing/console_name.hpp"
#include "routing/effective_settings.hpp"
#include "routing/welcome.hpp"

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// What a login looks up, from one snapshot of the configuration.
class Directory : public LoginDirectory {
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

// What a client is counted against; given back unless the session takes it over.
class Counts {
public:
    explicit Counts(Shared& shared, Worker& worker) : shared_(shared), worker_(worker) {}
    Counts(const Counts&) = delete;
    Counts& operator=(const Counts&) = delete;
    ~Counts() {
        if (worker_counted) worker_.clients.fetch_sub(1, std::memory_order_relaxed);
        shared_.book.look([&](Book& book) {
            if (entries) book.limits().release_from(database, user);
            if (process) book.limits().release_client();
        });
    }

    // Each bound of the admission, the first refusal wins.
    Fault admit(const Admission& admission, const ClientLogin& login, const RunningConfig& config) {
        return shared_.book.look([&](Book& book) {
            Limits& limits = book.limits();
            if (admission.process && !process) {
                process = true;
                limits.set_clients_max(config.settings->max_client_conn);
                const Fault fault = limits.admit_client();
                if (fault != Fault::none) return fault;
            }
            if (!admission.database && !admission.user) return Fault::none;
            const auto entry = config.entry(login.database());
            // Names that strangers make up get no place of their own: they share the one without a name.
            const bool console = is_console_database(login.database());
            const bool known_user = admission.user || config.knows_user(login.user());
            database = limits.database(console ? console_database : entry ? std::string_view(login.database()) : std::string_view());
            user = limits.user(known_user ? std::string_view(login.user()) : std::string_view());
            if (console || entry)
                limits.database_at(database).clients_max =
                    entry ? max_db_client_connections(*config.settings, *entry) : config.settings->max_db_client_connections;
            if (known_user) limits.user_at(user).clients_max = max_user_client_connections(*config.settings, login.user());
            entries = true;
            return limits.admit_to(database, user, !admission.database, !admission.user);
        });
    }

    // A console of an administrator: counted, never refused.
    void count_exempt(const ClientLogin& login) {
        if (entries) return;
        entries = true;
        shared_.book.look([&](Book& book) {
            database = book.limits().database(console_database);
            user = book.limits().user(login.user());
            book.limits().admit_to(database, user, true, true);
        });
    }

    // The console gives its entries back now.
    void hand_over_entries() { entries = false; }
    // The session gives them back now.
    void hand_over() { process = entries = worker_counted = false; }

    bool process = false;
    bool entries = false;
    bool worker_counted = true;
    std::uint32_t database = 0;
    std::uint32_t user = 0;

private:
    Shared& shared_;
    Worker& worker_;
};

// Shared with the timer's handler, which may run when the login is over.
struct LoginState : AsyncTransport {
    LoginState(asio::io_context& io, Socket accepted) : AsyncTransport(std::move(accepted)), timer(io) {}

    asio::steady_timer timer;
    bool timed_out = false;
};

Task send_output(LoginState& state, std::string& output) {
    if (output.empty()) co_return;
    std::string bytes;
    bytes.swap(output);
    co_await state.write(bytes);
}

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

class LoginTask : public LoginView {
public:
    LoginTask(Worker& worker, Socket socket, bool is_unix)
        : worker_(worker), shared_(worker.shared()), config_(shared_.config.get()), directory_(shared_, config_),
          state_(std::make_shared<LoginState>(worker.io(), std::move(socket))), counts_(shared_, worker),
          number_(shared_.next_number.fetch_add(1)), connected_at_(now()), connected_unix_(std::time(nullptr)), peer_(peer_of(state_->socket.native_handle())),
          local_(local_of(state_->socket.native_handle())),
          login_(config_->rules, directory_, shared_.random,
                 {.is_unix_socket = is_unix, .is_own_user = is_unix && is_own_user(), .address = peer_text(is_unix)}) {
        if (is_unix) peer_.port = config_->settings->listen_port;
        worker_.add_login(*this);
    }
    LoginTask(const LoginTask&) = delete;
    LoginTask& operator=(const LoginTask&) = delete;
    ~LoginTask() { worker_.remove_login(*this); }

    std::uint64_t number() const override { return number_; }
    bool kill() override {
        if (waiting_) worker_.welcome_arrived(waiting_, Fault::admin_disconnect);
        return bool(waiting_);
    }
    ClientRow row() const override {
        ClientRow row;
        row.state = waiting_ ? ClientState::waiting : ClientState::login;
        row.user = login_.user();
        row.database = login_.database();
        row.addr = peer_.is_unix ? "unix" : peer_.host;
        row.port = peer_.port;
        row.local_addr = local_.is_unix ? "unix" : local_.host;
        row.local_port = peer_.is_unix ? peer_.port : local_.port;
        row.connect_time = row.request_time = std::chrono::sys_seconds{std::chrono::seconds{connected_unix_}};
        if (waiting_) row.wait = now() - waiting_since_;
        row.ptr = reinterpret_cast<std::uintptr_t>(this);
        row.remote_pid = peer_.pid;
        if (state_->layer) row.tls = state_->layer->description();
        row.id = number_;
        return row;
    }

    Task run() {
        arm_timeout();
        for (;;) {
            if (login_.take_login_attempt() && config_->settings->log_connections) {
                if (!login_.is_user_known()) log(LogLevel::log, "{} no such user: {}", name(), login_.user());
                log(LogLevel::log, "{} login attempt: db={} user={} tls={} replication={}", name(), login_.database(), login_.user(),
                    state_->layer ? state_->layer->description() : "no", login_.result().parameters.replication == ReplicationKind::none ? "no" : "yes");
            }
            const bool final = login_.next() == ClientLogin::Step::refused;
            if (final) log_refusal();
            co_await send_output(*state_, login_.output());
            if (final) co_return close();
            switch (login_.next()) {
                case ClientLogin::Step::read: co_await read(); break;
                case ClientLogin::Step::admit: {
                    const Fault fault = counts_.admit(login_.admission(), login_, *config_);
                    login_.on_admitted(fault);
                    break;
                }
                case ClientLogin::Step::derive: {
                    const auto keys = co_await derive(worker_, login_.derive_job(), login_.derive_job_is_cacheable());
                    login_.on_derived(keys);
                    break;
                }
                case ClientLogin::Step::cancel: co_return cancel();
                case ClientLogin::Step::authenticated: co_return co_await authenticated();
                case ClientLogin::Step::negotiate_tls: co_await negotiate_tls(); break;
                case ClientLogin::Step::look_up_user: login_.refuse(Fault::bouncer_config_error); break;
                case ClientLogin::Step::close:
                    if (login_.has_sent_anything() && config_->settings->log_disconnections)
                        log(LogLevel::log, "{} closing because: {} (age={}s)", name(), tls_failure_.empty() ? "client unexpected eof" : tls_failure_, age());
                    co_return close();
                case ClientLogin::Step::refused: break;
            }
        }
    }

private:
    bool is_own_user() const {
        ucred credentials{};
        socklen_t length = sizeof credentials;
        return ::getsockopt(state_->socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0 && credentials.uid == ::geteuid();
    }
    std::string peer_text(bool is_unix) const {
        return is_unix ? "unix:" + std::to_string(config_->settings->listen_port) : peer_.text();
    }
    std::string name() const { return name_of_login(this, login_.database(), login_.user(), peer_); }
    std::int64_t age() const { return (now() - connected_at_).count() / 1'000'000; }

    void arm_timeout() {
        const auto timeout = config_->settings->client_login_timeout;
        if (timeout.count() == 0) return;
        state_->timer.expires_after(std::chrono::microseconds(timeout.count()));
        state_->timer.async_wait([state = state_](const boost::system::error_code& error) {
            if (error) return;
            state->timed_out = true;
            state->cancel();
        });
    }

    Task read() {
        if (state_->timed_out) {
            login_.refuse(Fault::client_login_timeout);
            co_return;
        }
        char buffer[2048];
        const std::size_t count = co_await state_->read(buffer, sizeof buffer);
        if (state_->timed_out)
            login_.refuse(Fault::client_login_timeout);
        else if (count == 0)
            login_.on_end();
        else
            login_.on_bytes({buffer, count});
    }

    // What cannot be said over TLS is not said at all: the client expects nothing else now.
    Task negotiate_tls() {
        const auto outcome = co_await accept_tls(worker_, *state_, config_->tls->clients.context, login_.leftover());
        if (outcome.succeeded) co_return login_.on_tls_ready(facts_of(static_cast<const TlsLayer&>(*state_->layer)));
        if (!outcome.failure.empty()) log(LogLevel::warning, "{} {}", name(), outcome.failure);
        tls_failure_ = state_->timed_out         ? fault_message(Fault::client_login_timeout)
                       : outcome.failure.empty() ? "client unexpected eof"
                                                 : outcome.failure;
        login_.on_tls_failed();
    }

    void log_refusal() { log_refusal(fault_message(login_.fault(), login_.fault_argument())); }

    void log_refusal(const std::string& text) {
        if (!login_.log_reason().empty()) log(LogLevel::error, "{} {}", name(), login_.log_reason());
        if (config_->settings->log_disconnections) log(LogLevel::log, "{} closing because: {} (age={}s)", name(), text, age());
        if (config_->settings->log_pooler_errors) log(LogLevel::warning, "{} pooler error: {}", name(), text);
    }

    void close() {
        state_->timer.cancel();
        state_->release().close();
    }

    void cancel() {
        CancelTarget target;
        {
            std::lock_guard lock(shared_.cancel_mutex);
            target = shared_.cancel_keys.find(login_.cancel_key());
        }
        if (!target) {
            cancel_console(*shared_.workers[0], std::string(login_.cancel_key()), name());
        } else {
            shared_.workers[target.worker]->begin_cancel(target.session);
        }
        close();
    }

    Task authenticated() {
        state_->timer.cancel();
        ClientLoginResult& result = login_.result();
        if (result.scram_keys) shared_.keys.remember_proved(result.user, result.secret.text(), *result.scram_keys);
        const std::string leftover(login_.leftover());
        if (result.console != ConsoleRole::none) {
            counts_.count_exempt(login_);
            counts_.hand_over_entries();
            boost::system::error_code ignored;
            begin_console(*shared_.workers[0], ConsoleStart{.descriptor = state_->socket.release(ignored), .layer = std::move(state_->layer), .login = result, .leftover = leftover, .peer = peer_,
                                                            .local = local_, .number = number_,
                                                            .database_bound = counts_.database, .user_bound = counts_.user});
            co_return;
        }
        config_ = shared_.config.get();    // a reload may have come in between
        const auto entry = config_->entry(result.database);
        if (!entry) {
            login_.refuse(Fault::no_such_database, result.database);
            log_refusal();
            co_await send_output(*state_, login_.output());
            co_return close();
        }
        auto context = find_pool(worker_, *config_, *entry, result.user);
        SessionId session;
        std::shared_ptr<const Welcome> welcome;
        worker_.relay().decide([&](Book& book, BookActions& out) {
            session = book.add_session(context->id, worker_.id(), now());
            if (session) welcome = book.await_welcome(session, now(), out);
        });
        if (!session) co_return co_await authenticated();    // the pool was idle for too long a moment ago: once more
        waiting_since_ = now();
        if (!welcome) {
            waiting_ = session;
            HangUpWatch hang_up(state_->socket, [this, session] { worker_.welcome_arrived(session, Fault::none); });
            Fault fault = co_await worker_.wait_for_welcome(session, welcome_deadline(*entry, *context));
            welcome = shared_.book.look([&](Book& book) { return book.pool(context->id)->welcome; });
            while (!welcome && fault == Fault::none && !hang_up.has_happened()) {    // RECONNECT has just dropped it
                worker_.relay().decide([&](Book& book, BookActions& out) { welcome = book.await_welcome(session, now(), out); });
                if (!welcome) fault = co_await worker_.wait_for_welcome(session, welcome_deadline(*entry, *context));
                if (!welcome) welcome = shared_.book.look([&](Book& book) { return book.pool(context->id)->welcome; });
            }
            hang_up.stop();
            waiting_ = {};
            if (hang_up.has_happened()) co_return leave(session);
            if (fault != Fault::none) co_return co_await refuse_session(session, *context, fault);
        }
        begin_session(session, *welcome, *entry, context, leftover);
    }

    TimePoint welcome_deadline(const DatabaseEntry& entry, const PoolContext& context) const {
        const auto policy = session_policy(*config_->settings, entry, context.user, login_.user());
        TimePoint until = never;
        if (policy.query_wait_timeout.count() > 0) until = now() + policy.query_wait_timeout;
        if (policy.query_timeout.count() > 0) until = std::min(until, now() + policy.query_timeout);
        const auto login_timeout = config_->settings->client_login_timeout;
        if (login_timeout.count() > 0) until = std::min(until, connected_at_ + login_timeout);
        return until;
    }

    // Which of the bounds on the wait for a welcome has passed.
    Fault passed_bound(const PoolContext& context) const {
        const auto login_timeout = config_->settings->client_login_timeout;
        if (login_timeout.count() > 0 && now() >= connected_at_ + login_timeout) return Fault::client_login_timeout_server_down;
        const auto entry = config_->entry(login_.database());
        const auto policy = session_policy(*config_->settings, *entry, context.user, login_.user());
        const bool by_query = policy.query_timeout.count() > 0 &&
                              (policy.query_wait_timeout.count() == 0 || policy.query_timeout < policy.query_wait_timeout);
        return by_query ? Fault::query_timeout_waiting : Fault::query_wait_timeout;
    }

    // The client has hung up while it waited for its welcome.
    void leave(SessionId session) {
        shared_.book.look([&](Book& book) {
            book.leave_queue(session);
            book.remove_session(session, now());
        });
        if (config_->settings->log_disconnections) log(LogLevel::log, "{} closing because: client unexpected eof (age={}s)", name(), age());
        close();
    }

    Task refuse_session(SessionId session, const PoolContext& context, Fault fault) {
        PoolFailure failure;
        worker_.relay().decide([&](Book& book, BookActions&) {
            book.leave_queue(session);
            if (const Pool* pool = book.pool(context.id)) failure = pool->failure;
            book.remove_session(session, now());
        });
        if (fault == Fault::server_login_failed) {
            append_server_refusal(login_.output(), failure.sqlstate, failure.message);
            log_refusal(failure.message);
            co_await send_output(*state_, login_.output());
            co_return close();
        }
        if (fault == Fault::client_login_timeout_server_down) fault = passed_bound(context);
        login_.refuse(fault == Fault::none ? Fault::server_lost : fault, failure.message);
        log_refusal();
        co_await send_output(*state_, login_.output());
        close();
    }

    void begin_session(SessionId session, const Welcome& welcome, const DatabaseEntry& entry, std::shared_ptr<PoolContext> context,
                       const std::string& leftover) {
        const ClientLoginResult& result = login_.result();
        auto details = std::make_unique<ClientDetails>();
        details->login_user = result.user;
        details->peer = peer_;
        details->local = local_;
        details->connected_at = connected_at_;
        details->connected_unix = connected_unix_;
        details->number = number_;
        details->user_bound = counts_.user;
        details->database_bound = counts_.database;
        {
            std::lock_guard lock(shared_.cancel_mutex);
            details->cancel_key = shared_.cancel_keys.issue({session, worker_.id()}, result.protocol);
        }
        counts_.hand_over();
        std::string bytes;
        append_welcome(bytes, welcome_parameters(welcome.values, result.parameters.tracked), details->cancel_key,
                       config_->settings->login_notify_message);
        auto policy = std::make_shared<const SessionPolicy>(session_policy(*config_->settings, entry, context->user, result.user));
        PoolCounters& counters = context->counters[worker_.id()];
        counters.client_logins.add();
        counters.wait_time.add((now() - waiting_since_).count());
        ClientSession client(worker_.shared_policy(std::move(policy)), counters,
                             session_parameters(worker_, welcome, result.parameters.tracked), now());
        worker_.relay().add_client(state_->release(), std::move(client), session, std::move(context), std::move(details), bytes,
                                   leftover);
    }

    Worker& worker_;
    Shared& shared_;
    std::shared_ptr<const RunningConfig> config_;
    Directory directory_;
    std::shared_ptr<LoginState> state_;
    Counts counts_;
    std::uint64_t number_;
    TimePoint connected_at_;
    std::int64_t connected_unix_;
    PeerAddress peer_;
    PeerAddress local_;
    ClientLogin login_;
    std::string tls_failure_;    // why there is nothing to be said any more
    SessionId waiting_{};        // for its welcome
    TimePoint waiting_since_{};
};

}  // namespace

Task client_login(Worker& worker, Socket socket, bool is_unix) {
    auto task = std::make_unique<LoginTask>(worker, std::move(socket), is_unix);
    co_await task->run();
}

}  // namespace pgweir
