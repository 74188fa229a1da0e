// The client's side of the relay.
#include <algorithm>
#include <ctime>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/names.hpp"
#include "proxy/relay.hpp"

namespace pgweir {
namespace {

constexpr Microseconds closing_time{5'000'000};    // for a client that does not read its last error

PollToken token_of(const ClientConnection& client) {
    return {PollKind::client, client.place.index, client.place.generation & PollToken::generation_mask};
}

void watch_output(Poller& poller, ClientConnection& client, bool on) {
    if (client.watching_output == on) return;
    client.watching_output = on;
    poller.watch_output(client.transport.fd(), token_of(client), on);
}

}  // namespace

ClientConnection& Relay::add_client(Transport transport, bool is_polled, ClientSession session, SessionId id,
                                    std::shared_ptr<PoolContext> context, std::unique_ptr<ClientDetails> details,
                                    Bytes welcome, Bytes leftover) {
    now_ = now();
    const ClientId place = clients_.emplace(std::move(transport), std::move(session), id, std::move(context), std::move(details));
    ClientConnection& client = clients_.at(place.index);
    client.place = place;
    if (by_session_.size() <= id.index) by_session_.resize(id.index + 1, nullptr);
    by_session_[id.index] = &client;
    if (deadlines_.size() <= place.index) deadlines_.resize(place.index + 1, never.us);
    if (is_polled)
        poller_.rename(client.transport.fd(), token_of(client));
    else
        poller_.add(client.transport.fd(), token_of(client));
    write_client(client, welcome);
    note_deadline(client);
    if (leftover.empty() && client.transport.is_plain()) return client;    // the poller tells of what is there already
    if (!leftover.empty()) {
        client.input.append(leftover);
        client.resumes = true;
    }
    client.edge_missed = true;
    make_ready(client);
    return client;
}

void Relay::on_client_event(ClientConnection& client, std::uint32_t events) {
    if (client.buried) return;
    if ((events & EPOLLOUT) != 0) flush_client(client);
    if (client.buried || (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return;
    // Data and the end of the stream come as one event, and only this one says so.
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) client.hung_up = true;
    if (client.closing) {
        if ((events & (EPOLLHUP | EPOLLERR)) != 0) bury(client);
    } else {
        read_client(client);
    }
    if (client.transport.write_wants_read()) flush_client(client);
}

bool Relay::may_read(const ClientConnection& client) const {
    if (suspended_ && client.input.empty()) return false;
    if (client.output.size() > output_held_max) return false;    // answers of ours, to a client that does not read
    return client.session.wants_input() && (client.server == nullptr || client.server->output.empty());
}

void Relay::read_client(ClientConnection& client) {
    for (int reads = 0; reads < reads_max; ++reads) {
        if (client.buried || client.closing) return;
        if (!may_read(client)) {
            client.edge_missed = true;
            // Nobody reads on while it waits, so this is the only sign that it is gone.
            // What ends in Terminate was meant to run: it keeps its turn.
            if (client.hung_up && client.session.phase() == ClientSession::Phase::waiting &&
                !client.input.view().ends_with(std::string_view("X\0\0\0\4", 5)))
                client_lost(client);
            return;
        }
        const std::size_t kept = client.input.size();
        if (kept > scratch_bytes / 2) {    // no new bytes before all of these have had their turn
            if (kept >= client.session.bytes_wanted()) {
                KeptBytes waiting = std::move(client.input);
                process_client(client, waiting.view());
                if (client.input.size() < kept || client.input.size() >= client.session.bytes_wanted()) continue;
            }
            if (!read_further(client)) return;
            continue;
        }
        std::size_t wanted = client.server != nullptr ? scratch_bytes : unlinked_read_bytes;
        if (kept > 0) {
            std::copy_n(client.input.view().data(), kept, scratch_.get());
            client.input.clear();
            wanted = std::min(wanted, scratch_bytes - kept);
            const IoResult got = client.transport.read(scratch_.get() + kept, wanted);
            if (got.status == IoStatus::end || got.status == IoStatus::failed) return client_lost(client);
            if (got.bytes > 0)
                process_client(client, {scratch_.get(), kept + got.bytes});
            else
                client.input.append({scratch_.get(), kept});
            if (got.status == IoStatus::wants_write) return read_when_writable(client);
            if (got.status == IoStatus::again || (got.bytes < wanted && !client.hung_up && !client.transport.has_buffered())) {
                client.edge_missed = false;
                return;
            }
            continue;
        }
        const IoResult got = client.transport.read(scratch_.get(), wanted);
        if (got.status == IoStatus::end || got.status == IoStatus::failed) return client_lost(client);
        if (got.status == IoStatus::again) {
            client.edge_missed = false;
            return;
        }
        if (got.status == IoStatus::wants_write) return read_when_writable(client);
        process_client(client, {scratch_.get(), got.bytes});
        // A short read means that the socket is empty: no second recv that would only say so.
        if (got.bytes < wanted && !client.hung_up && !client.transport.has_buffered()) {
            client.edge_missed = false;
            return;
        }
    }
    client.edge_missed = true;
    make_ready(client);
}

// A long message that must be there as a whole: more of it, behind what is kept. False: that was all for now.
bool Relay::read_further(ClientConnection& client) {
    const IoResult got = client.transport.read(scratch_.get(), scratch_bytes);
    if (got.status == IoStatus::end || got.status == IoStatus::failed) {
        client_lost(client);
        return false;
    }
    if (got.status == IoStatus::wants_write) {
        read_when_writable(client);
        return false;
    }
    client.input.append({scratch_.get(), got.bytes});
    const bool drained = got.status == IoStatus::again ||
                         (got.bytes < scratch_bytes && !client.hung_up && !client.transport.has_buffered());
    if (!drained) return true;
    client.edge_missed = false;
    if (client.input.size() < client.session.bytes_wanted()) return false;
    KeptBytes waiting = std::move(client.input);
    process_client(client, waiting.view());
    return false;
}

// TLS must send first; when the socket has taken that, `client_drained` has the client read again.
void Relay::read_when_writable(ClientConnection& client) {
    client.edge_missed = true;
    watch_output(poller_, client, true);
}

// Hands bytes to the session until it wants no more; the rest is kept.
void Relay::process_client(ClientConnection& client, Bytes input) {
    while (!input.empty() && !client.closing && !client.buried) {
        client_actions_.clear();
        ServerSession* server = client.server != nullptr ? &client.server->session : nullptr;
        const std::size_t used = client.session.on_client_bytes(input, server, now_, client_actions_);
        const bool acted = client_actions_.size() > 0;
        if (acted) carry_out(client, input, client_actions_);
        input.remove_prefix(used);
        if ((used == 0 && !acted) || !client.session.wants_input()) break;
    }
    if (!input.empty() && !client.closing && !client.buried) client.input.append(input);
    if (client.server != nullptr && !client.server->output.empty()) flush_server(*client.server);
    note_deadline(client);
}

// Takes up reading again, its kept bytes first.
void Relay::resume_client(ClientConnection& client) {
    if (client.buried || client.closing) return;
    if (client.resumes && client.session.wants_input()) {
        client.resumes = false;
        KeptBytes kept = std::move(client.input);
        process_client(client, kept.view());
    }
    if (client.edge_missed) read_client(client);
    if (client.transport.write_wants_read()) flush_client(client);    // this read may have had what it waits for
}

void Relay::write_client(ClientConnection& client, Bytes bytes) {
    if (client.broken || client.buried) return;
    if (client.output.empty()) {
        while (!bytes.empty()) {
            const IoResult put = client.transport.write(bytes.data(), bytes.size());
            if (put.status == IoStatus::failed) {
                client.broken = true;
                make_ready(client);
                return;
            }
            if (put.status != IoStatus::done) break;
            bytes.remove_prefix(put.bytes);
        }
        if (bytes.empty()) return;
    }
    client.output.append(bytes);
    watch_output(poller_, client, true);
}

void Relay::flush_client(ClientConnection& client) {
    while (!client.output.empty()) {
        const IoResult put = client.transport.write(client.output.view().data(), client.output.size());
        if (put.status == IoStatus::failed) {
            client.broken = true;
            make_ready(client);
            return;
        }
        if (put.status != IoStatus::done) break;
        client.output.drop(put.bytes);
    }
    if (!client.edge_missed && client.transport.has_buffered()) {    // a write has received, and no readiness tells of that
        client.edge_missed = true;
        make_ready(client);
    }
    if (client.output.empty()) client_drained(client);
}

void Relay::client_drained(ClientConnection& client) {
    watch_output(poller_, client, false);
    if (client.closing) return bury(client);
    if (client.edge_missed) make_ready(client);
    if (client.server != nullptr && client.server->edge_missed) make_ready(*client.server);
}

void Relay::client_lost(ClientConnection& client) {
    if (client.buried) return;
    if (client.closing) return bury(client);
    if (!client.transport.is_open()) return;    // known already: it is leaving
    client.broken = true;
    client.edge_missed = false;
    client.output.clear();
    client.input.clear();
    client.transport.close();
    event_actions_.clear();
    client.session.on_client_lost(client.server != nullptr ? &client.server->session : nullptr, now_, event_actions_);
    carry_out(client, {}, event_actions_);
    if (client.buried) return;
    if (client.server != nullptr) {
        flush_server(*client.server);
        if (client.server != nullptr && client.server->edge_missed) make_ready(*client.server);
    }
    note_deadline(client);
}

// The session is over: its last words, its log line, its places in the tables.
void Relay::close_client(ClientConnection& client, Fault fault, std::string_view argument, std::string_view sqlstate) {
    if (client.closing || client.buried) return;
    const bool was_lost = !client.transport.is_open();
    std::string_view reason = was_lost ? "client unexpected eof" : "client close request";
    std::string text;
    if (fault != Fault::none) {
        text = fault == Fault::server_login_failed ? std::string(argument) : fault_message(fault, argument);
        reason = text;
        if (!was_lost) {
            std::string message;
            if (fault == Fault::server_login_failed)
                append_server_refusal(message, sqlstate, argument);
            else
                append_fault(message, fault, argument, host_.compat_error_codes());
            write_client(client, message);
            if (host_.log_pooler_errors()) log(LogLevel::warning, "{} pooler error: {}", name_of(client), text);
        }
    }
    if (host_.log_disconnections())
        log(LogLevel::log, "{} closing because: {} (age={}s)", name_of(client), reason,
            (now_ - client.details->connected_at).count() / 1'000'000);
    if (client.server != nullptr) close_server(*client.server, CloseReason::client_left);
    host_book_.call(worker_, book_actions_, [&](Book& book, BookActions&) { book.remove_session(client.id, now_); });
    by_session_[client.id.index] = nullptr;
    host_.client_gone(client);
    client.closing = true;
    client.closing_until = now_ + closing_time;
    if (client.output.empty() || client.broken)
        bury(client);
    else
        note_deadline(client);
}

void Relay::bury(ClientConnection& client) {
    if (client.buried) return;
    client.buried = true;
    if (client.transport.is_open()) {
        if (client.session.has_terminated())
            client.transport.drop();
        else
            client.transport.close();
    }
    deadlines_[client.place.index] = never.us;
    dead_clients_.push_back(client.place);
}

void Relay::end_client(ClientConnection& client, Fault fault) {
    now_ = now();
    if (client.closing || client.buried) return;
    event_actions_.clear();
    client.session.on_fault(client.server != nullptr ? &client.server->session : nullptr, fault, event_actions_);
    carry_out(client, {}, event_actions_);
    settle();
}

void Relay::end_clients(const PoolContext* pool, Fault fault) {
    for (std::uint32_t i = 0; i < clients_.index_end(); ++i)
        if (clients_.holds(i) && (pool == nullptr || clients_.at(i).context.get() == pool)) end_client(clients_.at(i), fault);
}

}  // namespace pgweir
