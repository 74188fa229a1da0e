// Prepared statements of clients on servers that they share: names, injections, answers at their place, errors in the middle.
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/row_description.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/routing/prepared_messages.hpp"

namespace pgweir::test {
TEST_CASE("a statement has its own name on the server, and is known there the next time") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        CHECK(script.session().statement_count() == 1);
        CHECK(script.server().statements.size() == 1);
        script.client_sends(bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(bind_on(script, "select 1"), execute(), sync);
        script.server_sends(run_replies, ready).expect_check_in().expect_client_gets(run_replies, ready);
        CHECK(script.counters().client_parses.get() == 1);
        CHECK(script.counters().server_parses.get() == 1);
        CHECK(script.counters().binds.get() == 1);
    });
}

TEST_CASE("a server that lacks the statement is told it with the client's own message") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.use_other_server();
        script.client_sends(bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(parse_on(script, "select 1"), bind_on(script, "select 1"), execute(), sync);
        script.server_sends(parse_complete, run_replies, ready).expect_check_in().expect_client_gets(run_replies, ready);
        script.client_sends(describe_of("a"), sync).expect_check_out();
        script.expect_forwarded(describe_of(name_of(script, "select 1")), sync);
        script.server_sends(described, ready).expect_check_in().expect_client_gets(described, ready);
    });
}

TEST_CASE("a statement that the server has is answered at its place in the stream") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(bind_of("a"), execute(), parse_of("b", "select 1"), bind_of("b"), execute(), sync).expect_check_out();
        script.expect_forwarded(bind_on(script, "select 1"), execute(), bind_on(script, "select 1"), execute(), sync);
        script.server_sends(run_replies, run_replies, ready).expect_check_in();
        script.expect_client_gets(run_replies, parse_complete, run_replies, ready);
        CHECK(script.session().statement_count() == 2);
        CHECK(script.server().statements.size() == 1);
    });
}

TEST_CASE("an answer that is due comes before news from the server") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(parse_of("b", "select 1"), sync).expect_check_out();
    script.server_sends(parameter("DateStyle", "German"), ready).expect_check_in();
    script.expect_client_gets(parse_complete, parameter("DateStyle", "German"), ready);
}

TEST_CASE("Close is answered, and only this client forgets") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(close_of("a"), close_of("never heard of"), sync).expect_check_out().expect_forwarded(sync);
        script.server_sends(ready).expect_check_in().expect_client_gets(close_complete, close_complete, ready);
        CHECK(script.session().statement_count() == 0);
        CHECK(script.server().statements.size() == 1);
        // The server has no such name, and says so itself.
        script.client_sends(bind_of("a"), sync).expect_check_out().expect_forwarded(bind_of("a"), sync);
        script.server_sends(error("26000"), ready).expect_check_in().expect_client_gets(error("26000"), ready);
    });
}

TEST_CASE("answers do not wait for a server that has nothing to say") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(parse_of("b", "select 1"), flush_request);
        script.expect({"check out"}).grant();
        script.expect({"check in"}).expect_client_gets(parse_complete);
        script.client_sends(close_of("b"), close_of("b"));
        script.expect({"check out"}).grant();
        script.expect({"check in"}).expect_client_gets(close_complete, close_complete);
        script.client_sends(sync).expect_check_out().server_sends(ready).expect_check_in().expect_client_gets(ready);
    });
}

TEST_CASE("a name that is taken is refused in PostgreSQL's words, and the session lives on") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(parse_of("a", "select 2"), bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(close_of("pgweir_taken"), parse_of("pgweir_taken", ""), parse_of("pgweir_taken", "select 2"),
                                bind_on(script, "select 1"), execute(), sync);
        script.server_sends(close_complete, parse_complete, error("42P05"), ready).expect_check_in();
        script.expect_client_gets(told(Fault::statement_name_taken, "a"), ready);
        script.forget();
        script.client_sends(bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(bind_on(script, "select 1"), execute(), sync);
        script.server_sends(run_replies, ready).expect_check_in();
    });
}

