// The server's side of the relay.
#include <algorithm>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/relay.hpp"

namespace pgweir {
namespace {

PollToken token_of(const ServerConnection& server) {
    return {PollKind::server, server.place.index, server.place.generation & PollToken::generation_mask};
}

void watch_output(Poller& poller, ServerConnection& server, bool on) {
    server.watching_output = on;
    poller.watch_output(server.transport.fd(), token_of(server), on);
}

}  // namespace

void Relay::add_server(ServerConnection& server, Bytes leftover) {
    now_ = now();
    server.place = servers_.emplace(&server);
    server.session.catalog = &catalog_;
    server.session.statement_source = &host_.statements();
    poller_.add(server.transport.fd(), token_of(server));
    if (!leftover.empty()) server.input.append(leftover);
    if (!leftover.empty() || !server.transport.is_plain()) {    // else the poller tells of what is there already
        server.edge_missed = true;
        make_ready(server);
    }
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) { book.server_logged_in(server.id, now_, out); });
    take_book_actions();
    settle();
}

void Relay::open_failed(ServerConnection& server, const OpenFailure& failure) {
    now_ = now();
    by_server_[server.id.index] = nullptr;
    server.transport.close();
    server.closed = true;
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) {
        book.server_failed(server.id, failure, now_, out);
        book.server_closed(server.id, now_, out);
    });
    dead_servers_.push_back(&server);
    if (server.owner) host_.welcome_arrived(server.owner, Fault::replication_login_failed);
    take_book_actions();
    settle();
}

void Relay::on_server_event(ServerConnection& server, std::uint32_t events) {
    if (server.closed) return;
    if ((events & EPOLLOUT) != 0) flush_server(server);
    if (server.closed || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) server.hung_up = true;
    resume_server(server);
}

void Relay::resume_server(ServerConnection& server) {
    read_server(server);
    if (server.transport.write_wants_read()) flush_server(server);    // this read may have had what it waits for
}

void Relay::read_server(ServerConnection& server) {
    for (int reads = 0; reads < reads_max; ++reads) {
        if (server.closed) return;
        // A client that does not read stops its server being read.
        const bool is_blocked = server.client != nullptr && !server.client->output.empty() && !server.client->broken;
        if (is_blocked || (suspended_ && server.client != nullptr && is_flushed(*server.client))) {
            server.edge_missed = true;
            return;
        }
        const auto kept = std::min(server.input.size(), scratch_bytes / 2);
        if (kept > 0) {
            std::copy_n(server.input.view().data(), kept, scratch_.get());
            server.input.drop(kept);
        }
        const std::size_t wanted = scratch_bytes - kept;
        const IoResult got = server.transport.read(scratch_.get() + kept, wanted);
        if (got.status == IoStatus::end || got.status == IoStatus::failed) return server_lost(server, CloseReason::crashed);
        if (got.status != IoStatus::done) {
            if (kept > 0) server.input.append({scratch_.get(), kept});
            server.edge_missed = got.status == IoStatus::wants_write;
            // TLS must send first; when the socket has taken that, `flush_server` has the server read again.
            if (server.edge_missed && !server.watching_output) watch_output(poller_, server, true);
            return;
        }
        process_server(server, {scratch_.get(), kept + got.bytes});
        if (server.closed) return;
        note_stream(server, got.bytes);
        if (got.bytes < wanted && !server.hung_up && !server.transport.has_buffered()) {
            server.edge_missed = false;
            return;
        }
    }
    if (server.closed) return;
    server.edge_missed = true;
    make_ready(server);
}

void Relay::process_server(ServerConnection& server, Bytes input) {
    while (!input.empty() && !server.closed) {
        if (server.client == nullptr) {
            if (!process_unlinked(server, input)) break;
            continue;
        }
        ClientConnection& client = *server.client;
        server_actions_.clear();
        const std::size_t used = client.session.on_server_bytes(input, server.session, now_, server_actions_);
        const bool acted = server_actions_.size() > 0;
        if (acted) carry_out(client, input, server_actions_);
        input.remove_prefix(used);
        if (!client.buried) note_deadline(client);
        if (used == 0 && !acted) break;
    }
    if (server.closed) return;
    if (!input.empty()) server.input.append(input);
    if (!server.output.empty()) flush_server(server);
}

