"""Sessions: who is served, who waits, what operators order."""

from .mutation import mutation

BOOK_CPP = "routing/book.cpp"
BOOK_SESSIONS_CPP = "routing/book_sessions.cpp"

MUTATIONS = (
    mutation("pools are shared by users",
        (BOOK_CPP, "if (pools_.at(id.index).user_bound == user_bound) return id;", "return id;")),
    mutation("the queue is last in, first out",
        (BOOK_SESSIONS_CPP,
         "share.waiting.push_back(sessions_, id.index);",
         "share.waiting.push_front(sessions_, id.index);")),
    mutation("moves ignore servers in transit",
        (BOOK_SESSIONS_CPP, "share.waiting.count <= share.transit", "share.waiting.count == 0")),
    mutation("a session removed while it waits stays in the queue",
        (BOOK_SESSIONS_CPP,
         "    dequeue(id, *session, pool);\n"
         "    if (session->state == SessionState::linked)",
         "    if (session->state == SessionState::linked)")),
    mutation("those called include later ones",
        (BOOK_SESSIONS_CPP,
         "if (!welcomed && session.ticket > pool->called_until) continue;",
         "if (!welcomed && pool->called_until == 0) continue;")),
    mutation("a newcomer passes those who wait for a check",
        (BOOK_SESSIONS_CPP,
         "            if (!checking && share.waiting.empty()) return lend",
         "            if (!checking) return lend")),
    mutation("a failing pool opens beyond its size",
        (BOOK_SESSIONS_CPP, "    if (fits && pool.connecting.empty()", "    if (pool.connecting.empty()")),
    mutation("a server that is starting up is not waited for",
        (BOOK_SESSIONS_CPP, "pool.failure.attempts == 0 || pool.failure.is_starting_up ||", "pool.failure.attempts == 0 ||")),
    mutation("a failing pool refuses beside a working server",
        (BOOK_SESSIONS_CPP, " || pool.logged_in > 0 || is_paused(pool)) return false;", " || is_paused(pool)) return false;")),
    mutation("a failing pool that refuses never tries again",
        (BOOK_SESSIONS_CPP,
         "        open_one(pool_id, pool, now, out);\n"
         "    return true;\n",
         "        {}\n"
         "    return true;\n")),
    mutation("min_pool_size evicts",
        (BOOK_CPP, "!may_open(pool, now) || full_bound(pool) != nullptr) return;", "!may_open(pool, now)) return;")),
    mutation("min_pool_size opens beyond pool_size",
        (BOOK_CPP,
         "policy.pool_size == 0 ? policy.min_pool_size : std::min(policy.min_pool_size, policy.pool_size);",
         "policy.min_pool_size;")),
    mutation("min_pool_size is not kept",
        (BOOK_CPP, "    keep_minimum(id, *pool, now, out);\n", "")),
    mutation("server_idle_timeout empties the pool below its minimum",
        (BOOK_CPP, " && pool.logged_in > policy.min_pool_size)", ")")),
    mutation("server_idle_timeout is forgotten",
        (BOOK_CPP,
         "                reason = CloseReason::idle_timeout;\n",
         "                reason = CloseReason::none;\n")),
    mutation("a pause that ends wakes nobody",
        (BOOK_CPP, "    call_servable(id, *pool, out);\n", "")),
    mutation("PAUSE lets connections under way log in",
        (BOOK_CPP, "!pool.connecting.empty() && (is_paused(pool) || ", "!pool.connecting.empty() && (")),
    mutation("RECONNECT lets connections under way log in",
        (BOOK_CPP,
         "(is_paused(pool) || servers_.at(pool.connecting.head).epoch != pool.epoch)",
         "(is_paused(pool))")),
    mutation("RECONNECT keeps the welcome",
        (BOOK_CPP, "    pool->welcome = nullptr;\n", "")),
    mutation("RECONNECT marks nothing",
        (BOOK_CPP, "    ++pool->epoch;\n", "")),
    mutation("cancel connections have no bound",
        (BOOK_CPP, "    if (bound > 0 && pool->open() + pool->cancel_connections >= bound) return false;\n", "")),
    mutation("a cancel connection is never given back",
        (BOOK_CPP, "    if (Pool* pool = pools_.find(id)) --pool->cancel_connections;\n", "    (void)id;\n")),
    mutation("a new policy opens nothing",
        (BOOK_CPP,
         "    pool->policy = std::move(policy);\n"
         "    open_servers(id, *pool, now, out);\n",
         "    pool->policy = std::move(policy);\n")),
    mutation("a raised database bound opens nothing",
        (BOOK_CPP,
         "limits_.database_at(limits_.database(name));\n"
         "    bound.servers_max = servers_max;\n"
         "    bound.clients_max = clients_max;\n"
         "    permit_freed(now, out);\n",
         "limits_.database_at(limits_.database(name));\n"
         "    bound.servers_max = servers_max;\n"
         "    bound.clients_max = clients_max;\n")),
    mutation("a shutdown lets new requests wait",
        (BOOK_SESSIONS_CPP,
         "    if (shutting_down_)\n"
         "        return out.add({.kind = BookActionKind::refuse, .fault = Fault::server_shutting_down, .session = id});\n",
         "")),
    mutation("the longest idle server serves first",
        (BOOK_SESSIONS_CPP, "pool.policy->round_robin ? idle.tail : idle.head", "idle.tail")),
    mutation("server_round_robin is forgotten",
        (BOOK_SESSIONS_CPP, "pool.policy->round_robin ? idle.tail : idle.head", "idle.head")),
    mutation("a request does not look for a server of another worker",
        (BOOK_SESSIONS_CPP,
         "    if (share.waiting.count > share.transit) {\n"
         "        const WorkerId from",
         "    if (false) {\n"
         "        const WorkerId from")),
    mutation("a request asks for a server though one is on its way",
        (BOOK_SESSIONS_CPP,
         "    if (share.waiting.count > share.transit) {\n"
         "        const WorkerId from",
         "    if (true) {\n"
         "        const WorkerId from")),
    mutation("a check begun for a newcomer serves it first",
        (BOOK_SESSIONS_CPP,
         "            if (!checking) {    // those who wait for a check came first, and this server is ready now\n"
         "                enqueue(id, *session, pool, SessionState::waiting, now);\n"
         "                return lend(idle, server, sessions_.id_of(share.waiting.head), now, out);\n",
         "            if (!checking) {\n"
         "                return lend(idle, server, id, now, out);\n")),
    mutation("a removed session still counts as linked",
        (BOOK_SESSIONS_CPP, "    if (session->state == SessionState::linked) --pool.linked;\n", ""),
        same_because="a session has given its server back before it is removed"),
    mutation("logins that await a welcome open nothing",
        (BOOK_SESSIONS_CPP,
         "    enqueue(id, session, pool, SessionState::awaiting_welcome, now);\n"
         "    open_servers(session.pool, pool, now, out);\n",
         "    enqueue(id, session, pool, SessionState::awaiting_welcome, now);\n")),
)
