// What other threads ask of a worker about its server connections: an intrusive, lock-free list of nodes, each with a
// word of pending orders.
//
// Promises: from push to drain a node belongs to the receiver; pushing a node that is linked only sets its bit; a node
// is linked at most once. Whoever owns the node frees it only when it is not linked.
#pragma once

#include <atomic>
#include <cstdint>

namespace pgweir {

enum MailboxOrder : std::uint32_t {
    order_open = 1,       // connect
    order_move = 2,       // give it to another worker
    order_arrive = 4,     // take it in
    order_close = 8,
};

struct MailboxNode {
    std::atomic<std::uint32_t> orders{0};    // not 0: linked
    MailboxNode* next = nullptr;             // the receiver's while linked
    bool is_linked() const { return orders.load(std::memory_order_acquire) != 0; }
};

class Mailbox {
public:
    // True: the mailbox was empty, so the worker must be woken.
    bool push(MailboxNode& node, MailboxOrder order) {
        if (node.orders.fetch_or(order, std::memory_order_acq_rel) != 0) return false;
        MailboxNode* head = head_.load(std::memory_order_relaxed);
        do node.next = head;
        while (!head_.compare_exchange_weak(head, &node, std::memory_order_release, std::memory_order_relaxed));
        return head == nullptr;
    }

    bool empty() const { return head_.load(std::memory_order_relaxed) == nullptr; }

    // Calls `handle(node, orders)` for each, oldest first. The node is not linked any more when it is called.
    template <class Handle>
    void drain(Handle handle) {
        MailboxNode* node = head_.exchange(nullptr, std::memory_order_acquire);
        MailboxNode* oldest = nullptr;
        while (node != nullptr) {
            MailboxNode* next = node->next;
            node->next = oldest;
            oldest = node;
            node = next;
        }
        while (oldest != nullptr) {
            MailboxNode* following = oldest->next;    // before the orders are taken: then it may be pushed again
            const auto orders = oldest->orders.exchange(0, std::memory_order_acq_rel);
            handle(*oldest, orders);
            oldest = following;
        }
    }

private:
    std::atomic<MailboxNode*> head_{nullptr};
};

}  // namespace pgweir