// Bytes while no session has the server: the answer to a check or reset, or news. False: nothing more to do with them.
bool Relay::process_unlinked(ServerConnection& server, Bytes& input) {
    const auto event = server.session.on_unlinked_bytes(input);
    const bool own = server.own_query_until != never;
    const bool checking = own && !server.session.parameters_reset;
    switch (event) {
        case UnlinkedEvent::nothing: return false;
        case UnlinkedEvent::done:
            if (!own) {
                close_server(server, CloseReason::dirty);
                return false;
            }
            server.own_query_until = never;
            host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) {
                if (checking)
                    book.check_passed(server.id, now_, out);
                else
                    book.reset_done(server.id, now_, out);
            });
            take_book_actions();
            return !input.empty() && server.client == nullptr;
        case UnlinkedEvent::failed:
            close_server(server, checking ? CloseReason::check_failed : CloseReason::reset_failed);
            return false;
        case UnlinkedEvent::fatal:
            close_server(server, CloseReason::crashed);
            return false;
        case UnlinkedEvent::dirty:
            close_server(server, CloseReason::dirty);
            return false;
    }
    return false;
}

// Straight to the socket, or behind what is kept for it already.
void Relay::send_server(ServerConnection& server, Bytes bytes) {
    if (server.broken) return;
    if (server.output.empty()) {
        while (!bytes.empty()) {
            const IoResult put = server.transport.write(bytes.data(), bytes.size());
            if (put.status == IoStatus::failed) {
                server.broken = true;
                return make_ready(server);
            }
            if (put.status != IoStatus::done) break;
            bytes.remove_prefix(put.bytes);
        }
        if (bytes.empty()) return;
    }
    server.output.append(bytes);
    server.session.output_pending = true;
}

void Relay::flush_server(ServerConnection& server) {
    while (!server.output.empty() && !server.broken) {
        const IoResult put = server.transport.write(server.output.view().data(), server.output.size());
        if (put.status == IoStatus::failed) {
            server.broken = true;
            return make_ready(server);
        }
        if (put.status != IoStatus::done) break;
        server.output.drop(put.bytes);
    }
    server.session.output_pending = !server.output.empty();
    if (!server.edge_missed && server.transport.has_buffered()) {    // a write has received, and no readiness tells of that
        server.edge_missed = true;
        make_ready(server);
    }
    if (server.watching_output != server.session.output_pending) {
        watch_output(poller_, server, server.session.output_pending);
        if (!server.watching_output && server.edge_missed) make_ready(server);
        if (!server.watching_output && server.client != nullptr) {
            ClientConnection& client = *server.client;
            SessionActions actions;    // its own: this is reached while others are carried out
            client.session.on_server_drained(server.session, now_, actions);
            carry_out(client, {}, actions);
            if (client.edge_missed || client.resumes) make_ready(client);
        }
    }
}

void Relay::server_lost(ServerConnection& server, CloseReason reason) {
    if (server.closed) return;
    if (ClientConnection* client = server.client) {
        unlink(*client);
        if (client->session.phase() == ClientSession::Phase::leaving && server.owner) reason = CloseReason::replication_client_closed;
        event_actions_.clear();
        client->session.on_server_lost(server.session, reason, event_actions_);
        close_server(server, reason);
        carry_out(*client, {}, event_actions_);
        return;
    }
    close_server(server, reason);
}

// Its socket, its place in the tables, and its permits.
void Relay::close_server(ServerConnection& server, CloseReason reason) {
    if (server.closed) return;
    server.closed = true;
    if (server.owner && reason == CloseReason::client_left) reason = CloseReason::replication_client_closed;
    if (ClientConnection* client = server.client) unlink(*client);
    if (host_.log_disconnections())
        log(LogLevel::log, "{} closing because: {} (age={}s)", name_of(server), to_string(reason),
            (now_ - server.connected_at).count() / 1'000'000);
    if (server.place) {
        poller_.remove(server.transport.fd());
        servers_.erase(server.place);
    }
    static const std::string terminate = {'X', 0, 0, 0, 4};
    // Behind half a message it would be taken for the rest, and what was cut might be run.
    if (!server.broken && !server.half_sent && server.output.empty()) server.transport.write(terminate.data(), terminate.size());
    server.transport.close();
    by_server_[server.id.index] = nullptr;
    dead_servers_.push_back(&server);
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions& out) { book.server_closed(server.id, now_, out); });
    take_book_actions();
}

void Relay::close_servers(const PoolContext* pool, CloseReason reason) {
    now_ = now();
    for (std::uint32_t i = 0; i < servers_.index_end(); ++i)
        if (servers_.holds(i) && (pool == nullptr || servers_.at(i)->context.get() == pool)) server_lost(*servers_.at(i), reason);
    settle();
}

}  // namespace pgweir
