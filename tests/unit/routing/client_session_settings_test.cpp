// What follows a client from server to server, and what is due when.
#include "routing/client_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/session_script.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {
namespace {

constexpr Microseconds second{1'000'000};
constexpr Microseconds instant{1};

const std::string set_utc = query("SET TimeZone='UTC';");
const std::string set_replies = parameter("TimeZone", "UTC") + complete("SET") + ready;

void begin_transaction(SessionScript& script) {
    script.client_sends(query("begin")).expect_check_out();
    script.server_sends(complete("BEGIN"), ready_in_transaction).expect_no_check_in();
    script.forget();
}

void run_statement(SessionScript& script) {
    script.client_sends(query("one")).expect_check_out();
    script.server_sends(complete("1"), ready).expect_check_in();
    script.forget();
}

// A client and a server that differ in their time zone.
SessionScript& different_zones(SessionScript& script, bool proven) {
    return script.server_has("TimeZone", "Europe/Berlin").client_wants("TimeZone", "UTC", proven);
}

SessionPolicy with(Microseconds SessionPolicy::*timeout, Microseconds value) {
    SessionPolicy policy = transaction_pooling();
    policy.*timeout = value;
    return policy;
}

std::string refusal(Fault fault) { return std::string("close client: ") + fault_row(fault).message; }

}  // namespace

TEST_CASE("values that a server has reported go in front of the client's message") {
    at_every_cut([](SessionScript& script) {
        different_zones(script, true)
            .client_sends(query("one"))
            .expect_check_out()
            .expect_forwarded(set_utc, query("one"));
        script.server_sends(set_replies).expect_no_check_in();
        script.server_sends(complete("1"), ready).expect_check_in();
        script.expect_client_gets(complete("1"), ready);
    });
}

TEST_CASE("a value never tried goes alone, and the client's message follows when it was taken") {
    at_every_cut([](SessionScript& script) {
        different_zones(script, false).client_sends(query("one")).expect_check_out().expect_forwarded(set_utc);
        CHECK_FALSE(script.session().wants_input());
        script.server_sends(set_replies).expect_no_check_in().expect_forwarded(query("one"));
        script.server_sends(complete("1"), ready).expect_check_in();
        script.expect_client_gets(complete("1"), ready);
        CHECK(script.session().parameters()->proven);
    });
}

TEST_CASE("a value that the server refuses ends both, and the client's message never runs") {
    at_every_cut([](SessionScript& script) {
        different_zones(script, false).client_sends(query("one")).expect_check_out().expect_forwarded(set_utc);
        script.server_sends(error("22023"), ready).expect_both_closed(Fault::invalid_server_parameter);
        script.expect_forwarded().expect_client_gets();
    });
}

TEST_CASE("a server that has the client's values is told nothing") {
    at_every_cut([](SessionScript& script) {
        script.server_has("TimeZone", "UTC").server_has("DateStyle", "ISO, MDY");
        script.client_wants("TimeZone", "utc", false).client_sends(query("one")).expect_check_out();
        script.expect_forwarded(query("one"));
        script.server_sends(complete("1"), ready).expect_check_in();
    });
}

TEST_CASE("what the server does not report is not set") {
    SessionScript script;
    script.server_has("client_encoding", "UTF8").client_wants("TimeZone", "UTC", false);
    script.client_sends(query("one")).expect_check_out().expect_forwarded(query("one"));
    script.server_sends(complete("1"), ready).expect_check_in();
}

TEST_CASE("after one server has taken a value the next need not be waited for") {
    at_every_cut([](SessionScript& script) {
        different_zones(script, false).client_sends(query("one")).expect_check_out();
        script.server_sends(set_replies).expect_no_check_in();
        script.server_sends(complete("1"), ready).expect_check_in();
        script.forget();
        script.use_other_server().client_sends(query("two")).expect_check_out().expect_forwarded(set_utc, query("two"));
        script.server_sends(set_replies, complete("2"), ready).expect_check_in();
    });
}

TEST_CASE("the spelling that the server reports becomes the client's") {
    SessionScript script;
    script.server_has("TimeZone", "Europe/Berlin").client_wants("TimeZone", "etc/zulu", false);
    script.client_sends(query("one")).expect_check_out();
    script.server_sends(parameter("TimeZone", "Zulu"), complete("SET"), ready).expect_no_check_in();
    script.server_sends(complete("1"), ready).expect_check_in();
    CHECK(script.session().parameters()->values.at(2) == "Zulu");
    script.client_sends(query("two")).expect_check_out();
    script.server_sends(complete("2"), ready).expect_check_in();
    script.expect_forwarded(query("SET TimeZone='etc/zulu';"), query("one"), query("two"));
}

