#include "proxy/logins.hpp"

#include "proxy/log.hpp"

namespace pgweir {

void Logins::begin(const Accepted& accepted) {
    const LoginId id = entries_.emplace(Entry{Transport(accepted.fd), nullptr});
    try {
        entries_.at(id.index).login = std::make_unique<Login>(worker_, accepted);
        worker_.relay().poller().add_level(accepted.fd, {PollKind::login, id.index, id.generation & PollToken::generation_mask});
        worker_.deadline_armed();
        read(id);    // a client seldom waits before it speaks
    } catch (const std::exception& error) {
        give_up(id, error);
    }
}

void Logins::on_event(const PollToken& token) {
    if (!entries_.holds(token.index)) return;
    const LoginId id = entries_.id_of(token.index);
    if ((id.generation & PollToken::generation_mask) != token.generation) return;
    try {
        if (!entries_.at(id.index).handshake || shake_hands(id)) read(id);
    } catch (const std::exception& error) {
        give_up(id, error);
    }
}

void Logins::read(LoginId id) {
    do {
        Entry& entry = entries_.at(id.index);
        char buffer[2048];
        const IoResult got = entry.transport.read(buffer, sizeof buffer);
        if (got.status == IoStatus::again) return;
        if (got.status == IoStatus::wants_write) return go_on_apart(id, Login::Next::read);
        if (got.status == IoStatus::done)
            entry.login->on_bytes({buffer, got.bytes});
        else
            entry.login->on_end();
    } while (proceed(id) && entries_.at(id.index).transport.has_buffered());
}

bool Logins::proceed(LoginId id) {
    Entry& entry = entries_.at(id.index);
    const Login::Next next = entry.login->advance();
    if (next == Login::Next::session) {
        entry.login->begin_session(std::move(entry.transport), true);
        entries_.erase(id);
        return false;
    }
    const bool is_sent = send_output(entry);
    if (is_sent && next == Login::Next::read) return true;
    if (is_sent && next == Login::Next::closed) {
        entry.transport.close();
        entries_.erase(id);
        return false;
    }
    if (is_sent && next == Login::Next::negotiate_tls) {
        const auto& context = entry.login->config().tls->clients.context;
        if (!context->has_slow_key()) return begin_handshake(id, context);
    }
    go_on_apart(id, next);
    return false;
}

bool Logins::begin_handshake(LoginId id, const std::shared_ptr<const TlsContext>& context) {
    Entry& entry = entries_.at(id.index);
    const Bytes early = entry.login->leftover();
    entry.handshake = std::make_unique<TlsLayer>(context, early);
    return !early.empty() && shake_hands(id);    // else the client waits for our answer, so nothing is there to shake with yet
}

bool Logins::shake_hands(LoginId id) {
    Entry& entry = entries_.at(id.index);
    const HandshakeStep step = entry.handshake->shake_hands(entry.transport.fd());
    if (step == HandshakeStep::wants_read) return false;
    if (step == HandshakeStep::wants_write) {
        go_on_apart(id, Login::Next::negotiate_tls);
        return false;
    }
    auto layer = std::move(entry.handshake);
    if (step != HandshakeStep::done) {
        entry.login->on_tls_failed(layer->failure());
        return proceed(id);
    }
    entry.login->on_tls_ready(*layer);
    entry.transport = Transport(entry.transport.release(), std::move(layer));
    return proceed(id);
}

// False: the socket does not take all of it now.
bool Logins::send_output(Entry& entry) {
    std::string& output = entry.login->output();
    if (output.empty()) return true;
    const IoResult put = entry.transport.write(output.data(), output.size());
    output.erase(0, put.status == IoStatus::failed ? output.size() : put.bytes);    // the end is read next
    return output.empty();
}

void Logins::go_on_apart(LoginId id, Login::Next next) {
    Entry& entry = entries_.at(id.index);
    worker_.relay().poller().remove(entry.transport.fd());
    auto login = std::move(entry.login);
    auto transport = std::move(entry.transport);
    if (entry.handshake) transport = Transport(transport.release(), std::move(entry.handshake));
    entries_.erase(id);
    worker_.spawn_login(std::move(login), std::move(transport), next);
}

void Logins::tick(TimePoint at) {
    for (std::uint32_t i = 0; i < entries_.index_end(); ++i) {
        if (!entries_.holds(i) || at < entries_.at(i).login->deadline()) continue;
        const LoginId id = entries_.id_of(i);
        try {
            entries_.at(i).login->on_timeout();
            proceed(id);
        } catch (const std::exception& error) {
            give_up(id, error);
        }
    }
}

void Logins::give_up(LoginId id, const std::exception& why) {
    log(LogLevel::error, "a connection was given up: {}", why.what());
    if (entries_.find(id) != nullptr) entries_.erase(id);
}

}  // namespace pgweir
