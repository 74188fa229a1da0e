// When a session asks for a server, what passes between the two sides, and when the server is given back.
#include "routing/client_session.hpp"

#include "routing/packet_header.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/session_script.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {
namespace {

SessionPolicy in_mode(PoolMode mode) {
    SessionPolicy policy;
    policy.mode = mode;
    return policy;
}

SessionScript& begin_transaction(SessionScript& script) {
    script.client_sends(query("begin")).expect_check_out();
    script.server_sends(complete("BEGIN"), ready_in_transaction).expect_no_check_in();
    script.forget();
    return script;
}

// Ended by the server while half a row is on its way; the other half is returned.
std::string fail_a_copy_in_its_row(SessionScript& script) {
    const std::string row = copy_row("half of it");
    script.client_sends(query("copy t from stdin")).expect_check_out();
    script.server_sends(copy_in_response);
    script.client_sends(row.substr(0, 8));
    script.server_sends(error(), ready).expect_no_check_in();
    return row.substr(8);
}

}  // namespace

TEST_CASE("a single statement has a server from its arrival to its ReadyForQuery") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("select 1")).expect_check_out().expect_forwarded(query("select 1"));
        script.server_sends(data_row("1"), complete("SELECT 1")).expect_no_check_in();
        script.server_sends(ready).expect_check_in();
        script.expect_client_gets(data_row("1"), complete("SELECT 1"), ready);
        script.client_sends(query("select 2")).expect_check_out().expect_forwarded(query("select 2"));
        script.server_sends(complete("SELECT 1"), ready).expect_check_in();
    });
}

TEST_CASE("a session keeps its server connection until the transaction ends") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("begin")).expect_check_out();
        script.server_sends(complete("BEGIN"), ready_in_transaction).expect_no_check_in();
        script.client_sends(query("select 1/0")).expect_quiet();
        script.server_sends(error(), ready_failed).expect_no_check_in();
        script.client_sends(query("commit")).expect_quiet();
        script.server_sends(complete("ROLLBACK"), ready).expect_check_in();
        script.expect_forwarded(query("begin"), query("select 1/0"), query("commit"));
        script.expect_client_gets(complete("BEGIN"), ready_in_transaction, error(), ready_failed, complete("ROLLBACK"),
                                  ready);
    });
}

TEST_CASE("pipelined queries keep the server until the last is answered") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one"), query("two"), query("three")).expect_check_out();
        script.expect_forwarded(query("one"), query("two"), query("three"));
        script.server_sends(complete("1"), ready, complete("2"), ready).expect_no_check_in();
        script.server_sends(complete("3"), ready).expect_check_in();
    });
}

TEST_CASE("every Sync that was sent is waited for") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series, sync, bind(), execute(), sync).expect_check_out();
        script.server_sends(extended_replies, ready).expect_no_check_in();
        script.server_sends(bind_complete, complete("SELECT 0")).expect_no_check_in();
        script.server_sends(ready).expect_check_in();
    });
}

TEST_CASE("after an error the server is free at the Sync, not before") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series, sync, extended_series, sync).expect_check_out();
        script.server_sends(parse_complete, error(), ready).expect_no_check_in();
        script.server_sends(extended_replies, ready).expect_check_in();
        script.expect_client_gets(parse_complete, error(), ready, extended_replies, ready);
    });
}

TEST_CASE("a series without its Sync keeps the server, answered or failed") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series, flush_request).expect_check_out();
        script.server_sends(extended_replies).expect_no_check_in();
        script.client_sends(parse("")).expect_quiet();
        script.server_sends(error()).expect_no_check_in();
        script.client_sends(query("ignored"), bind()).expect_quiet();
        script.client_sends(sync).expect_quiet();
        script.server_sends(ready).expect_check_in();
        script.expect_forwarded(extended_series, flush_request, parse(""), query("ignored"), bind(), sync);
    });
}

