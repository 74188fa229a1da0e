// The replies that a server connection still owes, in order: which go to the client, which are swallowed because the
// request was ours, and which we answer ourselves at their place in the stream.
//
// Promises: `is_settled()` only when every request that the server will answer has been answered: every Query and Sync
//           has its ReadyForQuery, nothing was sent since the last Sync, nothing is being skipped.
// Follows PostgreSQL's own rules: after an error in the extended protocol the server skips to Sync ("Extended Query");
//           in COPY IN it reads past Sync and Flush ("COPY Operations"); CopyDone after an error owes nothing.
// A reply that fits no request is reported, never guessed: the pairing is lost and the connection must be closed.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "protocol/message_type.hpp"

namespace pgweir {

enum class RequestKind : std::uint8_t {
    query, function_call, sync,                                            // owe a ReadyForQuery
    parse, bind, describe_statement, describe_portal, execute, close,      // owe a message of their own
    copy_end,                                                              // CopyDone or CopyFail: owes nothing, marks a place
};

enum class Disposition : std::uint8_t {
    forward,    // the client's request: its replies are the client's
    swallow,    // ours: nobody hears of it
    inject,     // ours, so that the client's next one works: nobody hears of it unless it fails, and that is the client's error
    answer,     // the server never sees it: we answer at its place
};

// What to do with a message from the server.
enum class ReplyRoute : std::uint8_t { forward, swallow, mismatch };

class ReplyLedger {
public:
    ReplyLedger() = default;
    ReplyLedger(const ReplyLedger&) = delete;
    ReplyLedger& operator=(const ReplyLedger&) = delete;

    // A request goes to the server, or would have gone and is answered here. `effects`: how many things the caller has
    // noted to hold once it has succeeded.
    void push(RequestKind kind, Disposition disposition = Disposition::forward, std::uint16_t effects = 0) {
        if (((state_ & ~unsynced) != 0) || disposition == Disposition::answer || kind == RequestKind::copy_end)
            return push_otherwise(kind, disposition, effects);
        note_sent(kind);
        append({kind, disposition, effects});
    }

    // A message from the server begins; `type` is its type byte. Asynchronous messages (notice, notification, parameter
    // status) never come here. An ErrorResponse settles what it ends.
    ReplyRoute on_reply(backend::Type type);

    // `take_answer` or `take_effects` may have something.
    bool has_due() const { return (effects_.settled | effects_.dropped | answers_) != 0; }
    // The request whose answer is due now, taken off the ledger. Call before a message from the server is looked at and
    // after it, and when the client wants to have what is there (Flush).
    std::optional<RequestKind> take_answer();

    // Effects of requests that have succeeded, and of requests that have failed or will never be looked at, since last
    // asked; in the order of their pushes, and never both.
    struct Effects {
        std::uint32_t settled = 0;
        std::uint32_t dropped = 0;
        bool first_failed = false;    // the first one dropped is of the request that failed
    };
    Effects take_effects() { return std::exchange(effects_, {}); }
    bool has_effects() const { return effects_.settled + effects_.dropped > 0; }
    // The oldest request has some.
    bool head_has_effects() const { return count_ > 0 && at(0).effects > 0; }

    // Counts the series, each ended by a Sync or Query: what comes after an end is looked at even if something before it
    // has failed.
    std::uint32_t series() const { return series_; }

    bool is_settled() const { return (count_ | (state_ & (unsynced | skipping | copying_in))) == 0; }
    bool empty() const { return count_ == 0; }
    // Places that memory is held for.
    std::uint32_t capacity() const { return capacity_; }

