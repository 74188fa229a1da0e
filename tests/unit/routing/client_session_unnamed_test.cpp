// The unnamed statement of clients on servers that they share: told again elsewhere, ended in its turn, nobody else's.
#include "tests/support/catch.hpp"
#include "tests/unit/routing/prepared_messages.hpp"

namespace pgweir::test {

TEST_CASE("an unnamed statement that was parsed apart is told again on another server") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(parse_of("", "select 1"), describe_of(""), sync).expect_check_out();
        script.server_sends(parse_complete, described, ready).expect_check_in();
        script.use_other_server().forget();
        script.client_sends(bind_of(""), execute(), sync).expect_check_out();
        script.expect_forwarded(parse_of("", "select 1"), bind_of(""), execute(), sync);
        script.server_sends(parse_complete, run_replies, ready).expect_check_in().expect_client_gets(run_replies, ready);
    });
}

TEST_CASE("an unnamed statement that was bound once can be bound again elsewhere") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(extended_series, sync).expect_check_out().server_sends(extended_replies, ready).expect_check_in();
        script.use_other_server().forget();
        script.client_sends(bind_of(""), execute(), sync).expect_check_out();
        script.expect_forwarded(parse(), bind_of(""), execute(), sync);
        script.server_sends(parse_complete, run_replies, ready).expect_check_in().expect_client_gets(run_replies, ready);
    });
}

TEST_CASE("a message behind one that is dropped in pieces is whole") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(bind_of(""), query("one")).expect_check_out();
        CHECK(script.to_server().ends_with(query("one")));
        script.server_sends(error("26000"));
        script.client_sends(sync).server_sends(ready).expect_check_in();
    });
}

TEST_CASE("an unnamed Parse stands though one of the series before it was skipped") {
    SessionScript script;
    script.under(tracking());
    script.client_sends(bind_of("nowhere"), parse_of("", "select 1"), sync).expect_check_out();
    script.client_sends(parse_of("", "select 2"));
    script.server_sends(error("26000"), ready).expect_no_check_in();
    script.forget();
    script.client_sends(bind_of(""), execute(), sync).expect_forwarded(bind_of(""), execute(), sync);
    script.server_sends(parse_complete, run_replies, ready).expect_check_in();
}

TEST_CASE("nobody gets at the unnamed statement of another client") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(bind_of(""), execute(), sync).expect_check_out();
        CHECK(script.to_server().find("pgweir_absent") != Bytes::npos);
        script.server_sends(error("26000"), ready).expect_check_in();
        script.expect_client_gets(told(Fault::unnamed_statement_missing), ready);
        script.forget();
        // A Query ends it.
        script.client_sends(parse_of("", "select 1"), sync).expect_check_out().server_sends(parse_complete, ready).expect_check_in();
        script.client_sends(query("one")).expect_check_out().server_sends(complete("1"), ready).expect_check_in();
        script.forget();
        script.client_sends(describe_of(""), sync).expect_check_out();
        script.server_sends(error("26000"), ready).expect_check_in();
        script.expect_client_gets(told(Fault::unnamed_statement_missing), ready);
    });
}

TEST_CASE("a Query or Close ends the unnamed statement in its turn, behind what is under way") {
    const std::string portal_replies = parse_complete + bind_complete + complete("SELECT 0");
    at_every_cut([&](SessionScript& script) {
        script.under(tracking());
        script.client_sends(extended_series, sync, query("one")).expect_check_out();
        script.server_sends(portal_replies, ready, complete("1"), ready).expect_check_in();
        script.use_other_server().forget();
        script.client_sends(bind_of(""), sync).expect_check_out();
        script.server_sends(error("26000"), ready).expect_check_in();
        script.expect_client_gets(told(Fault::unnamed_statement_missing), ready);
    });
    at_every_cut([&](SessionScript& script) {
        script.under(tracking());
        script.client_sends(extended_series, sync).expect_check_out().server_sends(portal_replies, ready).expect_check_in();
        script.use_other_server().forget();
        // Skipped, so it goes on.
        script.client_sends(execute(), close_of(""), sync).expect_check_out();
        script.server_sends(error("34000"), ready).expect_check_in();
        script.forget();
        script.client_sends(close_of(""), bind_of(""), sync).expect_check_out();
        script.expect_forwarded(close_of(""), bind_of(""), sync);
        script.server_sends(close_complete, error("26000"), ready).expect_check_in();
    });
}

TEST_CASE("within a transaction the unnamed statement stays where it is") {
    at_every_cut([](SessionScript& script) {
        script.under(tracking());
        script.client_sends(parse_of("", "begin"), bind_of(""), execute(), sync).expect_check_out();
        script.server_sends(parse_complete, bind_complete, complete("BEGIN"), ready_in_transaction).expect_no_check_in();
        script.forget();
        script.client_sends(bind_of(""), execute(), sync).expect_forwarded(bind_of(""), execute(), sync);
        script.server_sends(run_replies, ready).expect_check_in();
    });
}

}  // namespace pgweir::test