TEST_CASE("what is wrong with the text comes before what is wrong with the name") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(parse_of("a", "selec"), sync).expect_check_out();
        script.server_sends(close_complete, parse_complete, error("42601"), ready).expect_check_in();
        script.expect_client_gets(error("42601"), ready);
        CHECK(script.session().statement_count() == 1);
    });
}

TEST_CASE("a failed transaction refuses a Parse, of a statement that the server has too") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(query("broken")).expect_check_out();
        script.server_sends(error(), ready_failed).expect_no_check_in().forget();
        script.client_sends(parse_of("b", "select 1"), sync).expect_forwarded(parse_on(script, "select 1"), sync);
        script.server_sends(error("25P02"), ready_failed).expect_no_check_in().expect_client_gets(error("25P02"), ready_failed);
        CHECK(script.session().statement_count() == 1);
        CHECK(script.server().statements.size() == 1);
        // Behind a ROLLBACK nobody knows yet how it stands.
        script.forget();
        script.client_sends(query("rollback"), parse_of("b", "select 1"), sync);
        script.expect_forwarded(query("rollback"), close_of(name_of(script, "select 1")), parse_on(script, "select 1"), sync);
        script.server_sends(complete("ROLLBACK"), ready, close_complete, parse_complete, ready).expect_check_in();
        script.expect_client_gets(complete("ROLLBACK"), ready, parse_complete, ready);
    });
}

TEST_CASE("a Parse that fails prepares nothing") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(parse_of("a", "selec"), sync).expect_check_out();
        script.server_sends(error("42601"), ready).expect_check_in().expect_client_gets(error("42601"), ready);
        CHECK(script.session().statement_count() == 0);
        CHECK(script.server().statements.size() == 0);
        script.forget();
        prepare(script, "a", "select 1");
    });
}

TEST_CASE("what an error skips has not happened") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(execute(), parse_of("b", "select 1"), parse_of("c", "select 2"), close_of("a"), sync).expect_check_out();
        script.server_sends(error("34000"), ready).expect_check_in().expect_client_gets(error("34000"), ready);
        CHECK(script.session().statement_count() == 1);
        CHECK(script.server().statements.size() == 1);
        script.forget();
        script.client_sends(bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(bind_on(script, "select 1"), execute(), sync);
        script.server_sends(run_replies, ready).expect_check_in();
    });
}

TEST_CASE("an injected Parse that fails is the client's error") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.use_other_server();
        script.client_sends(bind_of("a"), execute(), sync).expect_check_out();
        script.server_sends(error("42P01"), ready).expect_check_in().expect_client_gets(error("42P01"), ready);
        CHECK(script.server().statements.size() == 0);
    });
}

TEST_CASE("a later series waits for what the earlier one decides") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(parse_of("a", "select 1"), sync, bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(parse_on(script, "select 1"), sync);
        script.server_sends(parse_complete);
        script.expect_forwarded(bind_on(script, "select 1"), execute(), sync);
        script.server_sends(ready, run_replies, ready).expect_check_in();
        script.expect_client_gets(parse_complete, ready, run_replies, ready);
    });
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(parse_of("a", "selec"), sync, bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(parse_on(script, "selec"), sync);
        script.server_sends(error("42601"));
        script.expect_forwarded(bind_of("a"), execute(), sync);
        script.server_sends(ready, error("26000"), ready).expect_check_in();
    });
}

TEST_CASE("the least used statement makes room on a full server") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking(2));
        prepare(script, "a", "select 1");
        prepare(script, "b", "select 2");
        script.client_sends(parse_of("c", "select 3"), sync).expect_check_out();
        script.expect_forwarded(close_of(name_of(script, "select 1")), parse_on(script, "select 3"), sync);
        script.server_sends(close_complete, parse_complete, ready).expect_check_in().expect_client_gets(parse_complete, ready);
        CHECK(script.server().statements.size() == 2);
        CHECK(script.session().statement_count() == 3);
        script.client_sends(bind_of("a"), execute(), sync).expect_check_out();
        script.expect_forwarded(close_of(name_of(script, "select 2")), parse_on(script, "select 1"), bind_on(script, "select 1"), execute(), sync);
        script.server_sends(close_complete, parse_complete, run_replies, ready).expect_check_in().expect_client_gets(run_replies, ready);
    });
}

