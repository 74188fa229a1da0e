#include "proxy/book_host.hpp"

#include "proxy/clock.hpp"

namespace pgweir {

BookHost::BookHost(int workers, const TrackedParameters& tracked, RandomSource& random)
    : workers_(workers), tracked_(tracked), book_(workers, random) {}

BookHost::~BookHost() = default;

void BookHost::deliver(WorkerId self, const BookActions& actions, Deliveries& deliveries) {
    for (const BookAction& action : actions) {
        switch (action.kind) {
            case BookActionKind::open:
                if (connections_.size() <= action.server.index) connections_.resize(action.server.index + 1, nullptr);
                // Freed by its owner's Relay, once it is closed and its node is not linked.
                connections_[action.server.index] = new ServerConnection(action.server, contexts_[action.pool.index], tracked_);
                connections_[action.server.index]->from_reserve = action.from_reserve;
                connections_[action.server.index]->owner = action.session;
                if (action.worker != self) order(action, order_open, deliveries);
                break;
            case BookActionKind::move:
                connections_[action.server.index]->move_to.store(action.to, std::memory_order_relaxed);
                if (action.worker != self) order(action, order_move, deliveries);
                break;
            case BookActionKind::close:
                connections_[action.server.index]->close_reason.store(static_cast<std::uint8_t>(action.reason), std::memory_order_relaxed);
                if (action.worker != self) order(action, order_close, deliveries);
                break;
            case BookActionKind::look_again:
                if (action.worker == self) break;
                deliveries.looks |= std::uint64_t{1} << action.worker;
                deliveries.pool = action.pool;
                break;
            case BookActionKind::grant:
            case BookActionKind::refuse:
            case BookActionKind::check:
            case BookActionKind::reset: break;
        }
    }
}

void BookHost::order(const BookAction& action, MailboxOrder what, Deliveries& deliveries) {
    if (ports_[action.worker]->mailbox().push(*connections_[action.server.index], what))
        deliveries.wakes |= std::uint64_t{1} << action.worker;
}

void BookHost::notify(const Deliveries& deliveries) {
    for (int worker = 0; worker < workers_; ++worker) {
        const auto bit = std::uint64_t{1} << worker;
        if ((deliveries.wakes & bit) != 0) ports_[static_cast<std::size_t>(worker)]->wake();
        if ((deliveries.looks & bit) != 0) ports_[static_cast<std::size_t>(worker)]->look_again_at(deliveries.pool);
    }
}

ServerConnection* BookHost::connection(ServerId id) {
    std::lock_guard lock(mutex_);
    if (id.index >= connections_.size()) return nullptr;
    ServerConnection* connection = connections_[id.index];
    return connection != nullptr && connection->id == id ? connection : nullptr;
}

std::shared_ptr<PoolContext> BookHost::known_pool(std::string_view database, std::string_view user) {
    std::lock_guard lock(mutex_);
    const PoolId id = book_.find_pool(database, user);
    if (!id || contexts_.size() <= id.index) return nullptr;
    const auto& context = contexts_[id.index];
    return context && context->id == id && !context->removed ? context : nullptr;
}

std::shared_ptr<PoolContext> BookHost::pool(std::string_view database, std::string_view user,
                                            std::shared_ptr<const PoolPolicy> policy,
                                            std::shared_ptr<const PoolTarget> target, TimePoint now) {
    std::lock_guard lock(mutex_);
    const PoolId id = book_.pool_for(database, user, std::move(policy), now);
    if (contexts_.size() <= id.index) contexts_.resize(id.index + 1);
    auto& context = contexts_[id.index];
    if (!context || context->id != id) {
        context = std::make_shared<PoolContext>(id, std::string(database), std::string(user), workers_);
        context->target = std::move(target);
    }
    return context;
}

std::vector<std::shared_ptr<PoolContext>> BookHost::pools() {
    std::lock_guard lock(mutex_);
    std::vector<std::shared_ptr<PoolContext>> all;
    for (const auto& context : contexts_)
        if (context) all.push_back(context);
    return all;
}

std::shared_ptr<const PoolTarget> BookHost::target_of(const PoolContext& context) {
    std::lock_guard lock(mutex_);
    return context.target;
}

void BookHost::set_target(PoolContext& context, std::shared_ptr<const PoolTarget> target) {
    std::lock_guard lock(mutex_);
    context.target = std::move(target);
}

void BookHost::forget_pool(PoolContext& context) {
    std::lock_guard lock(mutex_);
    const Pool* pool = book_.pool(context.id);
    if (pool == nullptr || pool->sessions > 0 || pool->open() > 0 || pool->cancel_connections > 0) return;
    book_.remove_pool(context.id);
    contexts_[context.id.index] = nullptr;
}

}  // namespace pgweir
