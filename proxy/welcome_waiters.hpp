// Logins that wait for word from the book: a welcome, a server of their own, or a refusal.
//
// The word may come before the login's coroutine waits for it, so it is kept from `expect` on.
// Not here: how a coroutine sleeps (Worker).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "routing/client_fault.hpp"
#include "routing/ids.hpp"

namespace pgweir {

class WelcomeWaiters {
public:
    using Wake = std::function<void()>;

    void expect(SessionId session) { waiters_.try_emplace(session); }
    void forget(SessionId session) { waiters_.erase(session); }

    void arrived(SessionId session, Fault fault) {
        const auto found = waiters_.find(session);
        if (found == waiters_.end()) return;
        found->second.word = fault;
        if (found->second.wake) found->second.wake();
    }
    // False: the word is there already, and nobody needs to sleep. `wake` may be called until `take`.
    bool sleep(SessionId session, Wake wake) {
        Waiter& waiter = waiters_[session];
        if (waiter.word) return false;
        waiter.wake = std::move(wake);
        return true;
    }
    // The wait is over; nothing: no word has come.
    std::optional<Fault> take(SessionId session) {
        const auto found = waiters_.find(session);
        if (found == waiters_.end()) return std::nullopt;
        const auto word = found->second.word;
        waiters_.erase(found);
        return word;
    }

private:
    struct Waiter {
        std::optional<Fault> word;
        Wake wake;
    };
    std::map<SessionId, Waiter> waiters_;
};

}  // namespace pgweir