TEST_CASE("a message half sent to the server keeps it") {
    at_every_cut([](SessionScript& script) {
        const std::string second = query("select 'a longer one'");
        script.client_sends(query("one"), second.substr(0, 9)).expect_check_out();
        script.server_sends(complete("1"), ready).expect_no_check_in();
        script.client_sends(second.substr(9)).expect_quiet();
        script.expect_forwarded(query("one"), second);
        script.server_sends(complete("2"), ready).expect_check_in();
    });
}

TEST_CASE("bytes kept for the server keep it") {
    SessionScript script;
    script.client_sends(query("one")).expect_check_out();
    script.hold_output().server_sends(complete("1"), ready).expect_no_check_in();
    script.drain_output().expect_check_in();
}

TEST_CASE("what follows the last ReadyForQuery belongs to no client") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one")).expect_check_out();
        script.server_sends(complete("1"), ready, parameter("TimeZone", "UTC"), notice()).expect_check_in();
        script.expect_client_gets(complete("1"), ready);
        CHECK(script.server().parameters->values.at(2) == "UTC");
    });
}

TEST_CASE("a function call is answered like a query") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(function_call()).expect_check_out().expect_forwarded(function_call());
        script.server_sends(error(), ready).expect_check_in();
    });
}

TEST_CASE("an idle session needs no server for what earns no answer") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(flush_request, copy_row("left over"), copy_row("more"), copy_done, copy_fail())
            .expect_quiet();
        script.client_sends(query("one")).expect_check_out().expect_forwarded(query("one"));
        script.server_sends(complete("1"), ready).expect_check_in();
    });
}

TEST_CASE("COPY in runs on one server in both protocols") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("copy t from stdin")).expect_check_out();
        script.server_sends(copy_in_response).expect_no_check_in();
        script.client_sends(copy_row("1\n"), copy_row("2\n")).expect_quiet();
        script.client_sends(copy_done).expect_quiet();
        script.server_sends(complete("COPY 2"), ready).expect_check_in();
        script.expect_forwarded(query("copy t from stdin"), copy_row("1\n"), copy_row("2\n"), copy_done);
    });
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series, sync).expect_check_out();
        script.server_sends(parse_complete, bind_complete, copy_in_response).expect_no_check_in();
        script.client_sends(copy_row("1\n"), copy_done, sync).expect_quiet();
        script.server_sends(complete("COPY 1")).expect_no_check_in();
        script.server_sends(ready).expect_check_in();
    });
}

TEST_CASE("what is left of a COPY that failed reaches no server") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("copy t from stdin")).expect_check_out();
        script.server_sends(copy_in_response).expect_no_check_in();
        script.client_sends(copy_row("bad\n")).expect_quiet();
        script.forget();
        script.server_sends(error(), ready).expect_check_in();
        script.client_sends(copy_row("late\n"), copy_row("later\n"), copy_done).expect_quiet().expect_forwarded();
        script.client_sends(query("one")).expect_check_out().expect_forwarded(query("one"));
        script.server_sends(complete("1"), ready).expect_check_in();
    });
}

TEST_CASE("half a COPY message keeps the server of a COPY that failed until its rest has gone there") {
    at_every_cut([](SessionScript& script) {
        const std::string row = copy_row("a row that is cut");
        script.client_sends(query("copy t from stdin")).expect_check_out();
        script.server_sends(copy_in_response).expect_no_check_in();
        script.forget();
        script.client_sends(row.substr(0, 8)).expect_quiet();
        script.server_sends(error(), ready).expect_no_check_in();
        script.client_sends(row.substr(8)).expect_check_in().expect_forwarded(row);
    });
}

TEST_CASE("… and half a notice does, until its rest has come") {
    SessionScript script;
    const std::string row = copy_row("a row that is cut"), news = notice();
    script.client_sends(query("copy t from stdin")).expect_check_out();
    script.server_sends(copy_in_response).client_sends(row.substr(0, 8));
    script.server_sends(error(), ready, news.substr(0, 9)).client_sends(row.substr(8)).expect_no_check_in();
    script.server_sends(news.substr(9)).expect_check_in();
}

