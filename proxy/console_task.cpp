#include "proxy/console_task.hpp"

#include <ctime>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "admin/console.hpp"
#include "admin/version.hpp"
#include "protocol/cancel_secret.hpp"
#include "protocol/frame_scanner.hpp"
#include "protocol/scram/digest.hpp"
#include "proxy/clock.hpp"
#include "proxy/fd_passing.hpp"
#include "proxy/hang_up.hpp"
#include "proxy/inventory_task.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "routing/packet_header.hpp"
#include "routing/welcome.hpp"

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds condition_poll{20};
constexpr std::uint32_t message_bytes_max = 64 * 1024;

const FrameRules& console_frame_rules() {
    using enum frontend::Type;
    static constexpr TypeSet all{bind, close, copy_data, copy_done, copy_fail, describe, execute, flush, function_call, parse, query, sync, terminate};
    static constexpr FrameRules rules{.known = all, .gathered = all, .runs = {}, .length_max = message_bytes_max, .gather_limit = message_bytes_max + 8};
    return rules;
}

class ConsoleSession;
std::vector<ConsoleSession*>& sessions() {
    static std::vector<ConsoleSession*> all;    // worker 0's thread alone
    return all;
}

class ConsoleSession : public std::enable_shared_from_this<ConsoleSession> {
public:
    ConsoleSession(Worker& worker, ConsoleStart start)
        : control_(*worker.shared().control), worker_(worker), start_(std::move(start)), transport_(worker.io()),
          console_(start_.login.console, start_.login.is_console_owner), connected_unix_(std::time(nullptr)), connected_at_(now()) {
        const int family = start_.peer.is_unix ? AF_UNIX : start_.peer.host.find(':') != std::string::npos ? AF_INET6 : AF_INET;
        transport_.socket.assign(asio::generic::stream_protocol(family, 0), start_.descriptor);
        transport_.layer = std::move(start_.layer);
        worker_.shared().consoles.fetch_add(1);
        sessions().push_back(this);
    }

    ~ConsoleSession() {
        std::erase(sessions(), this);
        worker_.shared().book.look([&](Book& book) {
            book.limits().release_from(start_.database_bound, start_.user_bound);
            book.limits().release_client();
        });
        worker_.shared().consoles.fetch_sub(1);
    }

    Task run() {
        co_await welcome();
        std::string input = start_.leftover;
        FrameScanner scanner;
        for (;;) {
            Bytes rest = input;
            Frame frame;
            const auto status = scanner.next(rest, console_frame_rules(), frame);
            if (status == ScanStatus::error) {
                const std::string shown = hex_of(shown_of_packet(rest));
                co_await fail(client_fault_of(scanner.error()), shown);
                co_return;
            }
            if (status == ScanStatus::more) {
                char buffer[2048];
                if (killed_) co_return co_await fail(Fault::admin_disconnect);
                const std::size_t count = co_await transport_.read(buffer, sizeof buffer);
                if (killed_) co_return co_await fail(Fault::admin_disconnect);
                if (count == 0) co_return gone();
                input.append(buffer, count);
                continue;
            }
            if (frontend::Type{frame.type} == frontend::Type::query) {
                worker_.shared().console_counters.queries.add();
                worker_.shared().console_counters.transactions.add();
            }
            const bool goes_on = co_await carry_out(console_.on_message(frontend::Type{frame.type}, frame.body()));
            if (!goes_on) co_return;
            input.erase(0, input.size() - rest.size());
        }
    }

    // A cancel request ends the wait for PAUSE.
    void cancel() { cancelled_ = true; }
    Bytes key() const { return key_; }
    // KILL_CLIENT: its wait ends, and it goes before it reads its next command.
    void kill() {
        killed_ = cancelled_ = true;
        transport_.cancel();
    }
    std::uint64_t number() const { return start_.number; }

