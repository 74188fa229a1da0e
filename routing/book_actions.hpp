// What the book tells the proxy to do. Grants and refusals are always for sessions of the worker that made the call; an
// order about a server goes to the worker that owns it.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <type_traits>

#include "routing/client_fault.hpp"
#include "routing/ids.hpp"
#include "routing/server_state.hpp"

namespace pgweir {

enum class BookActionKind : std::uint8_t {
    grant,         // `session` gets `server`; both are the calling worker's
    refuse,        // `session` of the calling worker is off the queue: `fault`
    open,          // `worker` opens `server` for `pool`; for `session` alone if there is one
    move,          // `worker` gives `server` to worker `to`
    check,         // `worker` runs server_check_query on `server`
    reset,         // `worker` runs server_reset_query on `server`
    close,         // `worker` closes `server`: `reason`
    look_again,    // `worker` asks `next_called` for `pool`
};

struct BookAction {
    BookActionKind kind;
    WorkerId worker = no_worker;
    WorkerId to = no_worker;
    CloseReason reason = CloseReason::none;
    Fault fault = Fault::none;
    bool from_reserve = false;    // open: beyond pool_size
    ServerId server{};
    SessionId session{};
    PoolId pool{};
};
static_assert(std::is_trivially_copyable_v<BookAction> && sizeof(BookAction) <= 32);

class BookActions {
public:
    static constexpr int capacity = 256;
    static constexpr int step_max = workers_max + 8;    // the most that one decision adds

    void clear() { count_ = 0; }
    bool has_room() const { return count_ + step_max <= capacity; }
    void add(const BookAction& action) {
        assert(count_ < capacity);
        items_[static_cast<std::size_t>(count_++)] = action;
    }

    const BookAction* begin() const { return items_.data(); }
    const BookAction* end() const { return items_.data() + count_; }
    int size() const { return count_; }
    bool empty() const { return count_ == 0; }

private:
    std::array<BookAction, capacity> items_;
    int count_ = 0;
};

}  // namespace pgweir
