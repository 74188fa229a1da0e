"""Prepared statements of clients on servers that are not their own."""

from .mutation import mutation

CLIENT_SESSION_CPP = "routing/client_session.cpp"
EFFECTS_CPP = "routing/client_session_effects.cpp"
PREPARING_CPP = "routing/client_session_preparing.cpp"
SERVER_SESSION_CPP = "routing/server_session.cpp"
SERVER_STATEMENTS_CPP = "routing/server_statements.cpp"
STATEMENTS_CPP = "routing/client_session_statements.cpp"

MUTATIONS = (
    mutation("a server is not told what it lacks",
        (PREPARING_CPP,
         "    if (server.statements.use(*statement) == Presence::present) return;\n"
         "    send_parse(server, statement, out);\n",
         "    return;\n"
         "    send_parse(server, statement, out);\n")),
    mutation("a server is told again what it has",
        (PREPARING_CPP, "    if (server.statements.use(*statement) == Presence::present) return;\n", "")),
    mutation("a Parse of a text that the server has is sent",
        (STATEMENTS_CPP, "    if (is_known && !refuses && presence == Presence::present) {", "    if (false) {")),
    mutation("in a failed transaction a Parse succeeds",
        (STATEMENTS_CPP, "const bool refuses = server.transaction", "const bool refuses = false && server.transaction")),
    mutation("… and one of ROLLBACK fails",
        (STATEMENTS_CPP, "TransactionStatus::failed && !statement->ends_transaction;", "TransactionStatus::failed;")),
    mutation("a Parse counts on a transaction that may have failed",
        (STATEMENTS_CPP, "const bool is_known = server.ledger.is_caught_up();", "const bool is_known = true;")),
    mutation("a later series counts on an earlier one",
        (STATEMENTS_CPP, "        if (effect->series != server.ledger.series()) return true;\n", "")),
    mutation("what an error has skipped takes hold",
        (EFFECTS_CPP,
         "drop_effect(server.statements.take_effect(), server, i == 0 && effects.first_failed);",
         "take_effect(server.statements.take_effect(), server);")),
    mutation("a name can be taken twice",
        (STATEMENTS_CPP, "    if (statement_named(*name, server)) {", "    if (false) {")),
    mutation("a closed name is still known",
        (EFFECTS_CPP, "            if (statements_) statements_->remove(effect.name);\n", "")),
    mutation("an evicted statement is still counted on",
        (EFFECTS_CPP, "            server.statements.remove(*effect.statement);\n", "")),
    mutation("what a Parse gives a server is not remembered",
        (EFFECTS_CPP, "return server.statements.add(std::move(effect.statement));", "return;")),
    mutation("servers keep all statements that they were told",
        (SERVER_STATEMENTS_CPP, "    if (expected < static_cast<std::ptrdiff_t>(max)) return nullptr;\n", "    return nullptr;\n")),
    mutation("DISCARD ALL leaves a server's statements remembered",
        (SERVER_SESSION_CPP, "    statements.clear();\n    return true;\n", "    return true;\n")),
    mutation("… and the client's",
        (CLIENT_SESSION_CPP, "server.note_completion(frame) && statements_) statements_->clear();", "server.note_completion(frame)) {}")),
    mutation("another server has the unnamed statement too",
        (STATEMENTS_CPP, "        if (!unnamed_is_there_ && !prepare_unnamed(server, out)) {", "        if (false) {")),
    mutation("a skipped Parse of the unnamed statement undoes a later one",
        (EFFECTS_CPP, "unnamed_is_there_ && std::any_of(later.begin(), later.end(), [](const auto& other) { return other.is_about_unnamed(); });",
         "false;")),
    mutation("a Query in pieces is taken for its first one",
        (STATEMENTS_CPP, "forgetting_ = may_drop && (!frame.ends || forgets_statements(frame.body()));", "forgetting_ = forgets_statements(frame.body());"),
        (STATEMENTS_CPP, "(type == query && length > query_held_max);", "type == query;")),
    mutation("an answer of ours overtakes the server's",
        (STATEMENTS_CPP,
         "        server.ledger.push(RequestKind::parse, Disposition::answer, 1);\n",
         "        server.ledger.push(RequestKind::parse, Disposition::answer, 1);\n"
         "        out.make(Kind::made_to_client, [](std::string& bytes) { append_message(bytes, backend::ParseComplete{}); });\n")),
    mutation("an answer of ours goes into the middle of a server's message",
        (EFFECTS_CPP, "    if (server.is_between_messages()) send_answers(server, out);\n", "    send_answers(server, out);\n")),
    mutation("whoever we have answered keeps the deadline of its request",
        (EFFECTS_CPP, "    if (answers && phase_ == Phase::linked &&", "    if (false && phase_ == Phase::linked &&")),
    mutation("what waits for the end of a notice is forgotten",
        (CLIENT_SESSION_CPP, "    if (frame.begins || !frame.ends) return;\n", "    return;\n")),
)
