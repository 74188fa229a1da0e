// How a session ends: the client takes its leave, is lost, or loses its server. What must be left behind is a server
// that the next client can have, wherever PostgreSQL's protocol allows it.
#include "routing/client_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/session_script.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {
namespace {

constexpr Microseconds second{1'000'000};

void begin_transaction(SessionScript& script) {
    script.client_sends(query("begin")).expect_check_out();
    script.server_sends(complete("BEGIN"), ready_in_transaction).expect_no_check_in();
    script.forget();
}

void begin_copy_in(SessionScript& script) {
    script.client_sends(query("copy t from stdin")).expect_check_out();
    script.server_sends(copy_in_response).expect_no_check_in();
    script.client_sends(copy_row("1\n")).expect_quiet();
    script.forget();
}

void begin_extended_copy_in(SessionScript& script) {
    script.client_sends(extended_series).expect_check_out();
    script.server_sends(parse_complete, bind_complete, copy_in_response).expect_no_check_in();
    script.client_sends(copy_row("1\n")).expect_quiet();
    script.forget();
}

// Queries, a series, a transaction, a COPY: something of everything.
void long_story(SessionScript& script) {
    script.client_sends(query("one")).expect_check_out();
    script.server_sends(notice(), data_row("1"), complete("SELECT 1"), ready).expect_check_in();
    script.client_sends(extended_series, sync).expect_check_out();
    script.server_sends(parse_complete, bind_complete, error(), ready).expect_check_in();
    script.client_sends(query("begin")).expect_check_out();
    script.server_sends(complete("BEGIN"), ready_in_transaction).expect_no_check_in();
    script.client_sends(extended_series, flush_request).expect_quiet();
    script.server_sends(extended_replies).expect_no_check_in();
    script.client_sends(sync).expect_quiet();
    script.server_sends(ready_in_transaction).expect_no_check_in();
    script.client_sends(query("copy t from stdin")).expect_quiet();
    script.server_sends(copy_in_response).expect_no_check_in();
    script.client_sends(copy_row("1\n"), copy_done).expect_quiet();
    script.server_sends(complete("COPY 1"), ready_in_transaction).expect_no_check_in();
    script.client_sends(query("commit")).expect_quiet();
    script.server_sends(complete("COMMIT"), ready).expect_check_in();
}

bool holds_whole_messages(Bytes bytes) {
    FrameScanner scanner;
    Frame frame;
    while (scanner.next(bytes, client_frames, frame) == ScanStatus::piece) {
    }
    return bytes.empty() && scanner.at_boundary();
}

}  // namespace

TEST_CASE("Terminate of an idle session closes it and touches no server") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(terminate_request).expect({"close client"}).expect_forwarded();
    });
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one")).expect_check_out();
        script.server_sends(complete("1"), ready).expect_check_in();
        script.client_sends(terminate_request, query("never")).expect({"close client"});
        script.expect_forwarded(query("one"));
    });
}

TEST_CASE("Terminate in a transaction leaves it by ROLLBACK, whatever its status") {
    for (const auto& status : {ready_in_transaction, ready_failed}) {
        at_every_cut([&](SessionScript& script) {
            script.client_sends(query("begin")).expect_check_out();
            script.server_sends(complete("BEGIN"), status).expect_no_check_in();
            script.forget();
            script.client_sends(terminate_request).expect_quiet().expect_forwarded(rollback);
            script.server_sends(complete("ROLLBACK"), ready).expect_left().expect_client_gets();
        });
    }
}

TEST_CASE("Terminate takes its turn behind what was sent before it") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one"), query("two"), terminate_request).expect_check_out();
        script.expect_forwarded(query("one"), query("two"));
        script.server_sends(data_row("1"), complete("1"), ready).expect_no_check_in();
        script.server_sends(complete("2"), ready).expect_left().expect_client_gets();
    });
}

TEST_CASE("a transaction that Terminate overtakes is rolled back once it has begun") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("begin"), terminate_request).expect_check_out().expect_forwarded(query("begin"));
        script.server_sends(complete("BEGIN"), ready_in_transaction).expect_no_check_in().expect_forwarded(rollback);
        script.server_sends(complete("ROLLBACK"), ready).expect_left().expect_client_gets();
    });
}

