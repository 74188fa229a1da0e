"""Whether a server connection is opened, and for whom."""

from .mutation import mutation

BOOK_OPENING_CPP = "routing/book_opening.cpp"
BOOK_SERVERS_CPP = "routing/book_servers.cpp"
LIMITS_CPP = "routing/limits.cpp"
POOL_CPP = "routing/pool.cpp"
POOL_DECISIONS_HPP = "routing/pool_decisions.hpp"
POOL_HPP = "routing/pool.hpp"

MUTATIONS = (
    mutation("the bound of a user is not looked at",
        (BOOK_OPENING_CPP, "return user.is_full() ? &user : nullptr;", "return nullptr;")),
    mutation("the reserve opens at once",
        (POOL_CPP, "opening_bound(*policy, waited)", "opening_bound(*policy, Microseconds{1000000000})")),
    mutation("pool_size is one too many",
        (POOL_CPP, "opening_bound(*policy, waited)", "opening_bound(*policy, waited) + 1")),
    mutation("a freed permit wakes no refused pool",
        (BOOK_OPENING_CPP, "        if (!best || !out.has_room()) break;", "        if (true) break;")),
    mutation("a refused pool does not evict",
        (BOOK_OPENING_CPP,
         "        remember_refused(id, pool);\n"
         "        evict_for(id, pool, now, out);\n",
         "        remember_refused(id, pool);\n")),
    mutation("a refused pool is forgotten",
        (BOOK_OPENING_CPP, "    limits_.refused().push_back(id);\n", "")),
    mutation("the bound of opening is looked at without the servers that are closing",
        (POOL_CPP, ".open = open(),", ".open = open() - in_state(ServerState::closing),")),
    mutation("a login counts on a server of before the RECONNECT",
        (POOL_HPP,
         "awaiting_welcome > 0 && !welcome && connecting.empty();",
         "awaiting_welcome > 0 && logged_in == 0 && connecting.empty();")),
    mutation("the bound of a database is not looked at",
        (BOOK_OPENING_CPP, "    if (database.is_full()) return &database;\n", "")),
    mutation("the reserve never opens",
        (POOL_DECISIONS_HPP,
         "return policy.pool_size + (reserve ? policy.reserve_pool_size : 0);",
         "return policy.pool_size;")),
    mutation("a failing pool knocks without a pause",
        (BOOK_OPENING_CPP, "    return pool.failure.attempts == 0 || now >= pool.failure.retry_at;\n", "    return true;\n")),
    mutation("a failing pool knocks several times at once",
        (BOOK_OPENING_CPP,
         "    if (pool.failure.attempts > 0) wanted = pool.connecting.empty() ? std::min(wanted, 1) : 0;\n",
         "")),
    mutation("a server opened by the book comes to any worker",
        (BOOK_OPENING_CPP,
         "        if (sessions_.at(head).ticket >= best_ticket) continue;\n"
         "        best_ticket = sessions_.at(head).ticket;\n"
         "        best",
         "        if (best_ticket != UINT64_MAX) continue;\n"
         "        best_ticket = 0;\n"
         "        best"),
        same_because="once it has logged in it moves to the worker whose session has waited longest"),
    mutation("an eviction takes the last used server",
        (BOOK_OPENING_CPP,
         "if (oldest == no_link || servers_.at(share.idle.tail).last_used_at < servers_.at(oldest).last_used_at)",
         "if (oldest == no_link || servers_.at(share.idle.tail).last_used_at > servers_.at(oldest).last_used_at)")),
    mutation("a pool evicts its own servers",
        (BOOK_OPENING_CPP, "        if (id == for_pool && pools_.at(id.index).awaiting_own == 0) continue;\n", "")),
    mutation("evictions under way do not count",
        (BOOK_OPENING_CPP, "        while (bound->evicting < unmet && out.has_room())", "        while (out.has_room())")),
    mutation("a freed permit goes to the youngest waiter",
        (BOOK_OPENING_CPP,
         "            if (since < oldest && full_bound",
         "            if ((oldest == never || since > oldest) && full_bound")),
    mutation("a freed permit goes to a pool that may not open",
        (BOOK_OPENING_CPP,
         "    return may_open(pool, now) && !one_at_a_time;\n",
         "    return !one_at_a_time;\n")),
    mutation("a freed permit goes to a pool that knocks already",
        (BOOK_OPENING_CPP,
         "    const bool one_at_a_time = pool.failure.attempts > 0 && !pool.connecting.empty();\n",
         "    constexpr bool one_at_a_time = false;\n")),
    mutation("a pool that no longer waits stays on the list of the refused",
        (BOOK_OPENING_CPP,
         "            pool.is_refused = pool.unmet(sessions_, now) > 0;\n",
         "            pool.is_refused = true;\n")),
    mutation("clients beyond the process's bound are let in",
        (LIMITS_CPP, "return clients_ > clients_max_ ? Fault::too_many_clients : Fault::none;", "return Fault::none;")),
    mutation("whoever waits for a lost server's permit gets no other",
        (BOOK_SERVERS_CPP, "        remember_refused(id, pool);    // room may come", "        {}    // room may come")),
)
