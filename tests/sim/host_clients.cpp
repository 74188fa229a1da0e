// The host's client connections: logins, reading, the actions of sessions.
#include "routing/effective_settings.hpp"
#include "tests/sim/failure.hpp"
#include "tests/sim/frames.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/host_decide.hpp"

namespace pgweir::sim {
void Host::admit(Client& outside, const ClientPlan& plan) {
    clients_.push_back(std::make_unique<ClientEnd>());
    ClientEnd& client = *clients_.back();
    client.outside = &outside;
    client.pool = plan.pool;
    client.worker = static_cast<WorkerId>(random_.below(static_cast<std::size_t>(scenario_.workers)));
    client.login_began = client.unlinked_since = now();
    if (!plan.parameters.empty()) {
        auto wanted = std::make_shared<ParameterValues>();
        for (const auto& [guc, value] : plan.parameters) {
            wanted->set(tracked_.find(guc_names[guc]), value);
            client.has_bad_parameter = client.has_bad_parameter || value.starts_with('!');
        }
        client.wanted = wanted;
    }
    const LivePool& pool = live(plan.pool);
    trace_("client {} of pool {} logs in on worker {}", outside.number(), plan.pool, client.worker);
    Fault fault = book_.limits().admit_client();
    if (fault == Fault::none) {
        client.counted = true;
        const Pool& in_book = *book_.pool(pool.id);
        fault = book_.limits().admit_to(in_book.database_bound, in_book.user_bound, false, false);
    }
    outside.to_proxy.on_readable = [this, &client] {
        serve(client);
        settle();
    };
    outside.from_proxy.on_writable = [this, &client] {
        flush(client);
        settle();
    };
    decide(client.worker,
           [&](Book& book, BookActions&) { client.id = book.add_session(pool.id, client.worker, now()); });
    by_session_[client.id] = &client;
    require_admission(client, fault);
    if (fault != Fault::none) return end_login(client, fault);
    client.owns = plan.owns_server;
    if (client.owns) return ask_own_server(client);
    std::shared_ptr<const Welcome> there;
    decide(client.worker, [&](Book& book, BookActions& out) { there = book.await_welcome(client.id, now(), out); });
    if (there) welcome(client, *there);
    settle();
}

SharedParameters Host::parameters_of(const ClientEnd& client, SharedParameters server) const {
    if (!client.wanted) return server;
    for (int place = 0; place < static_cast<int>(tracked_.names().size()); ++place)
        if (client.wanted->has(place))
            server = with_parameter(server, place, client.wanted->values[static_cast<std::size_t>(place)], false);
    return server;
}

void Host::ask_own_server(ClientEnd& client) {
    Fault fault = Fault::none;
    decide(client.worker, [&](Book& book, BookActions& out) { fault = book.ask_own_server(client.id, now(), out); });
    if (fault != Fault::none) end_login(client, fault);
    settle();
}

// Its own server has logged in, with the client's parameters.
void Host::take_own_server(ClientEnd& client, ServerEnd& server) {
    trace_("client {} is welcome on server {}", client.outside->number(), server.number);
    const LivePool& pool = pools_[client.pool];
    client.session.emplace(std::make_shared<const SessionPolicy>(replication_policy(*pool.session)), *pool.counters[client.worker],
                           server.session->parameters, now());
    client.session->await_own_server(now());
    client.waiting_since = client.unlinked_since = now();
    client.shortest_drain = pool.session->client_lost_drain;
    make_ready(client);
}

// Wants one, and no bound leaves room for it yet.
bool Host::awaits_own(const ClientEnd& client) const {
    const SessionEntry* session = book_.sessions().find(client.id);
    return client.open && client.owns && session != nullptr && session->state == SessionState::awaiting_own;
}

void Host::welcome(ClientEnd& client, const Welcome& welcome) {
    trace_("client {} is welcome", client.outside->number());
    require(pools_[client.pool].welcome_marks == pools_[client.pool].marks,
            "client {} is welcomed with what a server of before the RECONNECT said", client.outside->number());
    SharedParameters parameters = parameters_of(client, welcome.tracked);
    const LivePool& pool = pools_[client.pool];
    client.session.emplace(pool.session, *pool.counters[client.worker], std::move(parameters), now());
    client.unlinked_since = now();
    client.shortest_drain = pool.session->client_lost_drain;
    make_ready(client);
}

// It leaves the queue with the book's record of it.
void Host::end_login(ClientEnd& client, Fault fault) { close(client, fault); }

void Host::make_ready(ClientEnd& client) {
    if (!random_.percent(10)) return ready_clients_.push_back(&client);
    events_.after(random_.span(Microseconds{1000}), [this, &client] {
        serve(client);
        settle();
    });
}

void Host::make_ready(ServerEnd& server) {
    if (!random_.percent(10)) return ready_servers_.push_back(&server);
    events_.after(random_.span(Microseconds{1000}), [this, &server] {
        serve(server);
        settle();
    });
}

bool Host::may_read(const ClientEnd& client) const {
    return client.open && client.session && client.session->wants_input() && client.lost_at == never &&
           (client.server == nullptr || client.server->kept_out.empty());
}

void Host::serve(ClientEnd& client) {
    if (!client.open) return;
    Pipe& wire = client.outside->to_proxy;
    // A lost connection shows at once, whatever is or is not read.
    if (wire.was_reset() && wire.at_end()) return client_lost(client);
    if (std::exchange(client.resumes, false)) handle_input(client);
    while (may_read(client)) {
        const std::size_t most = client.server != nullptr ? 8192 : 4096;
        const auto arrived = wire.read(1 + random_.below(random_.percent(20) ? 16 : most));
        if (arrived.empty() && !client.resumes) break;
        client.resumes = false;
        client.input_place.pass(arrived);
        client.kept_in += arrived;
        handle_input(client);
    }
    // The end comes behind what has been read.
    if (may_read(client) && wire.at_end()) client_lost(client);
}

void Host::handle_input(ClientEnd& client) {
    // What has been read is looked at, whether the server's socket takes what comes of it or not.
    const auto may_look = [&] { return client.open && client.session && client.session->wants_input() && client.lost_at == never; };
    for (bool again = true; again && may_look() && !client.kept_in.empty();) {
        SessionActions actions;
        const std::string input = std::move(client.kept_in);
        ServerSession* server = client.server != nullptr ? client.server->session.get() : nullptr;
        const auto used = client.session->on_client_bytes(input, server, now(), actions);
        client.kept_in = input.substr(used);
        carry_out(client, input, actions);
        again = used > 0 || actions.size() > 0;
    }
    require_in_order(client);
}

void Host::carry_out(ClientEnd& client, Bytes input, const SessionActions& actions) {
    bool sends = false, told_of_end = false;
    for (const SessionAction& action : actions) {
        const bool is_made =
            action.kind == SessionActionKind::made_to_client || action.kind == SessionActionKind::made_to_server;
        const Bytes range = action.length == 0 ? Bytes{} : is_made ? actions.made(action) : input.substr(action.offset, action.length);
        switch (action.kind) {
            case SessionActionKind::forward_to_client:
            case SessionActionKind::made_to_client: write(client, range); break;
            case SessionActionKind::forward_to_server:
            case SessionActionKind::made_to_server:
                require(client.server != nullptr, "client {} sends to a server that it does not have",
                        client.outside->number());
                note_sent(client, range, action.kind == SessionActionKind::made_to_server);
                send(*client.server, range);
                sends = true;
                break;
            case SessionActionKind::send_to_client:
                client.told_to_wait = true;
                write(client, waiting_notice());
                break;
            case SessionActionKind::send_to_server: send_own(client, action.message); break;
            case SessionActionKind::check_out:
                require_worth_a_server(client);
                client.told_to_wait = false;
                client.waiting_since = now();
                client.place_in_queue = ++queue_places_;
                decide(client.worker, [&](Book& book, BookActions& out) { book.check_out(client.id, now(), out); });
                break;
            case SessionActionKind::leave_queue:
                client.place_in_queue = 0;
                decide(client.worker, [&](Book& book, BookActions&) { book.leave_queue(client.id); });
                break;
            case SessionActionKind::check_in: check_in(client, sends); break;
            case SessionActionKind::close_server: {
                ServerEnd& server = *client.server;
                client.server_fault = action.fault;
                client.lost_its_server = client.lost_its_server || server.backend->is_ending();
                if (action.fault != Fault::none) require_explained(client, action.fault);
                require_well_spent(client, server, action.fault);
                require(!client.owns || action.fault != Fault::none || client.lost_at != never || client.said_goodbye,
                        "server {} does not hear that its client has left", server.number);
                const ReplyLedger& ledger = server.session->ledger;
                client.cut_short = client.cut_short || !ledger.is_uncertain() || !ledger.is_settled();
                told_of_end = server.session->fatal_seen;
                unlink(client);
                close(server, client.input_place.rest > 0);
                break;
            }
            case SessionActionKind::close_client: close(client, action.fault); break;
            case SessionActionKind::resume_client:
                client.resumes = true;
                make_ready(client);
                break;
            case SessionActionKind::cancel_query: cancel(client); break;
        }
    }
    require(!told_of_end || !client.open, "client {} goes on behind the FATAL error of its server", client.outside->number());
}

void Host::send_own(ClientEnd& client, OwnMessage message) {
    require(client.server != nullptr, "client {} has no server for a message of ours", client.outside->number());
    ServerEnd& server = *client.server;
    trace_("own message {} to server {} for client {}", static_cast<int>(message), server.number,
           client.outside->number());
    switch (message) {
        case OwnMessage::sync: return send(server, frame('S'));
        case OwnMessage::rollback: return send(server, frame('Q', zero_ended("ROLLBACK")));
        case OwnMessage::copy_fail: return send(server, frame('f', zero_ended("client disconnected")));
        case OwnMessage::parameters:
            return send(server, frame('Q', zero_ended(replay_statement(tracked_, *client.session->parameters(),
                                                                       *server.session->parameters))));
        default: throw Failure("an own message that is none for a server");
    }
}

// The rest of what the server has sent is an unlinked server's: it is looked at before anyone else can get the server.
// `sends`: bytes were sent to it in the same breath, so the core could not know that some are kept.
void Host::check_in(ClientEnd& client, bool sends) {
    ServerEnd& server = *client.server;
    trace_("client {} gives server {} back", client.outside->number(), server.number);
    const bool half_sent = !server.kept_out.empty();
    require(half_sent ? sends : server.session->is_at_rest(), "client {} gives server {} back, which is not at rest",
            client.outside->number(), server.number);
    require(!server.session->fatal_seen, "client {} gives server {} back, which has said that it ends", client.outside->number(), server.number);
    require_few_statements(server);
    unlink(client);
    client.unlinked_since = server.unused_since = now();
    make_ready(client);
    if (half_sent) return close(server);  // the rest of a COPY's data that the server has no use for
    if (!server.kept_in.empty() && !handle_unlinked(server)) return;
    decide(server.worker, [&](Book& book, BookActions& out) { book.check_in(server.id, now(), out); });
    require_within_keeping(server);
    make_ready(server);
}

void Host::unlink(ClientEnd& client) {
    client.server->client = nullptr;
    client.server = nullptr;
    client.linked_since = never;
}

void Host::write(ClientEnd& client, Bytes bytes) {
    require(client.open, "bytes for client {}, which is closed", client.outside->number());
    if (client.lost_at != never) return;
    if (client.kept_out.empty()) bytes.remove_prefix(client.outside->from_proxy.write(bytes));
    client.kept_out += bytes;
}

void Host::flush(ClientEnd& client) {
    if (client.kept_out.empty()) return;
    client.kept_out.erase(0, client.outside->from_proxy.write(client.kept_out));
    if (!client.kept_out.empty()) return;
    if (!client.open) return client.outside->from_proxy.close();
    if (client.server != nullptr) make_ready(*client.server);
}

void Host::client_lost(ClientEnd& client) {
    if (!client.open || client.lost_at != never) return;
    trace_("client {} is lost", client.outside->number());
    client.lost_at = now();
    client.kept_in.clear();
    client.kept_out.clear();
    if (!client.session) return end_login(client, Fault::none);
    SessionActions actions;
    const bool cancels = must_cancel(client);
    client.session->on_client_lost(client.server != nullptr ? client.server->session.get() : nullptr, now(), actions);
    const auto is_cancel = [](const SessionAction& action) { return action.kind == SessionActionKind::cancel_query; };
    require(!cancels || std::any_of(actions.begin(), actions.end(), is_cancel), "the statement of client {}, which is lost, is not canceled",
            client.outside->number());
    carry_out(client, {}, actions);
    require(!client.owns || client.server == nullptr, "a server lives on though client {}, whose own it is, is lost",
            client.outside->number());
    if (client.server != nullptr) make_ready(*client.server);
}

// A session that has no server has to end.
void Host::end_client(ClientEnd& client, Fault fault) {
    if (!client.open) return;
    require(client.server == nullptr, "client {} is refused and has a server", client.outside->number());
    client.place_in_queue = 0;
    SessionActions actions;
    client.session->on_fault(nullptr, fault, actions);
    carry_out(client, {}, actions);
}

void Host::kill(ClientEnd& client) {
    if (!client.open || !client.session) return;
    trace_("client {} is killed", client.outside->number());
    client.was_killed = true;
    SessionActions actions;
    client.session->on_fault(client.server != nullptr ? client.server->session.get() : nullptr, Fault::admin_disconnect,
                             actions);
    carry_out(client, {}, actions);
    settle();
}

void Host::close(ClientEnd& client, Fault fault) {
    require(client.open, "client {} is closed twice", client.outside->number());
    require(client.server == nullptr, "client {} is closed and has server {}", client.outside->number(),
            client.server != nullptr ? client.server->number : 0);
    trace_("client {} is closed: {}", client.outside->number(), fault == Fault::none ? "-" : fault_message(fault));
    require_explained(client, fault);
    client.ended_with = fault != Fault::none ? fault : client.server_fault;
    if (fault != Fault::none && client.lost_at == never) {
        std::string text;
        append_fault(text, fault);
        write(client, text);
    }
    client.open = false;
    client.place_in_queue = 0;
    if (client.owns && !client.session)
        for (const auto& [id, server] : by_server_)
            if (server->owner == &client) events_.after(Microseconds{0}, [this, s = server] { give_up_own_server(*s); });
    if (client.kept_out.empty()) client.outside->from_proxy.close();
    client.outside->to_proxy.abandon();
    const Pool& pool = *book_.pool(pools_[client.pool].id);
    const auto database = pool.database_bound;
    const auto user = pool.user_bound;
    decide(client.worker, [&](Book& book, BookActions&) {
        by_session_.erase(client.id);
        book.remove_session(client.id, now());
        if (client.counted) book.limits().release_from(database, user);
        book.limits().release_client();
    });
}

}  // namespace pgweir::sim