TEST_CASE("Terminate behind messages without a Sync sends the Sync") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series, terminate_request)
            .expect_check_out()
            .expect_forwarded(extended_series, sync);
        script.server_sends(extended_replies).expect_no_check_in();
        script.server_sends(ready).expect_left().expect_client_gets();
    });
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series).expect_check_out();
        script.server_sends(parse_complete, error()).expect_no_check_in();
        script.forget();
        script.client_sends(terminate_request).expect_quiet().expect_forwarded(sync);
        script.server_sends(ready).expect_left().expect_client_gets();
    });
}

TEST_CASE("Terminate behind an unsynced series in a transaction sends Sync, then ROLLBACK") {
    at_every_cut([](SessionScript& script) {
        begin_transaction(script);
        script.client_sends(extended_series, terminate_request).expect_quiet().expect_forwarded(extended_series, sync);
        script.server_sends(extended_replies, ready_in_transaction).expect_no_check_in().expect_forwarded(rollback);
        script.server_sends(complete("ROLLBACK"), ready).expect_left();
    });
}

TEST_CASE("Terminate during COPY in fails the COPY") {
    at_every_cut([](SessionScript& script) {
        begin_copy_in(script);
        script.client_sends(terminate_request).expect_quiet().expect_forwarded(copy_fail());
        script.server_sends(error("57014"), ready).expect_left().expect_client_gets();
    });
    at_every_cut([](SessionScript& script) {
        begin_extended_copy_in(script);
        script.client_sends(terminate_request).expect_quiet().expect_forwarded(copy_fail(), sync);
        script.server_sends(error("57014"), ready).expect_left().expect_client_gets();
    });
}

TEST_CASE("Terminate during COPY in of a transaction fails the COPY, then rolls back") {
    at_every_cut([](SessionScript& script) {
        begin_transaction(script);
        script.client_sends(query("copy t from stdin")).expect_quiet();
        script.server_sends(copy_in_response).expect_no_check_in();
        script.forget();
        script.client_sends(terminate_request).expect_quiet().expect_forwarded(copy_fail());
        script.server_sends(error("57014"), ready_failed).expect_no_check_in().expect_forwarded(rollback);
        script.server_sends(complete("ROLLBACK"), ready).expect_left();
    });
}

TEST_CASE("a COPY that begins after Terminate is failed when it begins") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("copy t from stdin"), terminate_request).expect_check_out();
        script.forget();
        script.server_sends(copy_in_response).expect_no_check_in();
        script.expect_forwarded(copy_fail());
        script.server_sends(error("57014"), ready).expect_left();
    });
}

TEST_CASE("Terminate waits until the server has taken what is kept for it") {
    SessionScript script;
    begin_transaction(script);
    script.hold_output().client_sends(terminate_request).expect_quiet();
    script.drain_output().expect_quiet().expect_forwarded(rollback);
    script.hold_output().server_sends(complete("ROLLBACK"), ready).expect_no_check_in();
    script.drain_output().expect_left();
}

TEST_CASE("a server that does not come to rest behind Terminate is closed in the end") {
    SessionScript script;
    script.client_sends(query("one"), terminate_request).expect_check_out();
    script.wait(5 * second - Microseconds{1}).expect_quiet();
    script.wait(Microseconds{1}).expect({"close server", "close client"});
}

TEST_CASE("what is left of a time-out does not cut a ROLLBACK short") {
    SessionPolicy policy = transaction_pooling();
    policy.idle_transaction_timeout = 10 * second;
    SessionScript script;
    script.under(policy);
    begin_transaction(script);
    script.wait(10 * second - Microseconds{1}).client_sends(terminate_request).expect_quiet();
    script.wait(second).expect_quiet();
    script.server_sends(complete("ROLLBACK"), ready).expect_left();
}

TEST_CASE("a client lost while idle leaves nothing to do") {
    SessionScript script;
    script.lose_client().expect({"close client"});
}

TEST_CASE("a client lost while it waits leaves the queue") {
    SessionScript script;
    script.client_sends(query("one")).expect_waiting();
    script.lose_client().expect({"leave queue", "close client"});
}

TEST_CASE("a client lost between the statements of a transaction is rolled back") {
    SessionScript script;
    begin_transaction(script);
    script.lose_client().expect_quiet().expect_forwarded(rollback);
    script.server_sends(complete("ROLLBACK"), ready).expect_left().expect_client_gets();
}

