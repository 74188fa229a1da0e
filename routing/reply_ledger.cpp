#include "routing/reply_ledger.hpp"

#include <cassert>

namespace pgweir {

namespace {

// What a reply is to the request that it may belong to: the kinds that it answers in full, and those that go on after it.
struct ReplyRule {
    std::uint16_t settles = 0;
    std::uint16_t goes_on = 0;
};

template <class... Kinds>
constexpr std::uint16_t set_of(Kinds... kinds) {
    return static_cast<std::uint16_t>((0u | ... | (1u << static_cast<unsigned>(kinds))));
}

constexpr auto reply_rules = [] {
    using enum backend::Type;
    using enum RequestKind;
    std::array<ReplyRule, 128> rules{};
    const auto rule = [&](backend::Type type) -> ReplyRule& { return rules[static_cast<std::size_t>(type)]; };
    rule(parse_complete) = {.settles = set_of(parse)};
    rule(bind_complete) = {.settles = set_of(bind)};
    rule(close_complete) = {.settles = set_of(RequestKind::close)};
    rule(parameter_description) = {.goes_on = set_of(describe_statement)};
    rule(row_description) = {.settles = set_of(describe_statement, describe_portal), .goes_on = set_of(query)};
    rule(no_data) = {.settles = set_of(describe_statement, describe_portal)};
    for (const auto type : {data_row, copy_data, copy_done, copy_in_response, copy_out_response, copy_both_response})
        rule(type) = {.goes_on = set_of(query, execute)};
    for (const auto type : {command_complete, empty_query_response}) rule(type) = {.settles = set_of(execute), .goes_on = set_of(query)};
    rule(portal_suspended) = {.settles = set_of(execute)};
    rule(function_call_response) = {.goes_on = set_of(function_call)};
    return rules;
}();

}  // namespace

void ReplyLedger::push_otherwise(RequestKind kind, Disposition disposition, std::uint16_t effects) {
    if (kind == RequestKind::copy_end) {
        if (is(copying_in))
            clear(copying_in);
        else if (count_ > 0)
            append({kind, disposition, effects});    // a COPY may be about to start
        return;
    }
    if (disposition == Disposition::answer) {
        if (!is(skipping)) append({kind, disposition, effects});
        return;
    }
    if (is(copying_in) && kind == RequestKind::sync) {
        ++voided_syncs_;
        return;
    }
    // A server that skips ignores a Query too: only Sync ends it ("Extended Query").
    if (is(skipping) && kind != RequestKind::sync) return;
    clear(skipping);
    note_sent(kind);
    append({kind, disposition, effects});
}

ReplyRoute ReplyLedger::on_reply(backend::Type type) {
    using enum backend::Type;
    if (type == ready_for_query) return settle_ready();
    if (type == error_response) return settle_error();
    if (count_ == 0) return ReplyRoute::mismatch;

    uncertain_syncs_ = 0;    // replies come in order: whatever an earlier Sync had to say has been said
    const Entry head = at(0);
    const ReplyRule rule = reply_rules[static_cast<unsigned char>(type) & 127];
    const unsigned kind = 1u << static_cast<unsigned>(head.kind);
    if (type == command_complete || type == empty_query_response) clear(copying_in | copy_open);
    if (((rule.settles | rule.goes_on) & kind) == 0 || head.disposition == Disposition::answer) return ReplyRoute::mismatch;
    if ((rule.settles & kind) != 0) {
        pop();
    } else {
        head_answered_ = true;
        if (type == copy_in_response) begin_copy_in();
    }
    return is_ours(head) ? ReplyRoute::swallow : ReplyRoute::forward;
}

std::optional<RequestKind> ReplyLedger::take_answer() {
    if (count_ == 0 || at(0).disposition != Disposition::answer) return std::nullopt;
    const RequestKind kind = at(0).kind;
    --answers_;
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
    clear(copying_in | copy_open);
    const bool owed = count_ > 0 && ends_with_ready(at(0).kind) && at(0).disposition != Disposition::answer;
    // A Query has been answered before its ReadyForQuery comes; of two Syncs nobody can say whose this is, nor need to.
    const bool fits = owed && (at(0).kind == RequestKind::sync || head_answered_);
    if (!fits && uncertain_syncs_ > 0) {
        --uncertain_syncs_;
        if (count_ == 0) clear(skipping);
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
    if (at(0).kind != RequestKind::sync) uncertain_syncs_ = is(copy_open) ? voided_syncs_ : 0;
    clear(copying_in | copy_open);
    head_answered_ = true;
    effects_.first_failed = at(0).effects > 0;
    if (!ends_with_ready(at(0).kind)) drop_to_sync();
    return route;
}

// The server now reads data. Sync messages already on their way to it are read past, up to the CopyDone or CopyFail.
void ReplyLedger::begin_copy_in() {
    set(copying_in | copy_open);
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
            clear(copying_in);
            continue;
        }
        synced = synced || ends_with_ready(entry.kind);
        at(kept++) = entry;
    }
    count_ = kept;
    if (voided_syncs_ == 0 || synced) return;
    if (at(0).kind == RequestKind::execute)
        set(unsynced);
    else
        clear(unsynced);
}

// PostgreSQL manual, "Extended Query": after an error the server discards messages until a Sync, so the replies to
// what was sent before it will never come.
void ReplyLedger::drop_to_sync() {
    while (count_ > 0 && at(0).kind != RequestKind::sync) {
        effects_.dropped += at(0).effects;
        if (at(0).disposition == Disposition::answer) --answers_;
        drop_head();
    }
    head_answered_ = false;
    if (count_ > 0) return;
    set(skipping);
    clear(unsynced);
}

void ReplyLedger::pop() {
    assert(count_ > 0);
    head_answered_ = false;
    effects_.settled += at(0).effects;
    drop_head();
    while (count_ > 0 && at(0).kind == RequestKind::copy_end) drop_head();
}

void ReplyLedger::drop_head() {
    ++head_;
    if (--count_ == 0 && capacity_ > capacity_kept) give_back_memory();
}

// What a huge pipeline took is not kept for as long as the server lives.
void ReplyLedger::give_back_memory() {
    more_.reset();
    places_ = few_.data();
    capacity_ = static_cast<std::uint32_t>(few_.size());
    head_ = 0;
}

void ReplyLedger::grow() {
    auto larger = std::make_unique<Entry[]>(capacity_ * 2);
    for (std::uint32_t i = 0; i < count_; ++i) larger[i] = at(i);
    more_ = std::move(larger);
    places_ = more_.get();
    capacity_ *= 2;
    head_ = 0;
}

}  // namespace pgweir