TEST_CASE("a COPY that failed in doubt costs its server, not the client") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(extended_series, sync).expect_check_out();
        script.server_sends(parse_complete, bind_complete, copy_in_response, error()).expect_no_check_in();
        script.client_sends(copy_done, sync).expect_quiet();
        script.server_sends(ready).expect({"close server"});
        CHECK_FALSE(script.is_over());
    });
}

TEST_CASE("a large result passes in few pieces, whatever its rows") {
    std::string rows;
    for (int i = 0; i < 5000; ++i) rows += data_row("some value of a column");
    SessionScript script;
    script.client_sends(query("select")).expect_check_out();
    script.server_sends(rows, complete("SELECT 5000"), ready).expect_check_in();
    script.expect_client_gets(rows, complete("SELECT 5000"), ready);
    CHECK(script.actions_most() <= 3);
}

TEST_CASE("more orders than one call may give are given by the next") {
    std::string replies;
    std::string requests;
    SessionScript script;
    begin_transaction(script);
    for (int i = 0; i < 200; ++i) {
        requests += query("one");
        replies += complete("1") + ready_in_transaction + notice();
    }
    script.client_sends(requests).expect_quiet().expect_forwarded(requests);
    script.server_sends(replies).expect_quiet().expect_client_gets(replies);
    CHECK(script.actions_most() <= SessionActions::capacity);
    script.client_sends(query("commit")).server_sends(complete("COMMIT"), ready).expect_check_in();
}

TEST_CASE("statement pooling gives the server back after each statement") {
    at_every_cut([](SessionScript& script) {
        script.under(in_mode(PoolMode::statement));
        script.client_sends(query("one"), query("two")).expect_check_out();
        script.server_sends(complete("1"), ready).expect_no_check_in();
        script.server_sends(complete("2"), ready).expect_check_in();
    });
}

TEST_CASE("statement pooling refuses a transaction block") {
    at_every_cut([](SessionScript& script) {
        script.under(in_mode(PoolMode::statement));
        script.client_sends(query("begin")).expect_check_out();
        script.server_sends(complete("BEGIN"), ready_in_transaction)
            .expect_both_closed(Fault::statement_mode_transaction);
        script.expect_client_gets(complete("BEGIN"));  // not the ReadyForQuery that would make a success of it
    });
}

TEST_CASE("session pooling keeps the server between transactions") {
    at_every_cut([](SessionScript& script) {
        script.under(in_mode(PoolMode::session));
        script.client_sends(query("one")).expect_check_out();
        script.server_sends(complete("1"), ready).expect_no_check_in();
        script.client_sends(parse("named"), flush_request).expect_quiet();
        script.server_sends(parse_complete).expect_no_check_in();
        script.client_sends(sync).server_sends(ready).expect_no_check_in();
        script.client_sends(copy_row("left over")).expect_quiet();
        script.client_sends(terminate_request).expect_left();
        script.expect_forwarded(query("one"), parse("named"), flush_request, sync, copy_row("left over"));
    });
}

TEST_CASE("a changed pool mode is followed at the next release") {
    SessionScript script;
    script.under(in_mode(PoolMode::session));
    script.client_sends(query("one")).expect_check_out();
    script.server_sends(complete("1"), ready).expect_no_check_in();
    script.change_policy(transaction_pooling());
    script.client_sends(query("two")).expect_quiet();
    script.server_sends(complete("2"), ready).expect_check_in();
}

TEST_CASE("names of statements pass as they are where none are tracked") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(parse("name"), sync).expect_check_out().expect_forwarded(parse("name"), sync);
        script.server_sends(parse_complete, ready).expect_check_in();
    });
}