TEST_CASE("a value that the client sets follows it to the next server") {
    at_every_cut([](SessionScript& script) {
        script.server_has("TimeZone", "Europe/Berlin").client_wants("TimeZone", "Europe/Berlin", true);
        script.client_sends(query("set timezone to utc")).expect_check_out();
        script.server_sends(complete("SET"), parameter("TimeZone", "UTC"), ready).expect_check_in();
        script.expect_client_gets(complete("SET"), parameter("TimeZone", "UTC"), ready);
        script.forget();
        script.use_other_server().client_sends(query("one")).expect_check_out().expect_forwarded(set_utc, query("one"));
        script.server_sends(set_replies, complete("1"), ready).expect_check_in();
    });
}

TEST_CASE("a client lost while its values are set costs no server") {
    for (const bool proven : {true, false}) {
        SessionScript script;
        different_zones(script, proven).client_sends(query("one")).expect_check_out();
        script.lose_client().expect_quiet();
        script.server_sends(set_replies);
        if (proven) script.expect_no_check_in().server_sends(complete("1"), ready);
        script.expect_left().expect_client_gets();
    }
}

TEST_CASE("a request behind values of ours has a number that a cancel finds") {
    for (const bool proven : {true, false}) {
        CAPTURE(proven);
        SessionScript script;
        different_zones(script, proven).client_sends(query("slow")).expect_check_out();
        script.server_sends(set_replies).expect_no_check_in();
        CHECK(script.running_request() != 0);
        script.server_sends(complete("1"), ready).expect_check_in();
    }
}

TEST_CASE("two requests behind values of ours have two numbers") {
    SessionScript script;
    different_zones(script, true).client_sends(query("one")).expect_check_out();
    script.server_sends(set_replies);
    const auto first = script.running_request();
    script.server_sends(complete("1"), ready).expect_check_in();
    script.use_other_server().client_sends(query("two")).expect_check_out();
    CHECK(script.running_request() == 0);    // a cancel now would hit our own SET
    script.server_sends(set_replies);
    CHECK(script.running_request() != first);
    script.server_sends(complete("2"), ready).expect_check_in();
}

TEST_CASE("a transaction behind values of ours is timed from its own beginning") {
    for (const bool proven : {true, false}) {
        CAPTURE(proven);
        SessionScript script;
        different_zones(script.under(with(&SessionPolicy::transaction_timeout, 10 * second)), proven);
        script.wait(100 * second).client_sends(query("one")).expect_check_out();
        script.wait(second).expect_quiet();
        if (script.is_over()) continue;
        script.server_sends(set_replies).wait(second).server_sends(complete("1"), ready).expect_check_in();
        CHECK(script.counters().transactions.get() == 1);
        CHECK(script.counters().transaction_time.get() <= 2 * second.count());
        CHECK(script.counters().query_time.get() <= 2 * second.count());
    }
}

TEST_CASE("an idle session has no deadline unless one is set") {
    SessionScript script;
    CHECK(script.session().deadline() == never);
    run_statement(script);
    CHECK(script.session().deadline() == never);
    script.client_sends(query("one")).expect_waiting();
    CHECK(script.session().deadline() == never);
    script.grant();
    CHECK(script.session().deadline() == never);
}

TEST_CASE("client_idle_timeout runs from the login, then from the last request's end") {
    const auto policy = with(&SessionPolicy::client_idle_timeout, 10 * second);
    SessionScript fresh;
    fresh.under(policy).wait(10 * second - instant).expect_quiet();
    fresh.wait(instant).expect_fault(Fault::client_idle_timeout);

    SessionScript used;
    used.under(policy).wait(8 * second).client_sends(query("one")).expect_check_out();
    used.wait(30 * second).expect_quiet();
    used.server_sends(complete("1"), ready).expect_check_in();
    used.wait(10 * second - instant).expect_quiet();
    used.wait(instant).expect_fault(Fault::client_idle_timeout);
}

TEST_CASE("client_idle_timeout spares a session that has or awaits a server") {
    const auto policy = with(&SessionPolicy::client_idle_timeout, 10 * second);
    SessionScript in_transaction;
    in_transaction.under(policy);
    begin_transaction(in_transaction);
    in_transaction.wait(60 * second).expect_quiet();

    SessionScript waiting;
    waiting.under(policy).client_sends(query("one")).expect_waiting();
    waiting.wait(60 * second).expect_quiet();
}

TEST_CASE("query_wait_timeout ends a wait, and only a wait") {
    const auto policy = with(&SessionPolicy::query_wait_timeout, 10 * second);
    SessionScript script;
    script.under(policy).client_sends(query("one")).expect_waiting();
    script.wait(9 * second).grant().wait(60 * second).expect_quiet();
    script.server_sends(complete("1"), ready).expect_check_in();
    script.client_sends(query("two")).expect_waiting();
    script.wait(10 * second - instant).expect_quiet();
    script.wait(instant).expect({"leave queue", refusal(Fault::query_wait_timeout)});
}

