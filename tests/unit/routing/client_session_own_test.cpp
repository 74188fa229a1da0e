// A replication client and the server connection that is its own: streams in both directions, commands before and behind
// them, and the end of one with the other.
#include "protocol/backend/copy_done.hpp"
#include "routing/client_session.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/session_script.hpp"
#include "tests/support/short_messages.hpp"

namespace pgweir::test {
namespace {

const std::string start_streaming = query("START_REPLICATION PHYSICAL 0/1000000");
const std::string server_copy_done = to_message(backend::CopyDone{});

std::string streamed(Bytes data) { return to_message(backend::CopyData{data}); }

void begin_stream(SessionScript& script) {
    script.with_own_server();
    script.client_sends(start_streaming).expect_quiet().expect_forwarded(start_streaming);
    script.server_sends(copy_both_response, streamed("w1")).expect_quiet();
    script.expect_client_gets(copy_both_response, streamed("w1"));
}

}  // namespace

TEST_CASE("a stream goes both ways, ends on both sides, and commands go on") {
    at_every_cut([](SessionScript& script) {
        begin_stream(script);
        script.client_sends(copy_row("r1"), copy_row("r2")).expect_quiet().expect_forwarded(copy_row("r1"), copy_row("r2"));
        script.server_sends(streamed("w2"), streamed("k"), streamed("w3")).expect_quiet();
        script.expect_client_gets(streamed("w2"), streamed("k"), streamed("w3"));
        script.client_sends(copy_done).expect_quiet().expect_forwarded(copy_done);
        script.server_sends(streamed("w4"), server_copy_done, complete("COPY 0"), ready).expect_quiet();
        script.expect_client_gets(streamed("w4"), server_copy_done, complete("COPY 0"), ready);
        script.client_sends(query("IDENTIFY_SYSTEM")).expect_quiet().expect_forwarded(query("IDENTIFY_SYSTEM"));
        script.server_sends(complete("IDENTIFY_SYSTEM"), ready).expect_quiet();
        script.expect_client_gets(complete("IDENTIFY_SYSTEM"), ready);
    });
}

TEST_CASE("a stream that the server ends by an error goes on with commands, and late data earns nothing") {
    SessionScript script;
    begin_stream(script);
    script.server_sends(error(), ready).expect_quiet().expect_client_gets(error(), ready);
    script.client_sends(copy_row("r1"), copy_done).expect_quiet();
    script.forget();
    script.client_sends(query("IDENTIFY_SYSTEM")).expect_quiet();
    script.server_sends(complete("IDENTIFY_SYSTEM"), ready).expect_quiet().expect_client_gets(complete("IDENTIFY_SYSTEM"), ready);
}

TEST_CASE("a server of one client is never given back, in no state") {
    SessionScript script;
    script.with_own_server();
    script.client_sends(query("SHOW wal_level")).expect_quiet();
    script.server_sends(complete("SHOW"), ready).expect_quiet();
    script.client_sends(query("begin")).expect_quiet();
    script.server_sends(complete("BEGIN"), ready_in_transaction).expect_quiet();
    script.client_sends(extended_series, sync).expect_quiet();
    script.server_sends(extended_replies, ready_in_transaction).expect_quiet();
    CHECK(script.is_linked());
}

TEST_CASE("Terminate is passed on behind what was sent before it, and the client goes when its server has gone") {
    at_every_cut([](SessionScript& script) {
        begin_stream(script);
        script.client_sends(copy_row("r1"), terminate_request).expect_quiet().expect_forwarded(copy_row("r1"), terminate_request);
        script.server_sends(streamed("w2")).expect_quiet().expect_client_gets("");
        script.lose_server().expect({"close client"});
    });
}

TEST_CASE("a server that does not go when it is told to is closed after the drain") {
    SessionScript script;
    begin_stream(script);
    script.client_sends(terminate_request).expect_quiet();
    script.wait(Microseconds{4'999'999}).expect_quiet();
    script.wait(Microseconds{1}).expect({"close server", "close client"});
}

TEST_CASE("a client that is lost takes its server along, wherever the two are") {
    const auto lost = [](SessionScript& script) { script.lose_client().expect({"close server", "close client"}); };
    for_each_byte(
        [](SessionScript& script) {
            begin_stream(script);
            script.client_sends(copy_row("r1"), copy_done).expect_quiet();
            script.server_sends(server_copy_done, complete("COPY 0"), ready).expect_quiet();
            script.client_sends(query("begin")).expect_quiet();
            script.server_sends(complete("BEGIN"), ready_in_transaction).expect_quiet();
            script.client_sends(query("copy t from stdin")).expect_quiet();
            script.server_sends(copy_in_response).expect_quiet();
        },
        lost);
}

TEST_CASE("a server that is lost takes its client along, who is told unless the server said it") {
    SessionScript script;
    begin_stream(script);
    script.lose_server().expect_fault(Fault::server_lost);

    SessionScript told;
    begin_stream(told);
    told.server_sends(fatal()).expect_quiet();
    told.lose_server().expect({"close client"});
}

TEST_CASE("a client whose server RECONNECT or a reload ends is told of an operator, unless the server has said why") {
    for (const CloseReason reason : {CloseReason::marked, CloseReason::target_changed}) {
        SessionScript script;
        begin_stream(script);
        script.lose_server(reason).expect_fault(Fault::admin_disconnect);

        SessionScript in_a_message;
        begin_stream(in_a_message);
        in_a_message.server_sends(streamed("half of it").substr(0, 8));
        in_a_message.lose_server(reason).expect({"close client"});

        SessionScript told;
        begin_stream(told);
        told.server_sends(fatal()).expect_quiet();
        told.lose_server(reason).expect({"close client"});

        SessionScript gone;
        begin_stream(gone);
        gone.client_sends(terminate_request).expect_quiet();
        gone.lose_server(reason).expect({"close client"});
    }
    for (const CloseReason reason : {CloseReason::crashed, CloseReason::database_removed, CloseReason::pairing}) {
        SessionScript script;
        begin_stream(script);
        script.lose_server(reason).expect_fault(Fault::server_lost);
    }
}

}  // namespace pgweir::test
