// The logins of one worker that wait for nothing but their client's bytes, on the relay's poller: most logins, TLS
// handshakes with them, from the first byte to the session, without a coroutine. Any other goes on in client_login().
//
// A step of a handshake is done where its bytes are found: the relay serves newcomers behind all others, one step or
// 0.3 ms of them at a time.
// Promises: a connection that goes wrong in any way costs itself alone.
#pragma once

#include "proxy/login.hpp"
#include "proxy/tls/tls_layer.hpp"
#include "routing/slab.hpp"

namespace pgweir {

class Logins {
public:
    explicit Logins(Worker& worker) : worker_(worker) {}

    // A connection that was accepted; on the worker's thread.
    void begin(const Accepted& accepted);
    void on_event(const PollToken& token);
    // Those that have taken too long.
    void tick(TimePoint at);
    bool empty() const { return entries_.live() == 0; }

private:
    using LoginId = Id<struct LoginTag>;

    struct Entry {
        Transport transport;
        std::unique_ptr<Login> login;
        std::unique_ptr<TlsLayer> handshake{};    // under way
    };

    void read(LoginId id);
    // These: true while the login is here and reads on: its client's next bytes may be inside TLS already.
    bool proceed(LoginId id);
    bool begin_handshake(LoginId id, const std::shared_ptr<const TlsContext>& context);
    bool shake_hands(LoginId id);
    bool send_output(Entry& entry);
    void go_on_apart(LoginId id, Login::Next next);
    void give_up(LoginId id, const std::exception& why);

    Worker& worker_;
    Slab<Entry, LoginId> entries_;
};

}  // namespace pgweir