TEST_CASE("query_wait_notify tells a waiting client once for each wait") {
    SessionPolicy policy = with(&SessionPolicy::query_wait_notify, 5 * second);
    policy.query_wait_timeout = 20 * second;
    SessionScript script;
    script.under(policy).client_sends(query("one")).expect_waiting();
    script.wait(5 * second).expect({"notice to client"});
    script.wait(10 * second).expect_quiet().grant();
    script.server_sends(complete("1"), ready).expect_check_in();
    script.client_sends(query("two")).expect_waiting();
    script.wait(5 * second).expect({"notice to client"});
    script.wait(15 * second).expect({"leave queue", refusal(Fault::query_wait_timeout)});
}

TEST_CASE("query_timeout runs while a session waits") {
    SessionScript script;
    script.under(with(&SessionPolicy::query_timeout, 10 * second)).client_sends(query("one")).expect_waiting();
    script.wait(10 * second).expect({"leave queue", refusal(Fault::query_timeout_waiting)});
}

TEST_CASE("query_timeout runs anew for each query, and not between them") {
    SessionScript script;
    script.under(with(&SessionPolicy::query_timeout, 10 * second));
    begin_transaction(script);
    script.wait(60 * second).expect_quiet();
    script.client_sends(query("one")).wait(9 * second).server_sends(complete("1"), ready_in_transaction).expect_quiet();
    script.client_sends(query("two")).wait(10 * second - instant).expect_quiet();
    script.wait(instant).expect_both_closed(Fault::query_timeout);
}

TEST_CASE("query_timeout bounds every kind of request") {
    for (const auto& request :
         {query("slow"), function_call(), extended_series + sync, extended_series + flush_request}) {
        CAPTURE(request);
        SessionScript script;
        script.under(with(&SessionPolicy::query_timeout, 10 * second)).client_sends(request).expect_check_out();
        script.wait(10 * second).expect_both_closed(Fault::query_timeout);
    }
}

TEST_CASE("idle_transaction_timeout runs between the statements of a transaction") {
    SessionScript script;
    script.under(with(&SessionPolicy::idle_transaction_timeout, 10 * second));
    begin_transaction(script);
    script.wait(9 * second).client_sends(query("slow")).wait(60 * second).expect_quiet();
    script.server_sends(error(), ready_failed).expect_quiet();
    script.wait(10 * second - instant).expect_quiet();
    script.wait(instant).expect_both_closed(Fault::idle_transaction_timeout);
}

TEST_CASE("transaction_timeout runs from a transaction's first statement to its last") {
    const auto policy = with(&SessionPolicy::transaction_timeout, 10 * second);
    SessionScript idle;
    idle.under(policy);
    begin_transaction(idle);
    idle.wait(10 * second - instant).expect_quiet();
    idle.wait(instant).expect_both_closed(Fault::transaction_timeout);

    SessionScript busy;
    busy.under(policy);
    begin_transaction(busy);
    busy.wait(6 * second).client_sends(query("slow")).wait(4 * second).expect_both_closed(Fault::transaction_timeout);
}

TEST_CASE("transaction_timeout begins anew with each transaction") {
    SessionScript script;
    script.under(with(&SessionPolicy::transaction_timeout, 10 * second));
    begin_transaction(script);
    script.wait(9 * second).client_sends(query("commit")).server_sends(complete("COMMIT"), ready).expect_check_in();
    script.wait(60 * second).expect_quiet();
    begin_transaction(script);
    script.wait(9 * second).expect_quiet();
    script.client_sends(query("commit")).server_sends(complete("COMMIT"), ready).expect_check_in();
}

TEST_CASE("session pooling does not time the pause between transactions") {
    SessionPolicy policy = with(&SessionPolicy::transaction_timeout, 10 * second);
    policy.mode = PoolMode::session;
    policy.query_timeout = policy.idle_transaction_timeout = policy.client_idle_timeout = 10 * second;
    SessionScript script;
    script.under(policy).client_sends(query("one")).expect_check_out();
    script.server_sends(complete("1"), ready).expect_quiet();
    CHECK(script.session().deadline() == never);
    script.wait(60 * second).expect_quiet();
    script.client_sends(query("two")).wait(9 * second).expect_quiet();
    script.server_sends(complete("2"), ready).expect_quiet();
}

TEST_CASE("a reload changes what is due") {
    SessionScript script;
    script.client_sends(query("one")).expect_waiting();
    script.wait(3 * second).change_policy(with(&SessionPolicy::query_wait_timeout, 10 * second));
    script.wait(7 * second - instant).expect_quiet();
    script.wait(instant).expect({"leave queue", refusal(Fault::query_wait_timeout)});
}

}  // namespace pgweir::test