TEST_CASE("a client lost inside a statement of a transaction: cancel, drain, ROLLBACK") {
    SessionScript script;
    begin_transaction(script);
    script.client_sends(query("slow")).lose_client().expect({"cancel query"});
    script.expect_forwarded(query("slow"));
    script.server_sends(error("57014"), ready_failed).expect_no_check_in().expect_forwarded(rollback);
    script.server_sends(complete("ROLLBACK"), ready).expect_left().expect_client_gets();
}

TEST_CASE("a single statement of a lost client runs to its end, or is cancelled if asked to") {
    SessionScript finishing;
    finishing.client_sends(query("slow")).expect_check_out().lose_client().expect_quiet();
    finishing.server_sends(data_row("1"), complete("1"), ready).expect_left().expect_client_gets();

    SessionPolicy policy = transaction_pooling();
    policy.client_lost_query = ClientLostQuery::cancel;
    SessionScript cancelling;
    cancelling.under(policy).client_sends(query("slow")).expect_check_out();
    cancelling.lose_client().expect({"cancel query"});
    cancelling.server_sends(error("57014"), ready).expect_left().expect_client_gets();
}

TEST_CASE("the drain of a lost client's statement is bounded") {
    SessionPolicy policy = transaction_pooling();
    policy.client_lost_drain = 3 * second;
    SessionScript script;
    script.under(policy).client_sends(query("slow")).expect_check_out().lose_client().expect_quiet();
    script.wait(2 * second).expect_quiet();
    script.wait(second).expect({"close server", "close client"});
}

TEST_CASE("a client lost without a Sync: the Sync is sent") {
    SessionScript script;
    script.client_sends(extended_series, flush_request).expect_check_out();
    script.server_sends(extended_replies).expect_no_check_in();
    script.forget();
    script.lose_client().expect_quiet().expect_forwarded(sync);
    script.server_sends(ready).expect_left();
}

TEST_CASE("a client lost during COPY in: the COPY is failed, without a cancel") {
    SessionScript simple;
    begin_copy_in(simple);
    simple.lose_client().expect_quiet().expect_forwarded(copy_fail());
    simple.server_sends(error("57014"), ready).expect_left();

    SessionScript extended;
    begin_extended_copy_in(extended);
    extended.lose_client().expect_quiet().expect_forwarded(copy_fail(), sync);
    extended.server_sends(error("57014"), ready).expect_left();

    SessionPolicy policy = transaction_pooling();
    policy.client_lost_query = ClientLostQuery::cancel;
    SessionScript in_transaction;
    begin_transaction(in_transaction.under(policy));
    in_transaction.client_sends(query("copy t from stdin")).server_sends(copy_in_response).expect_quiet();
    in_transaction.forget();
    in_transaction.lose_client().expect_quiet().expect_forwarded(copy_fail());
    in_transaction.server_sends(error("57014"), ready_failed).expect_quiet().expect_forwarded(rollback);
    in_transaction.server_sends(complete("ROLLBACK"), ready).expect_left();
}

TEST_CASE("a COPY that begins after its client was lost is failed when it begins") {
    SessionScript script;
    script.client_sends(query("copy t from stdin")).expect_check_out().expect_forwarded(query("copy t from stdin"));
    script.lose_client().expect_quiet();
    script.server_sends(copy_in_response).expect_quiet().expect_forwarded(copy_fail());
    script.server_sends(error("57014"), ready).expect_left();
}

TEST_CASE("a client lost within a message costs the server") {
    SessionScript script;
    begin_transaction(script);
    script.client_sends(query("a long one").substr(0, 9)).lose_client().expect({"close server", "close client"});

    SessionScript copying;
    begin_copy_in(copying);
    copying.client_sends(copy_row("a long one").substr(0, 9)).lose_client().expect({"close server", "close client"});
}

TEST_CASE("a client lost within a message that has not reached the server costs nothing") {
    SessionScript script;
    begin_transaction(script);
    script.client_sends(parse().substr(0, 4)).lose_client().expect_quiet().expect_forwarded(rollback);
    script.server_sends(complete("ROLLBACK"), ready).expect_left();
}

TEST_CASE("a client lost after Terminate changes nothing") {
    SessionScript script;
    begin_transaction(script);
    script.client_sends(terminate_request).expect_quiet().lose_client().expect_quiet().expect_forwarded(rollback);
    script.server_sends(complete("ROLLBACK"), ready).expect_left();
}