    ClientRow row() const {
        ClientRow row;
        row.state = ClientState::idle;
        row.user = start_.login.user;
        row.database = console_database;
        row.addr = start_.peer.is_unix ? "unix" : start_.peer.host;
        row.port = start_.peer.port;
        row.local_addr = start_.local.is_unix ? "unix" : start_.local.host;
        row.local_port = start_.peer.is_unix ? start_.peer.port : start_.local.port;
        row.connect_time = row.request_time = std::chrono::sys_seconds{std::chrono::seconds{connected_unix_}};
        row.ptr = reinterpret_cast<std::uintptr_t>(this);
        row.remote_pid = start_.peer.pid;
        if (const auto* name = find_parameter(start_.login.parameters.tracked, "application_name")) row.application_name = *name;
        if (transport_.layer) row.tls = transport_.layer->description();
        row.id = start_.number;
        return row;
    }

private:
    std::string name() const { return name_of_login(this, start_.login.database, start_.login.user, start_.peer); }

    Task welcome() {
        key_.resize(4 + cancel_secret_bytes(start_.login.protocol));
        worker_.shared().random.fill(key_.data(), key_.size());
        key_[0] = static_cast<char>(key_[0] & 0x7f);
        std::string bytes;
        worker_.shared().console_counters.client_logins.add();
        append_welcome(bytes, console_parameters(version_number), key_, worker_.shared().config.get()->settings->login_notify_message);
        co_await send(bytes);
    }

    Task send(std::string bytes) {
        if (!bytes.empty()) co_await transport_.write(bytes);
    }

    Task fail(Fault fault, std::string_view argument = {}) {
        std::string bytes;
        append_fault(bytes, fault, argument);
        const std::string text = fault_message(fault, argument);
        log_pooler_error(text);
        co_await send(std::move(bytes));
        end(text);
    }

    void log_pooler_error(std::string_view text) const {
        if (worker_.log_pooler_errors()) log(LogLevel::warning, "{} pooler error: {}", name(), text);
    }

    // The client has hung up. A SUSPEND of its own does not outlive it.
    void gone() {
        const ConsoleStep last = console_.on_gone();
        if (last.order) {
            log(LogLevel::log, "{}", last.log);
            begin(*last.order);
        }
        end("client unexpected eof");
    }

    void end(std::string_view reason) {
        if (worker_.log_disconnections())
            log(LogLevel::log, "{} closing because: {} (age={}s)", name(), reason, (now() - connected_at_).count() / 1'000'000);
        transport_.release().close();
    }

    // Runs a step and those that follow from it. False: the session is over.
    asio::awaitable<bool> carry_out(ConsoleStep step) {
        for (;;) {
            if (!step.log.empty()) log(LogLevel::log, "{} {}", name(), step.log);
            if (!step.error.empty()) {
                log(LogLevel::error, "{} {}", name(), step.error);
                log_pooler_error(step.error);
            }
            if (step.descriptors.empty())
                co_await send(std::move(step.bytes));
            else if (!co_await send_descriptors(transport_.socket, step.bytes, step.descriptors)) {
                gone();
                co_return false;
            }
            if (step.fault != Fault::none) {
                co_await fail(step.fault);
                co_return false;
            }
            if (step.closes) {
                end("client close request");
                co_return false;
            }
            if (step.needs != Needs::none || (console_.is_waiting() && !step.order)) {
                const Inventory inventory = co_await gather(control_, step.needs);
                step = console_.answer(inventory);
            } else if (step.order) {
                const Order order = *step.order;
                if (order.kind == OrderKind::shutdown && order.mode == ShutdownMode::immediate) {
                    end("admin shutdown");
                    control_.shut_down(order.mode);
                    co_return false;
                }
                if (!order.wants_answer) {
                    begin(order);
                    co_return true;
                }
                if (order.kind == OrderKind::kill_client)
                    step = co_await kill_client(*order.client_id);
                else
                    step = co_await give(order);
                if (is_gone_) {
                    gone();
                    co_return false;
                }
            } else {
                co_return true;
            }
        }
    }

