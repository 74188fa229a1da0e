// The host's server connections: opening, reading, writing, moving, closing.
#include "tests/sim/failure.hpp"
#include "tests/sim/frames.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/host_decide.hpp"

namespace pgweir::sim {

void Host::begin_open(ServerEnd& server) {
    server.stage = ServerEnd::Stage::opening;
    const auto& policy = *pools_[server.pool].policy;
    events_.after(policy.server_connect_timeout, [this, &server] {
        if (server.stage == ServerEnd::Stage::opening)
            open_failed(server, {.reason = CloseReason::connect_timeout, .sqlstate = {}, .message = "connect timeout"});
    });
    const auto delay = random_.span(Microseconds{60'000});
    const auto fail = [&](CloseReason reason, const char* sqlstate) {
        events_.after(delay, [this, &server, reason, sqlstate] {
            if (server.stage == ServerEnd::Stage::opening)
                open_failed(server, {.reason = reason, .sqlstate = sqlstate, .message = "refused"});
        });
    };
    const Faults& faults = scenario_.faults;
    if (now() < scenario_.calm_at) {
        if (random_.percent(faults.connect_hangs)) return;
        if (random_.percent(faults.connect_fails)) return fail(CloseReason::connect_failed, "");
        if (random_.percent(faults.login_refused)) return fail(CloseReason::login_failed, "28P01");
        if (random_.percent(faults.starting_up)) return fail(CloseReason::login_failed, "57P03");
    }
    events_.after(delay, [this, &server] {
        if (server.stage == ServerEnd::Stage::opening) logged_in(server);
    });
}

void Host::open_failed(ServerEnd& server, OpenFailure failure) {
    trace_("server {} could not be opened: {} {}", server.number, to_string(failure.reason), failure.sqlstate);
    server.stage = ServerEnd::Stage::closed;
    note_failure(server, failure);
    decide(server.worker, [&](Book& book, BookActions& out) { book.server_failed(server.id, failure, now(), out); });
    require(book_.pool(pools_[server.pool].id)->failure.attempts == pools_[server.pool].failures,
            "failed attempts are miscounted");
    close_socket(server);
    if (server.owner != nullptr && server.owner->open) end_login(*server.owner, Fault::replication_login_failed);
    settle();
}

void Host::logged_in(ServerEnd& server) {
    trace_("server {} has logged in", server.number);
    server.stage = ServerEnd::Stage::ready;
    server.unused_since = now();
    server.session = std::make_unique<ServerSession>(tracked_);
    server.session->statement_source = &statements_;
    server.session->catalog = catalogs_[server.worker].get();
    Gucs gucs = default_gucs();
    if (server.owner != nullptr && server.owner->wanted)
        for (std::size_t i = 0; i < gucs.size(); ++i)
            if (const int place = tracked_.find(guc_names[i]); server.owner->wanted->has(place))
                gucs[i] = canonical(server.owner->wanted->values[static_cast<std::size_t>(place)]);
    const ModelTraits traits{.reports_at_once = scenario_.servers_report_at_once,
                             .shows_session = scenario_.pools[server.pool].keeps_session || server.owner != nullptr};
    server.backend = std::make_unique<Backend>(events_, random_, scenario_.network, scenario_.faults.temper, ModelServer(gucs, traits),
                                               runs_, trace_, server.number);
    server.backend->to_proxy.on_readable = [this, &server] {
        serve(server);
        settle();
    };
    server.backend->to_server.on_writable = [this, &server] {
        flush(server);
        settle();
    };
    auto welcome = std::make_shared<Welcome>();
    auto values = std::make_shared<ParameterValues>();
    for (std::size_t i = 0; i < gucs.size(); ++i) values->set(tracked_.find(guc_names[i]), gucs[i]);
    values->proven = true;
    server.session->parameters = catalogs_[server.worker]->intern(values);
    welcome->tracked = server.session->parameters;
    if (server.owner != nullptr) {
        take_own_server(*server.owner, server);
    } else {
        decide(server.worker, [&](Book& book, BookActions& out) { book.set_welcome(server.id, welcome, out); });
    }
    if (book_.pool(pools_[server.pool].id)->welcome == welcome) pools_[server.pool].welcome_marks = server.marks;
    if (is_awaited(server) && server.owner == nullptr) pools_[server.pool].failures = 0;
    decide(server.worker, [&](Book& book, BookActions& out) { book.server_logged_in(server.id, now(), out); });
    if (server.owner != nullptr && server.owner->server == nullptr && server.owner->open) {    // an order to close it came first
        server.owner->lost_its_server = true;
        end_client(*server.owner, Fault::server_lost);
    }
    require(book_.pool(pools_[server.pool].id)->failure.attempts == pools_[server.pool].failures,
            "failed attempts are miscounted");
    settle();
}

void Host::grant(ClientEnd& client, ServerEnd& server) {
    trace_("worker {} grants server {} to client {}", client.worker, server.number, client.outside->number());
    require_grantable(client, server);
    require_turn(client);
    if (server.owner == nullptr) require_turn_of_owners(client);
    require_fit(server);
    require_choice(server);
    client.server = &server;
    server.client = &client;
    ++server.grants;
    client.waiting_since = never;
    client.place_in_queue = 0;
    client.linked_since = now();
    client.may_keep = client.session->policy().mode == PoolMode::session;
    SessionActions actions;
    client.session->on_granted(*server.session, now(), actions);
    carry_out(client, {}, actions);
    client.resumes = true;
    make_ready(client);
}

void Host::serve(ServerEnd& server) {
    while (server.stage == ServerEnd::Stage::ready) {
        // A client that does not read stops its server being read.
        const ClientEnd* client = server.client;
        if (client != nullptr && !client->kept_out.empty() && client->lost_at == never) return;
        Pipe& wire = server.backend->to_proxy;
        const auto arrived = wire.read(1 + random_.below(random_.percent(20) ? 16 : 8192));
        if (arrived.empty()) {
            if (wire.at_end()) server_gone(server);
            return;
        }
        server.kept_in += arrived;
        handle_input(server);
    }
}

void Host::handle_input(ServerEnd& server) {
    for (bool again = true; again && !server.kept_in.empty() && server.stage == ServerEnd::Stage::ready;) {
        ClientEnd* client = server.client;
        if (client == nullptr) {
            handle_unlinked(server);
            return;
        }
        SessionActions actions;
        const std::string input = std::move(server.kept_in);
        const auto used = client->session->on_server_bytes(input, *server.session, now(), actions);
        server.kept_in = input.substr(used);
        note_replies(server, Bytes(input).substr(0, used));
        carry_out(*client, input, actions);
        require(server.client == nullptr || client->session->policy().mode != PoolMode::statement ||
                    client->session->phase() != ClientSession::Phase::linked || server.backend->is_ending() ||
                    server.session->transaction == TransactionStatus::idle,
                "client {} has opened a block in statement mode", client->outside->number());
        require_in_order(*client);
        again = used > 0 || actions.size() > 0;
    }
}

// After an error only a reply of another kind tells what the server has read.
void Host::note_replies(ServerEnd& server, Bytes used) {
    server.replies.pass(used, [&](char type, std::size_t) {
        if (type == 'E') server.is_doubtful = true;
        else if (type != 'Z' && type != 'N' && type != 'A' && type != 'S') server.is_doubtful = false;
    });
}

// True: the server is still there, and at rest if no task of ours runs on it.
bool Host::handle_unlinked(ServerEnd& server) {
    const std::string input = std::move(server.kept_in);
    Bytes rest = input;
    const auto event = server.session->on_unlinked_bytes(rest);
    server.kept_in = rest;
    note_replies(server, Bytes(input).substr(0, input.size() - rest.size()));
    if (event == UnlinkedEvent::nothing) return true;
    const auto task = std::exchange(server.task, ServerEnd::Task::none);
    require(event != UnlinkedEvent::done || !server.backend->has_refused(), "server {} stays though it has refused its {}", server.number,
            task == ServerEnd::Task::check ? "check" : "reset");
    if (event == UnlinkedEvent::done && task != ServerEnd::Task::none) {
        if (!server.kept_in.empty() && !handle_unlinked(server)) return false;
        (task == ServerEnd::Task::check ? server.checked_at : server.unused_since) = now();
        decide(server.worker, [&](Book& book, BookActions& out) {
            if (task == ServerEnd::Task::check)
                book.check_passed(server.id, now(), out);
            else
                book.reset_done(server.id, now(), out);
        });
        return true;
    }
    require(event != UnlinkedEvent::done, "server {} has answered a question that nobody asked", server.number);
    require(event == UnlinkedEvent::fatal || task != ServerEnd::Task::none, "server {} got dirty by {}", server.number,
            message_types(input));
    close(server);
    return false;
}

void Host::send(ServerEnd& server, Bytes bytes) {
    if (server.kept_out.empty()) bytes.remove_prefix(server.backend->to_server.write(bytes));
    server.kept_out += bytes;
    server.session->output_pending = !server.kept_out.empty();
}

void Host::flush(ServerEnd& server) {
    if (server.stage != ServerEnd::Stage::ready || server.kept_out.empty()) return;
    server.kept_out.erase(0, server.backend->to_server.write(server.kept_out));
    if (!server.kept_out.empty()) return;
    server.session->output_pending = false;
    if (server.client == nullptr) return;
    ClientEnd& client = *server.client;
    SessionActions actions;
    client.session->on_server_drained(*server.session, now(), actions);
    carry_out(client, {}, actions);
    make_ready(client);
}

void Host::begin_own_query(ServerEnd& server, ServerEnd::Task task) {
    require(server.client == nullptr && server.task == ServerEnd::Task::none && server.session->is_at_rest(),
            "server {} is to be checked or reset and is not at rest", server.number);
    require(server.cancels_held == 0, "server {} is checked or reset while a cancel for it is under way",
            server.number);
    server.task = task;
    if (task == ServerEnd::Task::check) require_check_due(server);
    server.session->begin_own_query();
    server.session->parameters_reset = task == ServerEnd::Task::reset;
    const PoolPolicy& policy = *book_.pool(pools_[server.pool].id)->policy;
    const std::string& sql = task == ServerEnd::Task::reset ? policy.server_reset_query : policy.server_check_query;
    send(server, frame('Q', zero_ended(sql)));
}

// It moves if it is at rest and no byte of it is kept here; else it is closed.
void Host::give_away(ServerEnd& server) {
    require(server.client == nullptr, "server {} is to move while a client has it", server.number);
    if (!server.session->is_at_rest() || !server.kept_in.empty()) return close(server);
    trace_("server {} leaves worker {} for {}", server.number, server.worker, server.move_to);
    server.stage = ServerEnd::Stage::moving;
    post(server.worker, server.move_to, server, order_arrive);
}

// Read once: nothing is healthy, bytes are an idle server's, the end means that it is lost.
void Host::take_in(ServerEnd& server) {
    server.stage = ServerEnd::Stage::ready;
    server.session->catalog = catalogs_[server.worker].get();
    serve(server);
    if (server.stage != ServerEnd::Stage::ready) return;
    server.arrived_at = now();
    decide(server.worker, [&](Book& book, BookActions& out) { book.arrived(server.id, now(), out); });
}

// Its connection has ended.
void Host::server_gone(ServerEnd& server) {
    trace_("server {} is gone", server.number);
    require(!server.backend->is_alive(), "the connection of server {} ended while its backend lives", server.number);
    lose_server(server, CloseReason::crashed);
}

void Host::lose_server(ServerEnd& server, CloseReason reason) {
    ClientEnd* client = server.client;
    if (client == nullptr) return close(server);
    // A client's own server goes by itself when its client has said goodbye.
    client->lost_its_server = client->lost_its_server || server.owner == nullptr || !server.backend->has_been_left();
    client->was_killed = client->was_killed || reason == CloseReason::marked;
    unlink(*client);
    SessionActions actions;
    client->session->on_server_lost(*server.session, reason, actions);
    close(server, client->input_place.rest > 0);
    carry_out(*client, {}, actions);
}

// Its client has gone while it was being opened.
void Host::give_up_own_server(ServerEnd& server) {
    if (server.stage == ServerEnd::Stage::closed) return;
    close(server);
    settle();
}

void Host::close(ServerEnd& server, bool half_sent) {
    if (server.stage == ServerEnd::Stage::closed) return;
    require(server.client == nullptr, "server {} is closed while a client has it", server.number);
    trace_("server {} is closed", server.number);
    server.stage = ServerEnd::Stage::closed;
    if (server.owner != nullptr && server.owner->open && !server.owner->session) end_login(*server.owner, Fault::replication_login_failed);
    if (server.backend != nullptr) {
        // Behind half a message Terminate would be taken for its rest, and what was cut might be run.
        if (server.kept_out.empty() && !half_sent) server.backend->to_server.write(frame('X'));
        server.backend->to_server.close();
        server.backend->to_proxy.abandon();
    }
    close_socket(server);
}

// The book hears that the server is lost at once, and of the closed socket then or later, now and then much later.
void Host::close_socket(ServerEnd& server) {
    const auto release = [this, &server] {
        by_server_.erase(server.id);
        decide(server.worker, [&](Book& book, BookActions& out) { book.server_closed(server.id, now(), out); });
    };
    if (random_.percent(50)) return release();
    decide(server.worker, [&](Book& book, BookActions& out) { book.server_lost(server.id, now(), out); });
    events_.after(random_.span(Microseconds{random_.percent(30) ? 800'000 : 5'000}), [this, release] {
        release();
        settle();
    });
}

}  // namespace pgweir::sim