TEST_CASE("what follows a DEALLOCATE ALL that comes in pieces waits for its end") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    const std::string forget = query("deallocate all" + std::string(2000, ' '));
    script.client_sends(query("one")).expect_check_out();
    script.client_sends(forget.substr(0, 9));
    script.client_sends(forget.substr(9) + bind_of("a") + execute() + sync).expect_forwarded(query("one"), forget);
    script.server_sends(complete("1"), ready, complete("DEALLOCATE ALL"), ready).expect({"check in", "check out"}).grant();
    CHECK(script.to_server().ends_with(bind_of("a") + execute() + sync));
}

TEST_CASE("DEALLOCATE ALL and DISCARD ALL are understood by their tags") {
    for (const char* sql : {"DEALLOCATE ALL", "discard all"}) {
        const std::string tag = sql[0] == 'D' ? "DEALLOCATE ALL" : "DISCARD ALL";
        at_every_cut([&](SessionScript& script) {
            script.under(tracking());
            prepare(script, "a", "select 1");
            script.client_sends(query(sql)).expect_check_out().expect_forwarded(query(sql));
            script.server_sends(complete(tag), ready).expect_check_in().expect_client_gets(complete(tag), ready);
            CHECK(script.session().statement_count() == 0);
            CHECK(script.server().statements.size() == 0);
        });
        at_every_cut([&](SessionScript& script) {
            script.under(tracking());
            prepare(script, "a", "select 1");
            script.client_sends(parse_of("", sql), bind_of(""), execute(), parse_of("a", "select 1"), sync).expect_check_out();
            script.expect_forwarded(parse_of("", sql), bind_of(""), execute(), close_of(name_of(script, "select 1")),
                                    parse_on(script, "select 1"), sync);
            script.server_sends(parse_complete, bind_complete, complete(tag), close_complete, parse_complete, ready).expect_check_in();
            script.expect_client_gets(parse_complete, bind_complete, complete(tag), parse_complete, ready);
            CHECK(script.session().statement_count() == 1);
            CHECK(script.server().statements.size() == 1);
        });
    }
}

TEST_CASE("the server's reset query drops what it had") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.server().begin_own_query();
    const std::string replies = complete("DISCARD ALL") + ready;
    Bytes rest = replies;
    CHECK(script.server().on_unlinked_bytes(rest) == UnlinkedEvent::done);
    CHECK(script.server().statements.size() == 0);
    CHECK(script.session().statement_count() == 1);
}

TEST_CASE("a client lost in a series with answers costs no server") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(bind_of("a"), parse_of("b", "select 1")).expect({"check out"}).grant();
    script.expect_forwarded(bind_on(script, "select 1"));
    script.lose_client();
    script.expect_forwarded(sync);
    script.server_sends(bind_complete, ready).expect_left();
}

TEST_CASE("where a series before it is unanswered, the server gives the answer its place") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(query("one"), close_of("a"), close_of("b"), sync).expect_check_out();
        script.expect_forwarded(query("one"), close_of("pgweir_absent"), close_of("pgweir_absent"), sync);
        script.server_sends(complete("1"), ready, close_complete, close_complete, ready).expect_check_in();
        script.expect_client_gets(complete("1"), ready, close_complete, close_complete, ready);
        CHECK(script.session().statement_count() == 0);
    });
}

TEST_CASE("a COPY that fails at its start leaves no answer of ours in doubt") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(parse(), bind(), execute(), sync).expect_check_out();
        script.server_sends(parse_complete, bind_complete, copy_in_response).forget();
        script.client_sends(copy_row("1"), copy_done, sync).server_sends(error());
        // The first Sync may have been read past, or not: a reply of another kind tells.
        script.client_sends(close_of("a"), sync);
        CHECK(script.to_server().ends_with(close_of("pgweir_absent") + sync));
        script.server_sends(ready, ready, close_complete, ready).expect_check_in();
        script.expect_client_gets(error(), ready, ready, close_complete, ready);
    });
}