TEST_CASE("simple queries are refused where the policy says so") {
    at_every_cut([](SessionScript& script) {
        SessionPolicy policy = transaction_pooling();
        policy.refuse_simple_query = true;
        script.under(policy).client_sends(extended_series, sync).expect_check_out();
        script.server_sends(extended_replies, ready).expect_check_in();
        script.client_sends(query("one")).expect_fault(Fault::simple_query_refused);
    });
}

TEST_CASE("a client that breaks the protocol is told so") {
    at_every_cut([](SessionScript& script) { script.client_sends("?1234").expect_fault(Fault::unknown_packet); });
    at_every_cut([](SessionScript& script) {
        script.client_sends(std::string("Q\0\0\0\3x", 6)).expect_fault(Fault::bad_packet_header, "5100000003");
    });
    at_every_cut([](SessionScript& script) {
        script.client_sends(std::string("Q\x40\0\0\0", 5)).expect_fault(Fault::bad_packet_header, "5140000000");
    });
    at_every_cut([](SessionScript& script) {
        begin_transaction(script);
        script.client_sends(query("one"), "!").expect_both_closed(Fault::unknown_packet);
    });
}

TEST_CASE("a message longer than max_packet_size is refused, one as long is not") {
    const std::string message = query("0123456789");
    SessionPolicy policy = transaction_pooling();
    policy.max_packet_size = static_cast<std::uint32_t>(message.size() - 1);
    at_every_cut([&](SessionScript& script) {
        script.under(policy).client_sends(message).expect_check_out();
        script.server_sends(complete("1"), ready).expect_check_in();
        script.client_sends(query("0123456789+")).expect_fault(Fault::packet_too_large, "5100000010");
    });
}

TEST_CASE("a statement longer than max_packet_size is refused by its header, not when it is all there") {
    SessionPolicy policy = transaction_pooling();
    policy.max_packet_size = 1000;
    policy.statements_max = 10;
    for (const char* const type : {"P", "B", "C", "D", "Q"}) {
        SessionScript script;
        const std::string front = type + std::string("\0\0\x10\0Sab", 7);
        script.under(policy).client_sends(front).expect_fault(Fault::packet_too_large, hex_of(front.substr(0, 5)));
    }
}

TEST_CASE("an error shows as much of a bad packet as came of its first eight bytes") {
    for (const std::size_t size : {5u, 7u, 8u, 100u}) {
        SessionActions out;
        PoolCounters counters;
        ClientSession session(std::make_shared<SessionPolicy>(transaction_pooling()), counters, {}, TimePoint{});
        session.on_client_bytes(copy_done + std::string("Q\0\0\0\1", 5) + std::string(size - 5, 'x'), nullptr, {}, out);
        REQUIRE(out.size() == 1);
        CHECK(out.begin()->offset == copy_done.size());
        CHECK(out.begin()->length == std::min<std::size_t>(size, 8));
    }
}

TEST_CASE("a row of a COPY longer than max_packet_size is refused behind others too") {
    SessionPolicy policy = transaction_pooling();
    policy.max_packet_size = 30;
    at_every_cut([&](SessionScript& script) {
        script.under(policy).client_sends(query("copy t from stdin")).expect_check_out();
        script.server_sends(copy_in_response);
        script.client_sends(copy_row("1\n"), copy_row("2\n")).expect_quiet();
        script.client_sends(copy_row("3\n"), copy_row(std::string(27, 'x'))).expect_both_closed(Fault::packet_too_large, "640000001f");
    });
}

TEST_CASE("a message too long closes no server that went back just before it") {
    SessionPolicy policy = transaction_pooling();
    policy.max_packet_size = 60;
    SessionScript script;
    script.client_sends(fail_a_copy_in_its_row(script.under(policy)) + query(std::string(100, 'x')));
    script.expect({"check in", "close client: bad packet header: '5100000069'"});
}

