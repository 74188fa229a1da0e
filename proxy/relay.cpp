// Events, the ready list, and what happens once a round.
#include "proxy/relay.hpp"

#include <algorithm>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"

namespace pgweir {
namespace {

constexpr int rounds_max = 8;
constexpr Microseconds batch_time{1'000};
constexpr Microseconds newcomers_time{300};

bool is_newcomer(const PollToken& token) { return token.kind == PollKind::login || token.kind == PollKind::listener; }

}  // namespace

Relay::Relay(WorkerId worker, BookHost& book_host, RelayHost& host)
    : worker_(worker), host_book_(book_host), host_(host), scratch_(std::make_unique<char[]>(scratch_bytes)) {}

Relay::~Relay() {
    // The connections that are still there, those connecting or on their way from another worker too.
    for (ServerConnection* server : by_server_) delete server;
}

bool Relay::run_batch(bool may_wait) {
    in_batch_ = true;
    const bool more = run_rounds(may_wait);
    in_batch_ = false;
    served_at_ = now_;
    return more;
}

bool Relay::run_rounds(bool may_wait) {
    now_ = now();
    const TimePoint until = now_ + batch_time;
    for (int round = 0; may_wait || round < rounds_max; ++round) {
        const bool waits = may_wait && ready_.empty();
        if (waits && !std::exchange(has_turn_, true)) poller_.set_turn(pause_short);
        const auto events = poller_.poll(waits);
        turn_came_ = false;
        on_events(events);
        drain_mailbox();
        const bool more = serve_ready_list();
        if (is_over(events.size(), more)) return false;
        if (turn_came_ || now_ >= until) break;
        if (batch_ends_.load(std::memory_order_relaxed) && batch_ends_.exchange(false)) break;
    }
    return true;
}

// Nothing is left to be done: there were no events; or, for a whole turn, none but the turn's own.
bool Relay::is_over(std::size_t events, bool more) {
    const bool has_work = more || events > (turn_came_ ? 1U : 0U);
    const bool is_over = !has_work && (!turn_came_ || is_quiet_);
    is_quiet_ = !is_over && !has_work && (turn_came_ || is_quiet_);
    return is_over;
}

// Those who are served come first. Newcomers have as long again; whom that leaves over the poller tells of once more.
void Relay::on_events(std::span<const epoll_event> events) {
    const TimePoint began = now();
    bool has_newcomers = false;
    for (const epoll_event& event : events) {
        const auto token = PollToken::unpack(event.data.u64);
        if (is_newcomer(token))
            has_newcomers = true;
        else
            on_event(token, event.events);
    }
    if (!has_newcomers) return;
    const TimePoint served = now();
    const TimePoint until = served + std::max(served - began, newcomers_time);
    accepts_first_ = !accepts_first_;    // neither keeps the other waiting for good
    const PollKind first = accepts_first_ ? PollKind::listener : PollKind::login;
    if (serve_newcomers(events, first, until)) serve_newcomers(events, accepts_first_ ? PollKind::login : PollKind::listener, until);
}

// False: their time is over.
bool Relay::serve_newcomers(std::span<const epoll_event> events, PollKind kind, TimePoint until) {
    for (const epoll_event& event : events) {
        const auto token = PollToken::unpack(event.data.u64);
        if (token.kind != kind) continue;
        on_event(token, event.events);
        if (now() >= until) return false;
    }
    return true;
}

void Relay::on_event(const PollToken& token, std::uint32_t events) {
    now_ = now();
    if (token.kind == PollKind::client && clients_.holds(token.index)) {
        ClientConnection& client = clients_.at(token.index);
        if ((client.place.generation & PollToken::generation_mask) == token.generation) on_client_event(client, events);
    } else if (token.kind == PollKind::server && servers_.holds(token.index)) {
        ServerConnection& server = *servers_.at(token.index);
        if ((server.place.generation & PollToken::generation_mask) == token.generation) on_server_event(server, events);
    } else if (token.kind == PollKind::timer) {
        look_at_streams();
    } else if (token.kind == PollKind::turn) {
        turn_came_ = true;
        has_turn_ = false;
    } else if (token.kind == PollKind::login || token.kind == PollKind::listener) {
        host_.on_poll_event(token);
    }
    settle();
}

void Relay::drain_mailbox() {
    if (mailbox_.empty()) return;
    if (stall != nullptr) stall();
    now_ = now();
    mailbox_.drain([this](MailboxNode& node, std::uint32_t orders) {
        auto& server = static_cast<ServerConnection&>(node);
        if (server.closed) {
            free_server(server);
            return;
        }
        if ((orders & order_arrive) != 0) take_in(server);
        if ((orders & order_open) != 0) {
            if (by_server_.size() <= server.id.index) by_server_.resize(server.id.index + 1, nullptr);
            by_server_[server.id.index] = &server;
            if ((orders & order_close) != 0) return open_failed(server, {});    // given up before it was begun
            host_.open_server(server);
        }
        if ((orders & order_move) != 0) move_away(server);
        if ((orders & order_close) != 0) close_by_order(server);
        settle();
    });
}

// Sockets with work left: a budget used up, reading taken up again. Once a round; true: some are left.
bool Relay::serve_ready_list() {
    if (ready_.empty()) return false;
    serving_.swap(ready_);
    for (const PollToken& token : serving_) {
        now_ = now();
        if (token.kind == PollKind::client && clients_.holds(token.index)) {
            ClientConnection& client = clients_.at(token.index);
            if ((client.place.generation & PollToken::generation_mask) != token.generation) continue;
            client.is_ready = false;
            if (client.broken && !client.buried)
                client_lost(client);
            else
                resume_client(client);
        } else if (token.kind == PollKind::server && servers_.holds(token.index)) {
            ServerConnection& server = *servers_.at(token.index);
            if ((server.place.generation & PollToken::generation_mask) != token.generation) continue;
            server.is_ready = false;
            if (server.broken)
                server_lost(server, CloseReason::crashed);
            else
                resume_server(server);
        }
        settle();
    }
    serving_.clear();
    return !ready_.empty();
}

void Relay::make_ready(ClientConnection& client) {
    if (client.is_ready || client.buried) return;
    client.is_ready = true;
    if (!in_batch_) poller_.wake();
    ready_.push_back({PollKind::client, client.place.index, client.place.generation & PollToken::generation_mask});
}

void Relay::make_ready(ServerConnection& server) {
    if (server.is_ready || server.closed) return;
    server.is_ready = true;
    if (!in_batch_) poller_.wake();
    ready_.push_back({PollKind::server, server.place.index, server.place.generation & PollToken::generation_mask});
}

void Relay::bury_dead() {
    while (!dead_clients_.empty()) {
        const ClientId id = dead_clients_.back();
        dead_clients_.pop_back();
        clients_.erase(id);
    }
    while (!dead_servers_.empty()) {
        ServerConnection* server = dead_servers_.back();
        dead_servers_.pop_back();
        free_server(*server);
    }
}

// A node that is linked still belongs to the mailbox: the drain frees it.
void Relay::free_server(ServerConnection& server) {
    if (!server.is_linked()) delete &server;
}

void Relay::refresh_now() { now_ = now(); }

ClientConnection* Relay::find(SessionId id) {
    if (id.index >= by_session_.size()) return nullptr;
    ClientConnection* client = by_session_[id.index];
    return client != nullptr && client->id == id && !client->buried ? client : nullptr;
}

ServerConnection* Relay::find(ServerId id) {
    if (id.index >= by_server_.size()) return nullptr;
    ServerConnection* server = by_server_[id.index];
    return server != nullptr && server->id == id ? server : nullptr;
}

void Relay::tick(TimePoint at) {
    now_ = at;
    if (suspended_) return;    // suspend_timeout alone counts
    deadlines_armed_ = false;
    for (std::uint32_t index = 0; index < deadlines_.size(); ++index) {
        if (deadlines_[index] == never.us) continue;
        if (at.us < deadlines_[index]) {
            deadlines_armed_ = true;
            continue;
        }
        if (!clients_.holds(index) || clients_.at(index).buried) {
            deadlines_[index] = never.us;
            continue;
        }
        ClientConnection& client = clients_.at(index);
        if (client.closing) {
            bury(client);
        } else {
            event_actions_.clear();
            client.session.on_deadline(client.server != nullptr ? &client.server->session : nullptr, now_, event_actions_);
            carry_out(client, {}, event_actions_);
        }
        note_deadline(client);
        settle();
    }
    each_server([&](ServerConnection& server) {
        if (at >= server.own_query_until)
            server_lost(server, CloseReason::check_failed);
        else if (server.own_query_until != never)
            deadlines_armed_ = true;
    });
    settle();
}

void Relay::note_deadline(ClientConnection& client) {
    const auto due = client.buried ? never.us : client.closing ? client.closing_until.us : client.session.deadline().us;
    deadlines_[client.place.index] = due;
    if (due == never.us || deadlines_armed_) return;
    deadlines_armed_ = true;
    host_.deadline_armed();
}

}  // namespace pgweir
