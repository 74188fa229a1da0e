#include "routing/reply_ledger.hpp"

#include <cassert>

namespace pgweir {

void ReplyLedger::push(RequestKind kind, Disposition disposition, std::uint16_t effects) {
    if (kind == RequestKind::copy_end) {
        if (copy_in_)
            copy_in_ = false;
        else if (count_ > 0)
            append({kind, disposition, effects});    // a COPY may be about to start
        return;
    }
    if (disposition == Disposition::answer) {
        if (!skipping_) append({kind, disposition, effects});
        return;
    }
    if (copy_in_ && kind == RequestKind::sync) {
        ++voided_syncs_;
        return;
    }
    if (ends_with_ready(kind)) {
        // A server that skips ignores a Query too: only Sync ends it ("Extended Query").
        if (skipping_ && kind != RequestKind::sync) return;
        unsynced_ = false;
        skipping_ = false;
        ++series_;
    } else {
        if (skipping_) return;
        unsynced_ = true;
    }
    append({kind, disposition, effects});
}

ReplyRoute ReplyLedger::on_reply(backend::Type type) {
    using enum backend::Type;
    if (type == ready_for_query) return settle_ready();
    if (type == error_response) return settle_error();
    if (count_ == 0) return ReplyRoute::mismatch;

    uncertain_syncs_ = 0;    // replies come in order: whatever an earlier Sync had to say has been said
    const RequestKind kind = at(0).kind;
    const bool is_query = kind == RequestKind::query;
    const bool runs = is_query || kind == RequestKind::execute;
    switch (type) {
        case parse_complete: return settle(kind == RequestKind::parse);
        case bind_complete: return settle(kind == RequestKind::bind);
        case close_complete: return settle(kind == RequestKind::close);
        case parameter_description: return stay(kind == RequestKind::describe_statement);
        case row_description:
        case no_data:
            if (is_query) return stay(type == row_description);
            return settle(kind == RequestKind::describe_statement || kind == RequestKind::describe_portal);
        case data_row:
        case copy_data:
        case copy_done:
        case copy_out_response:
        case copy_both_response: return stay(runs);
        case copy_in_response: {
            const auto route = stay(runs);
            if (route != ReplyRoute::mismatch) begin_copy_in();
            return route;
        }
        case command_complete:
        case empty_query_response:
            copy_in_ = copy_open_ = false;
            return is_query ? stay(true) : settle(kind == RequestKind::execute);
        case portal_suspended: return settle(kind == RequestKind::execute);
        case function_call_response: return stay(kind == RequestKind::function_call);
        default: return ReplyRoute::mismatch;
    }
}

std::optional<RequestKind> ReplyLedger::take_answer() {
    if (count_ == 0 || at(0).disposition != Disposition::answer) return std::nullopt;
    const RequestKind kind = at(0).kind;
    pop();
    return kind;
}

bool ReplyLedger::owes_client() const {
    for (std::uint32_t i = 0; i < count_; ++i)
        if (!is_ours(at(i)) && at(i).kind != RequestKind::copy_end) return true;
    return false;
}

bool ReplyLedger::awaits_ready() const {
    for (std::uint32_t i = 0; i < count_; ++i)
        if (ends_with_ready(at(i).kind)) return true;
    return false;
}

ReplyRoute ReplyLedger::settle_ready() {
    copy_in_ = copy_open_ = false;
    const bool owed = count_ > 0 && ends_with_ready(at(0).kind) && at(0).disposition != Disposition::answer;
    // A Query has been answered before its ReadyForQuery comes; of two Syncs nobody can say whose this is, nor need to.
    const bool fits = owed && (at(0).kind == RequestKind::sync || head_answered_);
    if (!fits && uncertain_syncs_ > 0) {
        --uncertain_syncs_;
        if (count_ == 0) skipping_ = false;
        return ReplyRoute::forward;
    }
    if (!owed) return ReplyRoute::mismatch;
    const auto route = at(0).disposition == Disposition::swallow ? ReplyRoute::swallow : ReplyRoute::forward;
    pop();
    return route;
}

ReplyRoute ReplyLedger::settle_error() {
    if (count_ == 0) return ReplyRoute::forward;    // a FATAL to an idle server, or an error while skipping
    const auto route = at(0).disposition == Disposition::swallow ? ReplyRoute::swallow : ReplyRoute::forward;
    if (at(0).kind != RequestKind::sync) uncertain_syncs_ = copy_open_ ? voided_syncs_ : 0;
    copy_in_ = copy_open_ = false;
    head_answered_ = true;
    effects_.first_failed = at(0).effects > 0;
    if (!ends_with_ready(at(0).kind)) drop_to_sync();
    return route;
}

// The head has been answered in full, if it was the kind that this reply belongs to.
ReplyRoute ReplyLedger::settle(bool expected) {
    const auto route = stay(expected);
    if (route != ReplyRoute::mismatch) pop();
    return route;
}

ReplyRoute ReplyLedger::stay(bool expected) {
    if (!expected || at(0).disposition == Disposition::answer) return ReplyRoute::mismatch;
    head_answered_ = true;
    return is_ours(at(0)) ? ReplyRoute::swallow : ReplyRoute::forward;
}

// The server now reads data. Sync messages already on their way to it are read past, up to the CopyDone or CopyFail.
void ReplyLedger::begin_copy_in() {
    copy_in_ = copy_open_ = true;
    voided_syncs_ = 0;
    std::uint32_t kept = 1;
    bool done = false;
    bool synced = false;
    for (std::uint32_t i = 1; i < count_; ++i) {
        const Entry entry = at(i);
        if (!done && entry.kind == RequestKind::sync) {
            ++voided_syncs_;
            continue;
        }
        if (!done && entry.kind == RequestKind::copy_end) {
            done = true;
            copy_in_ = false;
            continue;
        }
        synced = synced || ends_with_ready(entry.kind);
        at(kept++) = entry;
    }
    count_ = kept;
    if (voided_syncs_ > 0 && !synced) unsynced_ = at(0).kind == RequestKind::execute;
}

// PostgreSQL manual, "Extended Query": after an error the server discards messages until a Sync, so the replies to
// what was sent before it will never come.
void ReplyLedger::drop_to_sync() {
    while (count_ > 0 && at(0).kind != RequestKind::sync) {
        effects_.dropped += at(0).effects;
        drop_head();
    }
    head_answered_ = false;
    if (count_ > 0) return;
    skipping_ = true;
    unsynced_ = false;
}

void ReplyLedger::pop() {
    assert(count_ > 0);
    head_answered_ = false;
    effects_.settled += at(0).effects;
    drop_head();
    while (count_ > 0 && at(0).kind == RequestKind::copy_end) drop_head();
}

// What a huge pipeline took is not kept for as long as the server lives.
void ReplyLedger::drop_head() {
    ++head_;
    if (--count_ > 0 || capacity_ <= capacity_kept) return;
    more_.reset();
    capacity_ = static_cast<std::uint32_t>(few_.size());
    head_ = 0;
}

void ReplyLedger::append(Entry entry) {
    if (count_ == capacity_) grow();
    at(count_++) = entry;
}

void ReplyLedger::grow() {
    auto larger = std::make_unique<Entry[]>(capacity_ * 2);
    for (std::uint32_t i = 0; i < count_; ++i) larger[i] = at(i);
    more_ = std::move(larger);
    capacity_ *= 2;
    head_ = 0;
}

}  // namespace pgweir
