// SQL's DEALLOCATE of statements that were prepared by the protocol: in a Query, and as the unnamed statement.
#include "tests/support/catch.hpp"
#include "tests/unit/routing/prepared_messages.hpp"

namespace pgweir::test {
namespace {

std::string dropping_by(Bytes sql) { return close_of("pgweir_taken") + parse_of("pgweir_taken", "") + query(sql); }
const std::string dropping = dropping_by("deallocate pgweir_taken");
const std::string dropped = close_complete + parse_complete + complete("DEALLOCATE") + ready;
const std::string drop_unnamed = close_of("pgweir_taken") + parse_of("pgweir_taken", "") + parse_of("", "deallocate pgweir_taken");
const std::string drop_run = bind() + execute() + sync;

}  // namespace

TEST_CASE("SQL's DEALLOCATE of a statement of the protocol makes the client forget it, not the server") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "My stmt", "select 1");
        script.client_sends(query("DEALLOCATE PREPARE \"My stmt\";")).expect_check_out().expect_forwarded(dropping_by("deallocate pgweir_taken;"));
        script.server_sends(dropped).expect_check_in().expect_client_gets(complete("DEALLOCATE"), ready);
        CHECK(script.session().statement_count() == 0);
        CHECK(script.server().statements.size() == 1);
        // The name is free again.
        script.client_sends(parse_of("My stmt", "select 1"), sync).expect_check_out().expect_forwarded(sync);
        script.server_sends(ready).expect_check_in().expect_client_gets(parse_complete, ready);
    });
}

TEST_CASE("a DEALLOCATE between other statements of a Query is found, and they stay") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "A", "select 1");
    script.client_sends(query("SAVEPOINT s;DEALLOCATE \"A\";RELEASE s")).expect_check_out();
    script.expect_forwarded(dropping_by("SAVEPOINT s;deallocate pgweir_taken;RELEASE s"));
    const std::string replies = complete("SAVEPOINT") + complete("DEALLOCATE") + complete("RELEASE") + ready;
    script.server_sends(close_complete, parse_complete, replies).expect_check_in().expect_client_gets(replies);
    CHECK(script.session().statement_count() == 0);
}

TEST_CASE("in a failed transaction DEALLOCATE fails as the server says, and the statement stays") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    script.client_sends(query("deallocate a")).expect_check_out();
    script.server_sends(close_complete, parse_complete, error("25P02"), ready).expect_check_in().expect_client_gets(error("25P02"), ready);
    CHECK(script.session().statement_count() == 1);
}

TEST_CASE("DEALLOCATE of what the protocol has not prepared is the server's") {
    SessionScript script;
    script.under(tracking());
    prepare(script, "a", "select 1");
    for (const char* sql : {"deallocate b", "deallocate \"A\"", "deallocate a; select '1'", "prepare a as select 1"}) {
        script.client_sends(query(sql)).expect_check_out().expect_forwarded(query(sql));
        script.server_sends(complete("DEALLOCATE"), ready).expect_check_in().expect_client_gets(complete("DEALLOCATE"), ready);
        CHECK(script.session().statement_count() == 1);
    }
}

TEST_CASE("a DEALLOCATE waits for the Parse of an earlier series") {
    SessionScript script;
    script.under(tracking());
    script.client_sends(parse_of("a", "select 1"), sync, query("deallocate a")).expect_check_out();
    script.expect_forwarded(parse_on(script, "select 1"), sync);
    script.server_sends(parse_complete, ready).expect({"check in", "check out"}).grant().expect_forwarded(dropping);
    script.server_sends(dropped).expect_check_in();
    CHECK(script.session().statement_count() == 0);
}

TEST_CASE("a DEALLOCATE by the extended protocol drops when it is run") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        prepare(script, "_pg3_0", "select 1");
        script.client_sends(parse_of("", "DEALLOCATE _pg3_0"), bind(), execute(), sync).expect_check_out();
        script.expect_forwarded(close_of("pgweir_taken"), parse_of("pgweir_taken", ""), parse_of("", "deallocate pgweir_taken"), bind(), execute(), sync);
        script.server_sends(close_complete, parse_complete, parse_complete, bind_complete, complete("DEALLOCATE"), ready).expect_check_in();
        script.expect_client_gets(parse_complete, bind_complete, complete("DEALLOCATE"), ready);
        CHECK(script.session().statement_count() == 0);
        script.client_sends(query("one")).expect_check_out().server_sends(complete("1"), ready).expect_check_in();
    });
}

TEST_CASE("an unnamed DEALLOCATE waits for what an earlier series makes of the name") {
    SessionScript failing;
    failing.under(tracking());
    failing.client_sends(parse_of("a", "selec 1"), sync, parse_of("", "deallocate a"), drop_run).expect_check_out();
    failing.expect_forwarded(parse_on(failing, "selec 1"), sync);
    failing.server_sends(error("42601"), ready).expect({"check in", "check out"}).grant();
    failing.expect_forwarded(parse_of("", "deallocate a"), drop_run);    // the server knows no such name either
    failing.server_sends(parse_complete, bind_complete, error("26000"), ready).expect_check_in();
    failing.expect_client_gets(error("42601"), ready, parse_complete, bind_complete, error("26000"), ready);

    SessionScript kept;
    kept.under(tracking());
    prepare(kept, "a", "select 1");
    kept.client_sends(parse_of("b", "selec 1"), close_of("a"), sync, parse_of("", "deallocate a"), drop_run).expect_check_out().forget();
    kept.server_sends(error("42601"), ready).expect({"check in", "check out"}).grant().expect_forwarded(drop_unnamed, drop_run);
    kept.server_sends(close_complete, parse_complete, parse_complete, bind_complete, complete("DEALLOCATE"), ready).expect_check_in();
    CHECK(kept.session().statement_count() == 0);
}

TEST_CASE("an unnamed DEALLOCATE is told again in a later transaction, and after one that was skipped") {
    for (const bool is_skipped : {false, true}) {
        SessionScript script;
        script.under(tracking());
        prepare(script, "a", "select 1");
        script.client_sends(parse_of("", "deallocate a"), sync).expect_check_out().expect_forwarded(drop_unnamed, sync);
        script.server_sends(close_complete, parse_complete, parse_complete, ready).expect_check_in();
        if (is_skipped)
            script.client_sends(parse_of("b", "selec 1"), parse_of("", "select 5"), sync).expect_check_out().server_sends(error("42601"), ready).expect_check_in();
        script.forget();
        script.client_sends(drop_run).expect_check_out().expect_forwarded(drop_unnamed, drop_run);
        script.server_sends(close_complete, parse_complete, parse_complete, bind_complete, complete("DEALLOCATE"), ready).expect_check_in();
        script.expect_client_gets(bind_complete, complete("DEALLOCATE"), ready);
        CHECK(script.session().statement_count() == 0);
    }
}

}  // namespace pgweir::test