TEST_CASE("a series that goes on and on is asked for its replies") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(bind_of("a")).expect_check_out().forget();
    std::string many;
    for (int i = 0; i < 5000; ++i) many += close_of("nothing");
    script.client_sends(many);
    CHECK(script.to_server() == flush_request);
    script.server_sends(bind_complete);
    std::string answers = bind_complete;
    for (int i = 0; i < 5000; ++i) answers += close_complete;
    script.expect_client_gets(answers);
    script.client_sends(sync).server_sends(ready).expect_check_in();
}

TEST_CASE("an answer does not go into the middle of a server's message") {
    const std::string rows = to_message(backend::RowDescription{});
    for (const Bytes asked : {Bytes(), Bytes(flush_request)}) {
        SessionScript script;
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(describe_of("a")).expect_check_out();
        script.server_sends(to_message(backend::ParameterDescription{}), Bytes(rows).substr(0, 6)).forget();
        script.client_sends(close_of("a"), asked).expect_client_gets();
        script.server_sends(Bytes(rows).substr(6)).expect_client_gets(Bytes(rows).substr(6), close_complete);
    }
}

TEST_CASE("… nor of a notice") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(query("begin")).expect_check_out().server_sends(complete("BEGIN"), ready_in_transaction).forget();
    const std::string news = notice();
    script.server_sends(Bytes(news).substr(0, 9)).client_sends(close_of("a")).expect_client_gets(Bytes(news).substr(0, 9));
    script.server_sends(Bytes(news).substr(9)).expect_client_gets(Bytes(news).substr(9), close_complete);
}

TEST_CASE("… nor behind the server's last word") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(query("begin")).expect_check_out().server_sends(complete("BEGIN"), ready_in_transaction, fatal()).forget();
    script.client_sends(close_of("a")).expect_client_gets();
    script.lose_server().expect_fault(Fault::none);
}

TEST_CASE("a client that has been answered by us is idle in its transaction again") {
    SessionPolicy policy = tracking();
    policy.query_timeout = std::chrono::seconds(1);
    policy.idle_transaction_timeout = std::chrono::seconds(10);
    SessionScript script;
    script.under(policy);
    prepare(script, "a", "select 1");
    script.client_sends(query("begin")).expect_check_out().server_sends(complete("BEGIN"), ready_in_transaction);
    script.client_sends(close_of("a")).wait(std::chrono::seconds(9)).expect_no_check_in();
    script.wait(std::chrono::seconds(1)).expect_both_closed(Fault::idle_transaction_timeout);
}

TEST_CASE("a name of a megabyte works, one beyond all bounds ends the session") {
    SessionScript script;
    script.under(tracking());
    const std::string name(1 << 20, 'n');
    prepare(script, name, "select 1");
    script.client_sends(bind_of(name), sync).expect_check_out().expect_forwarded(bind_on(script, "select 1"), sync);
    script.server_sends(bind_complete, ready).expect_check_in();
    script.cut_at(script.bytes_given() + (4 << 20) - 1);
    script.client_sends(bind_of(std::string(5 << 20, 'n'))).expect_fault(Fault::message_too_long);
}

TEST_CASE("one client cannot prepare without end") {
    ClientStatements statements;
    StatementCatalog catalog;
    const auto statement = catalog.intern("x" + std::string("\0\0\0", 3));
    std::size_t count = 0;
    for (; statements.has_room_for("name", *statement) && count < 1'000'000; ++count)
        statements.add(std::to_string(count), statement);
    CHECK(count == ClientStatements::count_max);
    statements.clear();
    const auto large = catalog.intern(std::string(10 << 20, 'x') + std::string("\0\0\0", 3));
    for (count = 0; statements.has_room_for("name", *large) && count < 1'000; ++count) statements.add(std::to_string(count), large);
    CHECK(count == 6);
    // What is on its way counts already, and no longer when it has not come to be.
    statements.clear();
    CHECK(statements.has_room_for("name", *large));
    for (int i = 0; i < 6; ++i) statements.promise("name", *large);
    CHECK_FALSE(statements.has_room_for("name", *large));
    statements.settle("name", *large);
    CHECK(statements.has_room_for("name", *large));
    statements.add("name", large);
    CHECK_FALSE(statements.has_room_for("other", *large));
}

TEST_CASE("after `cached plan must not change result type` whoever prepares again is planned anew, on every server") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    const std::string old_name = name_of(script, "select 1");
    backend::ErrorFieldsBuilder fields;
    fields.add({'S', "ERROR"}).add({'C', "0A000"}).add({'M', "cached plan must not change result type"}).add({'R', "RevalidateCachedQuery"});
    const std::string outdated = to_message(backend::ErrorResponse{fields.view()});
    script.client_sends(bind_of("a"), execute(), sync).expect_check_out().server_sends(outdated, ready).expect_check_in();
    script.forget();
    const std::string new_name = name_of(script, "select 1");
    CHECK(new_name == old_name + "_1");
    script.client_sends(parse_of("b", "select 1"), bind_of("b"), execute(), sync).expect_check_out();
    script.expect_forwarded(parse_of(new_name, "select 1"), bind_of(new_name), execute(), sync);
    script.server_sends(parse_complete, run_replies, ready).expect_check_in().expect_client_gets(parse_complete, run_replies, ready);
    // The old name goes on to be what it was.
    script.client_sends(bind_of("a"), execute(), sync).expect_check_out().expect_forwarded(bind_of(old_name), execute(), sync);
    script.server_sends(outdated, ready).expect_check_in();
}