    asio::awaitable<ConsoleStep> give(Order order) {
        const auto error = begin(order);
        if (error) co_return console_.failed(*error);
        cancelled_ = false;
        while (!cancelled_ && must_wait(order)) {
            asio::steady_timer timer(worker_.io(), condition_poll);
            co_await timer.async_wait(as_result);
            is_gone_ = has_hung_up(transport_.socket.native_handle());
            if (is_gone_) co_return ConsoleStep{};
        }
        if (cancelled_) {
            co_return console_.on_cancel();    // its step resumes
        }
        co_return console_.done(std::exchange(notice_, {}));
    }

    // A client on any worker, or a console.
    asio::awaitable<ConsoleStep> kill_client(std::uint64_t number) {
        bool found = false;
        for (ConsoleSession* session : sessions()) {
            if (session->number() != number) continue;
            session->kill();
            found = true;
        }
        asio::steady_timer answered(worker_.io(), asio::steady_timer::time_point::max());
        control_.kill_client(number, [&](bool on_a_worker) {
            found = found || on_a_worker;
            answered.cancel();
        });
        co_await answered.async_wait(as_result);
        co_return found ? console_.done() : console_.failed(OrderError::client_not_found);
    }

    std::optional<OrderError> begin(const Order& order) {
        switch (order.kind) {
            case OrderKind::set: return control_.set(order.key, order.value, notice_);
            case OrderKind::reload: return control_.reload();
            case OrderKind::pause: return control_.pause(order.database);
            case OrderKind::resume: return control_.resume(order.database);
            case OrderKind::suspend: return control_.suspend();
            case OrderKind::disable: return control_.disable(order.database, true);
            case OrderKind::enable: return control_.disable(order.database, false);
            case OrderKind::reconnect: return control_.reconnect(order.database);
            case OrderKind::wait_close:
                if (!order.database.empty() && !control_.knows_database(order.database)) return OrderError::no_such_database;
                return std::nullopt;
            case OrderKind::kill: return control_.kill(order.database);
            case OrderKind::kill_client: break;    // asks the workers first
            case OrderKind::shutdown: control_.shut_down(order.mode); return std::nullopt;
        }
        return std::nullopt;
    }

    bool must_wait(const Order& order) {
        switch (order.kind) {
            case OrderKind::pause: return !control_.is_paused_out(order.database);
            case OrderKind::suspend: return control_.is_suspended() && !control_.has_flushed();
            case OrderKind::kill: return false;
            case OrderKind::wait_close: return control_.has_marked(order.database);
            default: return false;
        }
    }

    Control& control_;
    Worker& worker_;
    ConsoleStart start_;
    AsyncTransport transport_;
    std::string_view notice_;
    Console console_;
    std::string key_;
    std::int64_t connected_unix_;
    TimePoint connected_at_;
    bool cancelled_ = false;
    bool killed_ = false;
    bool is_gone_ = false;
};

Task run_console(std::shared_ptr<ConsoleSession> session) { co_await session->run(); }

}  // namespace

void begin_console(Worker& worker, ConsoleStart start) {
    worker.post([&worker, begun = std::move(start)]() mutable {
        worker.spawn(run_console(std::make_shared<ConsoleSession>(worker, std::move(begun))));
    });
}

void cancel_console(Worker& worker, std::string key, std::string from) {
    worker.post([wanted = std::move(key), name = std::move(from)] {
        bool is_known = false;
        for (ConsoleSession* session : sessions()) {
            if (!equal_in_constant_time(session->key(), wanted)) continue;
            session->cancel();
            is_known = true;
        }
        if (!is_known) log(LogLevel::log, "{} failed cancel request", name);
    });
}

std::vector<ClientRow> console_rows(Control&) {
    std::vector<ClientRow> rows;
    for (const ConsoleSession* session : sessions()) rows.push_back(session->row());
    return rows;
}

}  // namespace pgweir