    // Messages were sent that no Sync or Query follows yet: a Sync makes the server answer.
    bool needs_sync() const { return (state_ & (unsynced | skipping)) != 0; }
    // The server is reading COPY data; `copy_in_is_extended`: it will then skip to a Sync.
    bool copy_in() const { return is(copying_in); }
    // The server reads past everything up to a Sync that has not been sent.
    bool is_skipping() const { return is(skipping); }
    bool copy_in_is_extended() const { return copy_in() && count_ > 0 && at(0).kind == RequestKind::execute; }
    // A ReadyForQuery may still come that nothing here waits for: a COPY failed, and only the server knows whether it had
    // read past the Syncs that were sent before its end. The next reply of another kind tells; until then the server must
    // not be given to another client.
    bool is_uncertain() const { return uncertain_syncs_ > 0; }
    // The oldest request is ours, or the client's.
    bool head_is_swallowed() const { return count_ > 0 && at(0).disposition == Disposition::swallow; }
    // A Query of the client's without effects is being answered and no COPY IN is under way: its messages need no decision
    // up to its end.
    bool answers_plain_query() const { return count_ > 0 && at(0) == plain_query && !is(copy_open); }
    // A request of the client's is unanswered.
    bool owes_client() const;
    // A ReadyForQuery is to come before what is sent now is looked at.
    bool awaits_ready() const;
    // … or may be: only when it is not, what the last one said still holds and an answer of ours is sure of its place.
    bool is_caught_up() const { return !is_uncertain() && !is(copy_open) && !awaits_ready(); }
    // Requests that have not been answered.
    std::uint32_t size() const { return count_; }

private:
    struct Entry {
        RequestKind kind;
        Disposition disposition;
        std::uint16_t effects;

        friend bool operator==(Entry a, Entry b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }
    };
    static constexpr Entry plain_query{RequestKind::query, Disposition::forward, 0};

    // What `state_` is made of.
    enum State : std::uint32_t {
        unsynced = 1,
        skipping = 2,      // the server ignores everything up to a Sync that is not sent yet
        copying_in = 4,    // until its end is sent …
        copy_open = 8,     // … and until it is known how it ended
    };
    bool is(State state) const { return (state_ & state) != 0; }
    void set(std::uint32_t states) { state_ |= states; }
    void clear(std::uint32_t states) { state_ &= ~states; }

    static constexpr bool ends_with_ready(RequestKind kind) { return kind <= RequestKind::sync; }

    static bool is_ours(const Entry& entry) {
        return entry.disposition == Disposition::swallow || entry.disposition == Disposition::inject;
    }

    Entry& at(std::uint32_t i) { return places_[(head_ + i) & (capacity_ - 1)]; }
    const Entry& at(std::uint32_t i) const { return places_[(head_ + i) & (capacity_ - 1)]; }

    static constexpr std::uint32_t capacity_kept = 4096;    // more is given back as soon as all is answered

    void note_sent(RequestKind kind) {
        if (!ends_with_ready(kind)) return set(unsynced);
        clear(unsynced);
        ++series_;
    }
    void append(Entry entry) {
        if (count_ == capacity_) grow();
        at(count_++) = entry;
        if (entry.disposition == Disposition::answer) ++answers_;
    }
    void push_otherwise(RequestKind kind, Disposition disposition, std::uint16_t effects);
    void pop();
    void drop_head();
    void give_back_memory();
    void grow();
    ReplyRoute settle_ready();
    ReplyRoute settle_error();
    void begin_copy_in();
    void drop_to_sync();

    std::array<Entry, 16> few_;
    std::unique_ptr<Entry[]> more_;
    Entry* places_ = few_.data();
    std::uint32_t capacity_ = 16;
    std::uint32_t head_ = 0;
    std::uint32_t count_ = 0;
    std::uint32_t state_ = 0;
    Effects effects_;
    std::uint32_t answers_ = 0;            // of ours, among the entries
    std::uint32_t series_ = 0;
    std::uint32_t voided_syncs_ = 0;       // sent before the end of this COPY IN, which reads past them
    std::uint32_t uncertain_syncs_ = 0;    // of those, the ones that a failed COPY may have left unread
    bool head_answered_ = false;           // a message has come for the oldest request
};

}  // namespace pgweir