// What a server says to what it has been sent, but for an absent name.
std::string replies_to(Bytes sent) {
    std::string replies;
    FrameScanner scanner;
    Frame frame;
    while (scanner.next(sent, client_frames, frame) == ScanStatus::piece) {
        if (frame.type == 'B') replies += frame.body().find("pgweir_absent") == Bytes::npos ? bind_complete : error("26000");
        if (frame.type == 'P') replies += parse_complete;
        if (frame.type == 'C') replies += close_complete;
    }
    return replies;
}

TEST_CASE("a series that prepares on and on waits for replies now and then, and asks for them") {
    SessionScript script;
    script.under(tracking());
    std::string many;
    for (int i = 0; i < 1000; ++i) many += parse_of("n" + std::to_string(i), "select " + std::to_string(i));
    script.client_sends(many).expect_check_out();
    std::size_t most = 0;
    int rounds = 0;
    for (; rounds < 1000 && script.to_server().ends_with(flush_request); ++rounds) {
        most = std::max(most, script.server().statements.under_way().size());
        const std::string replies = replies_to(script.to_server());
        script.forget();
        script.server_sends(replies);
    }
    CHECK(rounds > 3);
    CHECK(rounds < 50);
    CHECK(most < 300);
    script.client_sends(sync).server_sends(replies_to(script.to_server()), ready).expect_check_in();
    CHECK(script.session().statement_count() == 1000);
}

TEST_CASE("a client that deallocates on and on waits for replies, too") {
    SessionScript script;
    script.under(tracking());
    constexpr int count = 1000;
    std::string many = parse_of("a", "select 1") + sync;
    for (int i = 0; i < count; ++i) many += query("deallocate n" + std::to_string(i));
    script.client_sends(many).expect_check_out();
    CHECK(script.server().statements.under_way().size() < 300);
    CHECK(script.to_server().find("deallocate n0") != Bytes::npos);
    CHECK(script.to_server().find("deallocate n999") == Bytes::npos);
    script.server_sends(parse_complete, ready);
    for (int i = 0; i < count && script.is_linked(); ++i) script.server_sends(error("26000"), ready);
    CHECK(script.to_server().find("deallocate n999") != Bytes::npos);
    CHECK(script.session().statement_count() == 1);
    script.expect_check_in();
}

TEST_CASE("a series cannot prepare without end either") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(bind_of("a")).expect_check_out();
    std::string many;
    for (std::size_t i = 0; i < ClientStatements::count_max; ++i) many += parse_of("n" + std::to_string(i), "select 1");
    script.client_sends(many);
    while (script.to_server().find("pgweir_absent") == Bytes::npos && !script.to_server().empty()) {
        const std::string replies = replies_to(script.to_server());
        script.forget();
        script.server_sends(replies);
    }
    CHECK(script.to_server().find("pgweir_absent") != Bytes::npos);
    script.server_sends(replies_to(script.to_server())).client_sends(sync).server_sends(ready).expect_check_in();
    CHECK(script.session().statement_count() == ClientStatements::count_max);
}

}  // namespace pgweir::test