TEST_CASE("a statement beyond all bounds closes no server that went back just before it") {
    SessionPolicy policy = transaction_pooling();
    policy.statements_max = 10;
    SessionScript script;
    script.client_sends(fail_a_copy_in_its_row(script.under(policy)) + std::string("P\2\0\0\0name", 9));
    script.expect({"check in", "close client: message too long"});
}

TEST_CASE("a server that answers what nobody asked is closed with its client") {
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one")).expect_check_out();
        script.server_sends(parse_complete).expect_both_closed(Fault::internal_pairing).expect_client_gets();
    });
    at_every_cut([](SessionScript& script) {
        begin_transaction(script);
        script.server_sends(ready).expect_both_closed(Fault::internal_pairing);
    });
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one")).expect_check_out();
        script.server_sends("?").expect_both_closed(Fault::server_protocol_error);
    });
    at_every_cut([](SessionScript& script) {
        script.client_sends(query("one")).expect_check_out();
        script.server_sends(std::string("Z\0\0\0\5X", 6)).expect_both_closed(Fault::server_protocol_error);
    });
}

TEST_CASE("asynchronous messages reach the client and settle nothing") {
    at_every_cut([](SessionScript& script) {
        begin_transaction(script);
        script.server_sends(notice(), notification("news"), parameter("TimeZone", "UTC")).expect_no_check_in();
        script.expect_client_gets(notice(), notification("news"), parameter("TimeZone", "UTC"));
        script.client_sends(query("commit")).expect_quiet();
        script.server_sends(notice(), complete("COMMIT"), notification("news"), ready).expect_check_in();
        script.expect_client_gets(notice(), complete("COMMIT"), notification("news"), ready);
    });
}

TEST_CASE("an idle server's asynchronous messages make it neither dirty nor busy") {
    at_every_cut([](SessionScript& script) {
        script.server_sends(notice(), parameter("application_name", "x"), notification("news")).expect_quiet();
        script.server_sends(fatal()).expect({"server fatal"});
    });
    at_every_cut([](SessionScript& script) { script.server_sends(data_row("1")).expect({"server dirty"}); });
}

TEST_CASE("a request has a number of its own while it runs") {
    SessionScript script;
    CHECK(script.running_request() == 0);
    script.client_sends(query("begin")).expect_waiting();
    CHECK(script.running_request() == 0);
    script.grant();
    const auto first = script.running_request();
    CHECK(first != 0);
    script.server_sends(complete("BEGIN"));
    CHECK(script.running_request() == first);
    script.server_sends(ready_in_transaction);
    CHECK(script.running_request() == 0);
    script.client_sends(query("commit"));
    const auto second = script.running_request();
    CHECK(second != 0);
    CHECK(second != first);
    script.server_sends(complete("COMMIT"), ready).expect_check_in();
    CHECK(script.running_request() == 0);
}

TEST_CASE("queries, transactions and their times are counted") {
    SessionScript script;
    script.client_sends(query("begin")).expect_waiting();
    script.wait(Microseconds{7}).grant();
    script.wait(Microseconds{10}).server_sends(complete("BEGIN"), ready_in_transaction);
    script.wait(Microseconds{100}).client_sends(query("commit"));
    script.wait(Microseconds{1000}).server_sends(complete("COMMIT"), ready).expect_check_in();
    CHECK(script.counters().queries.get() == 2);
    CHECK(script.counters().transactions.get() == 1);
    CHECK(script.counters().server_assignments.get() == 1);
    CHECK(script.counters().wait_time.get() == 7);
    CHECK(script.counters().query_time.get() == 1010);
    CHECK(script.counters().transaction_time.get() == 1110);
    CHECK(script.counters().received.get() ==
          static_cast<std::int64_t>(wire_of(query("begin"), query("commit")).size()));
    CHECK(
        script.counters().sent.get() ==
        static_cast<std::int64_t>(wire_of(complete("BEGIN"), ready_in_transaction, complete("COMMIT"), ready).size()));
}

}  // namespace pgweir::test
