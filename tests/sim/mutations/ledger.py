"""The replies that a server owes."""

from .mutation import mutation

REPLY_LEDGER_CPP = "routing/reply_ledger.cpp"
REPLY_LEDGER_HPP = "routing/reply_ledger.hpp"

MUTATIONS = (
    mutation("check-in one reply early",
        (REPLY_LEDGER_HPP, "return (count_ | (state_", "return ((count_ > 1 ? 1 : 0) | (state_")),
    mutation("a Sync read past by COPY is waited for",
        (REPLY_LEDGER_CPP,
         "        ++voided_syncs_;\n"
         "        return;\n",
         "        ++voided_syncs_;\n")),
    mutation("… also one sent before the COPY began",
        (REPLY_LEDGER_CPP, "        if (!done && entry.kind == RequestKind::sync) {", "        if (false) {")),
    mutation("after an error the ledger stops at a Query",
        (REPLY_LEDGER_CPP,
         "while (count_ > 0 && at(0).kind != RequestKind::sync) {",
         "while (count_ > 0 && !ends_with_ready(at(0).kind)) {")),
    mutation("requests are counted while the server skips",
        (REPLY_LEDGER_CPP, "    if (is(skipping) && kind != RequestKind::sync) return;\n", "    if (is(skipping) && kind == RequestKind::query) return;\n")),
    mutation("of Syncs sent at once only the last is counted",
        (REPLY_LEDGER_HPP,
         "        note_sent(kind);\n",
         "        note_sent(kind);\n"
         "        if (kind == RequestKind::sync && count_ > 0 && at(count_ - 1).kind == kind) return;\n")),
    mutation("a COPY that failed at its start leaves no doubt",
        (REPLY_LEDGER_CPP, "uncertain_syncs_ = is(copy_open) ? voided_syncs_ : 0;", "uncertain_syncs_ = 0;")),
    mutation("CopyDone before the COPY began is forgotten",
        (REPLY_LEDGER_CPP,
         "        else if (count_ > 0)\n"
         "            append({kind, disposition, effects});    // a COPY may be about to start\n",
         "")),
    mutation("an error does not end a COPY",
        (REPLY_LEDGER_CPP,
         "    clear(copying_in | copy_open);\n"
         "    head_answered_ = true;\n",
         "    head_answered_ = true;\n")),
    mutation("a ReadyForQuery before its answer is taken for a Query's",
        (REPLY_LEDGER_CPP,
         "const bool fits = owed && (at(0).kind == RequestKind::sync || head_answered_);",
         "const bool fits = owed;")),
    mutation("an error leaves nothing to skip",
        (REPLY_LEDGER_CPP,
         "    set(skipping);\n"
         "    clear(unsynced);\n",
         "    clear(unsynced);\n")),
    mutation("a Sync does not end the skipping",
        (REPLY_LEDGER_CPP, "    clear(skipping);\n    note_sent", "    note_sent")),
    mutation("a Flush-only series owes nothing",
        (REPLY_LEDGER_HPP, "if (!ends_with_ready(kind)) return set(unsynced);", "if (!ends_with_ready(kind)) return;")),
    mutation("the ledger forgets when it grows",
        (REPLY_LEDGER_CPP,
         "    for (std::uint32_t i = 0; i < count_; ++i) larger[i] = at(i);\n",
         "    for (std::uint32_t i = 1; i < count_; ++i) larger[i] = at(i);\n")),
    mutation("doubt outlives the next reply",
        (REPLY_LEDGER_CPP,
         "    uncertain_syncs_ = 0;    // replies come in order: whatever an earlier Sync had to say has been said\n",
         "")),
)