TEST_CASE("session pooling gives the server of a lost client back too") {
    SessionPolicy policy;
    policy.mode = PoolMode::session;
    SessionScript script;
    script.under(policy).client_sends(query("one")).expect_check_out();
    script.server_sends(complete("1"), ready).expect_no_check_in();
    script.lose_client().expect_left();
}

TEST_CASE("wherever a client is lost, it ends within the drain and leaves whole messages behind") {
    for (const auto lost_query : {ClientLostQuery::finish, ClientLostQuery::cancel}) {
        SessionPolicy policy = transaction_pooling();
        policy.client_lost_query = lost_query;
        const Story story = [&](SessionScript& script) { long_story(script.under(policy)); };
        for_each_byte(story, [](SessionScript& script) {
            script.forget();
            script.lose_client();
            const bool had_server = script.is_linked();
            script.forget();
            if (had_server) CHECK(script.session().deadline() != never);
            script.wait(5 * second);
            CHECK(script.is_over());
            CHECK_FALSE(script.is_linked());
            if (had_server) script.expect({"close server", "close client"});
            script.forget();
        });
    }
}

TEST_CASE("a lost client's server ends at rest with every message whole") {
    for_each_step(long_story, [](SessionScript& script) {
        const bool was_linked = script.is_linked();
        script.lose_client();
        script.forget_orders();
        CHECK(holds_whole_messages(script.to_server()));
        CHECK(script.is_over() != was_linked);
        if (was_linked) script.wait(5 * second).forget();
    });
}

TEST_CASE("a session survives no loss of its server, at any step, and says so") {
    for_each_step(long_story, [](SessionScript& script) {
        if (!script.is_linked()) return;
        script.lose_server().expect_fault(Fault::server_lost);
        CHECK(script.session().deadline() == never);
    });
}

TEST_CASE("wherever its server is lost, the client is closed once and told at most once") {
    for_each_byte(long_story, [](SessionScript& script) {
        script.forget();
        if (!script.is_linked()) return;
        script.lose_server();
        CHECK(script.is_over());
        script.forget();
    });
}

TEST_CASE("a server lost within a message: no error is put inside it") {
    SessionScript script;
    script.client_sends(query("one")).expect_check_out();
    script.server_sends(data_row("a long value").substr(0, 12)).lose_server().expect({"close client"});
}

TEST_CASE("the server's own FATAL is the last thing its client hears") {
    at_every_cut([](SessionScript& script) {
        begin_transaction(script);
        script.server_sends(fatal("57P01")).expect_quiet().expect_client_gets(fatal("57P01"));
        script.lose_server().expect({"close client"});
    });
}

TEST_CASE("a server lost while its session takes its leave ends it silently") {
    SessionScript script;
    begin_transaction(script);
    script.client_sends(terminate_request).expect_quiet();
    script.lose_server().expect({"close client"});
}

TEST_CASE("a fault from outside ends a session in every state") {
    SessionScript idle;
    idle.fault(Fault::admin_disconnect).expect_fault(Fault::admin_disconnect);

    SessionScript waiting;
    waiting.client_sends(query("one")).expect_waiting();
    waiting.fault(Fault::server_login_failed)
        .expect({"leave queue", "close client: " + fault_message(Fault::server_login_failed)});

    SessionScript linked;
    linked.client_sends(query("one")).expect_check_out();
    linked.fault(Fault::admin_disconnect).expect_both_closed(Fault::admin_disconnect);

    SessionScript leaving;
    begin_transaction(leaving);
    leaving.client_sends(terminate_request).expect_quiet();
    leaving.fault(Fault::admin_disconnect)
        .expect({std::string("close server: ") + fault_row(Fault::admin_disconnect).message, "close client"});
    leaving.fault(Fault::admin_disconnect).expect_quiet();
}

TEST_CASE("a fault within a reply is not put inside it") {
    SessionScript script;
    script.client_sends(query("one")).expect_check_out();
    script.server_sends(data_row("a long value").substr(0, 12)).fault(Fault::query_timeout);
    script.expect({std::string("close server: ") + fault_row(Fault::query_timeout).message, "close client"});
}

}  // namespace pgweir::test
