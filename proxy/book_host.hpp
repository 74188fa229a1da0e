// One mutex around the Book; sends its actions on their way.
//
// An action for the calling worker stays in `out`; one for another worker is in that worker's mailbox when `call`
// returns. Orders about one server leave under the lock, so they arrive in the order of the decisions.
// Not here: the decisions (Book), carrying them out (Relay).
#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "proxy/server_connection.hpp"
#include "routing/book.hpp"

namespace pgweir {

// How other threads reach a worker.
class WorkerPort {
public:
    virtual ~WorkerPort() = default;
    virtual Mailbox& mailbox() = 0;
    virtual void wake() = 0;
    virtual void look_again_at(PoolId pool) = 0;
};

class BookHost {
public:
    BookHost(int workers, const TrackedParameters& tracked, RandomSource& random);
    ~BookHost();

    void attach(WorkerId worker, WorkerPort& port) { ports_[worker] = &port; }
    int workers() const { return workers_; }
    const TrackedParameters& tracked() const { return tracked_; }

    // Runs `decide(book, out)` under the lock; actions for `self` are then in `out`.
    template <class Decide>
    void call(WorkerId self, BookActions& out, Decide decide) {
        out.clear();
        Deliveries deliveries;
        {
            std::lock_guard lock(mutex_);
            decide(book_, out);
            if (!out.empty()) deliver(self, out, deliveries);
        }
        if (deliveries.wakes != 0 || deliveries.looks != 0) notify(deliveries);
    }

    // Looks without deciding.
    template <class Look>
    auto look(Look look_at) {
        std::lock_guard lock(mutex_);
        return look_at(book_);
    }

    // A server that has left its worker is in the other one's mailbox afterwards.
    void hand_over(ServerConnection& server, WorkerId to) {
        if (ports_[to]->mailbox().push(server, order_arrive)) ports_[to]->wake();
    }

    // The connection that an action of the calling worker names; null when it is gone.
    ServerConnection* connection(ServerId id);

    // The pool of this database and user; null: there is none, or its entry has left the configuration.
    std::shared_ptr<PoolContext> known_pool(std::string_view database, std::string_view user);
    // The same, made when new.
    std::shared_ptr<PoolContext> pool(std::string_view database, std::string_view user, std::shared_ptr<const PoolPolicy> policy,
                                      std::shared_ptr<const PoolTarget> target, TimePoint now);
    std::vector<std::shared_ptr<PoolContext>> pools();
    std::shared_ptr<const PoolTarget> target_of(const PoolContext& context);
    void set_target(PoolContext& context, std::shared_ptr<const PoolTarget> target);
    void forget_pool(PoolContext& context);

private:
    struct Deliveries {
        std::uint64_t wakes = 0;    // workers by bit
        std::uint64_t looks = 0;
        PoolId pool{};
    };

    void deliver(WorkerId self, const BookActions& actions, Deliveries& deliveries);
    void order(const BookAction& action, MailboxOrder what, Deliveries& deliveries);
    void notify(const Deliveries& deliveries);

    int workers_;
    const TrackedParameters& tracked_;
    std::array<WorkerPort*, workers_max> ports_{};
    std::mutex mutex_;
    Book book_;
    std::vector<ServerConnection*> connections_;                   // by the index of the server's id
    std::vector<std::shared_ptr<PoolContext>> contexts_;           // by the index of the pool's id
};

}  // namespace pgweir
