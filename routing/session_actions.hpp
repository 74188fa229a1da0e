// What a session tells the proxy to do: a short list in a buffer that the caller owns and uses again.
//
// Ranges mean the input of the call that made them, or the bytes that the session has made itself (`made`), and are valid
// until the next call. The order is the order of the bytes: neighbouring ranges to one side become one write, and what is
// short joins made bytes that it follows.
#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <string>
#include <type_traits>

#include "protocol/result.hpp"
#include "routing/client_fault.hpp"

namespace pgweir {

enum class SessionActionKind : std::uint8_t {
    forward_to_client,    // `offset`, `length`: of the server's input
    forward_to_server,    // `offset`, `length`: of the client's input
    made_to_client,       // `offset`, `length`: of `made`
    made_to_server,       // `offset`, `length`: of `made`
    send_to_client,       // `message`: an own message, its bytes made by `own_messages`
    send_to_server,       // `message`
    check_out,            // ask the book for a server
    leave_queue,          // the wait is over without one
    check_in,             // the server is free
    close_server,         // `fault` says why; `condition` nothing
    close_client,         // `fault`: sent first unless `none`; `offset`, `length`: what it shows of the client's input
    resume_client,        // the client's kept bytes can be looked at again
    cancel_query,         // ask the server to stop what it runs
};

enum class OwnMessage : std::uint8_t {
    none,
    sync,
    rollback,
    copy_fail,
    parameters,               // the SET statements of the session that is being linked
    check_query,
    reset_query,
    ready_idle,               // ReadyForQuery, idle
    waiting_notice,           // query_wait_notify
};

struct SessionAction {
    SessionActionKind kind;
    OwnMessage message = OwnMessage::none;
    Fault fault = Fault::none;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};
static_assert(std::is_trivially_copyable_v<SessionAction> && sizeof(SessionAction) <= 32);

// Bytes of the client's input that a fault's text shows.
struct Shown {
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
};

class SessionActions {
public:
    static constexpr int capacity = 32;
    static constexpr int step_max = 8;    // the most that one frame or event adds

    static constexpr std::size_t joined_max = 8192;         // bytes that are copied rather than written apart
    static constexpr std::size_t made_kept = 64 * 1024;     // bytes of memory that is used again

    void clear() {
        count_ = 0;
        if (made_.capacity() > made_kept) std::string().swap(made_);
        made_.clear();
    }
    bool has_room() const { return count_ + step_max <= capacity; }

    void add(SessionAction action) {
        assert(count_ < capacity);
        items_[static_cast<std::size_t>(count_++)] = action;
    }

    // A range of the input to one side; it grows the last action when it continues it.
    void forward(SessionActionKind kind, std::size_t offset, Bytes bytes) {
        if (count_ > 0) {
            SessionAction& last = items_[static_cast<std::size_t>(count_ - 1)];
            if (last.kind == kind && last.offset + last.length == offset) {
                last.length += static_cast<std::uint32_t>(bytes.size());
                return;
            }
            if (last.kind == made_beside(kind) && bytes.size() <= joined_max) {
                made_.append(bytes);
                last.length += static_cast<std::uint32_t>(bytes.size());
                return;
            }
        }
        add({.kind = kind, .offset = static_cast<std::uint32_t>(offset), .length = static_cast<std::uint32_t>(bytes.size())});
    }

    // Bytes of the session's own to one side: `make(std::string& out)` appends them.
    template <class Make>
    void make(SessionActionKind kind, Make make_it) {
        const auto before = made_.size();
        make_it(made_);
        const auto length = static_cast<std::uint32_t>(made_.size() - before);
        if (count_ > 0 && items_[static_cast<std::size_t>(count_ - 1)].kind == kind)
            items_[static_cast<std::size_t>(count_ - 1)].length += length;
        else
            add({.kind = kind, .offset = static_cast<std::uint32_t>(before), .length = length});
    }
    Bytes made(const SessionAction& action) const { return Bytes(made_).substr(action.offset, action.length); }

    void send(SessionActionKind kind, OwnMessage message) { add({.kind = kind, .message = message}); }
    void close(SessionActionKind kind, Fault fault, Shown shown = {}) {
        add({.kind = kind, .fault = fault, .offset = shown.offset, .length = shown.length});
    }

    const SessionAction* begin() const { return items_.data(); }
    const SessionAction* end() const { return items_.data() + count_; }
    int size() const { return count_; }

private:
    static constexpr SessionActionKind made_beside(SessionActionKind kind) {
        return kind == SessionActionKind::forward_to_client ? SessionActionKind::made_to_client : SessionActionKind::made_to_server;
    }

    std::array<SessionAction, capacity> items_;
    int count_ = 0;
    std::string made_;    // its memory is used again
};

}  // namespace pgweir
