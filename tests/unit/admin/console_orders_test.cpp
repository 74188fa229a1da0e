// Orders: what is given out, what the operator and the log are told, and how a wait ends.

#include "admin/console.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/console_reply.hpp"

namespace pgweir::test {

namespace {

// Gives the order and hands back what is to be carried out.
Order order(Console& console, std::string_view text) {
    const auto step = console.on_query(text);
    INFO(text);
    CHECK(step.bytes.empty());
    REQUIRE(step.order.has_value());
    CHECK(console.is_waiting() == step.order->wants_answer);
    return *step.order;
}

std::string error_after(std::string_view text, OrderError error) {
    Console console(ConsoleRole::admin);
    order(console, text);
    const auto reply = read_reply(console.failed(error).bytes);
    CHECK(reply.types == "EZ");
    return reply.error;
}

}  // namespace

TEST_CASE("an order carried out is answered with its own word as the tag") {
    const std::vector<std::pair<std::string, std::string>> tags{
        {"reload", "RELOAD"}, {"pause", "PAUSE"}, {"pause app", "PAUSE"}, {"resume", "RESUME"}, {"suspend", "SUSPEND"},
        {"disable app", "DISABLE"}, {"enable app", "ENABLE"}, {"reconnect", "RECONNECT"}, {"wait_close", "WAIT_CLOSE"},
        {"kill", "KILL"}, {"kill_client 7", "KILL_CLIENT"}, {"shutdown wait_for_clients", "SHUTDOWN"},
        {"set verbose = '2'", "SET verbose=2"}};
    for (const auto& [text, tag] : tags) {
        Console console(ConsoleRole::admin);
        order(console, text);
        const auto reply = read_reply(console.done().bytes);
        CHECK(reply.types == "CZ");
        CHECK(reply.tag == tag);
        CHECK_FALSE(console.is_waiting());
    }
}

TEST_CASE("a plain SHUTDOWN is carried out and never answered") {
    Console console(ConsoleRole::admin);
    CHECK(order(console, "shutdown") == Order{.kind = OrderKind::shutdown, .wants_answer = false});
}

TEST_CASE("a notice goes before the answer") {
    Console console(ConsoleRole::admin);
    order(console, "set client_tls_sslmode = require");
    const auto reply = read_reply(console.done(tls_not_applied_notice).bytes);
    CHECK(reply.types == "NCZ");
    CHECK(reply.notice == "TLS settings could not be applied, still using old configuration");
}

TEST_CASE("the log tells which command was given, but no value that SET has been given") {
    const std::vector<std::pair<std::string, std::string>> lines{
        {"pause", "PAUSE command issued"},
        {"pause app", "PAUSE 'app' command issued"},
        {"kill_client 7", "KILL_CLIENT '7' command issued"},
        {"set auth_user = secret", "SET 'auth_user' command issued"},
        {"shutdown", "SHUTDOWN command issued"},
        {"shutdown wait_for_servers", "SHUTDOWN WAIT_FOR_SERVERS command issued"},
        {"shutdown wait_for_clients", "SHUTDOWN WAIT_FOR_CLIENTS command issued"}};
    for (const auto& [text, line] : lines) CHECK(Console(ConsoleRole::admin).on_query(text).log == line);
    CHECK(Console(ConsoleRole::admin).on_query("show pools").log.empty());
}

TEST_CASE("an order refused is answered with PgBouncer's text") {
    CHECK(error_after("set x = 1", OrderError::set_failed) == "08P01 SET failed");
    CHECK(error_after("reload", OrderError::reload_failed) == "F0000 RELOAD failed, see logs for additional details");
    CHECK(error_after("pause", OrderError::already_paused) == "08P01 already suspended/paused");
    CHECK(error_after("resume", OrderError::not_paused) == "08P01 pooler is not paused/suspended");
    CHECK(error_after("resume app", OrderError::database_not_paused) == "08P01 database app is not paused");
    CHECK(error_after("suspend", OrderError::suspend_while_paused) == "08P01 cannot suspend with paused databases");
    CHECK(error_after("resume", OrderError::shutting_down) == "08P01 pooler is shutting down");
    CHECK(error_after("kill nodb", OrderError::no_such_database) == "08P01 no such database: nodb");
    CHECK(error_after("kill_client 7", OrderError::client_not_found) == "08P01 client not found");
}

TEST_CASE("an order that cannot be right is not given") {
    const std::vector<std::pair<std::string, std::string>> errors{
        {"disable", "a database is required"},
        {"enable", "a database is required"},
        {"pause pgbouncer", "cannot pause admin db: pgbouncer"},
        {"resume pgbouncer", "database pgbouncer is not paused"},
        {"disable pgbouncer", "cannot disable admin db: pgbouncer"},
        {"enable pgbouncer", "cannot enable admin db: pgbouncer"},
        {"reconnect pgbouncer", "cannot reconnect admin db: pgbouncer"},
        {"wait_close pgbouncer", "cannot wait in admin db: pgbouncer"},
        {"kill pgbouncer", "cannot kill admin db: pgbouncer"},
        {"pause pgweir", "cannot pause admin db: pgweir"},
        {"kill_client", "invalid client pointer supplied"},
        {"kill_client 0x55", "invalid client pointer supplied"},
        {"kill_client 99999999999999999999999", "invalid client pointer supplied"}};
    Console console(ConsoleRole::admin);
    for (const auto& [text, error] : errors) CHECK(ask(console, text).error == "08P01 " + error);
}

TEST_CASE("a cancel request ends the wait for PAUSE or SUSPEND, which are resumed") {
    for (const auto* text : {"pause", "pause app", "suspend"}) {
        Console console(ConsoleRole::admin);
        const auto given = order(console, text);
        const auto step = console.on_cancel();
        CHECK(step.order == Order{.kind = OrderKind::resume, .database = given.database, .wants_answer = false});
        const auto reply = read_reply(step.bytes);
        CHECK(reply.types == "EZ");
        CHECK(reply.error == "57014 canceling statement due to user request");
        CHECK_FALSE(console.is_waiting());
        CHECK(console.done().bytes.empty());
        CHECK(console.failed(OrderError::not_paused).bytes.empty());
        CHECK_FALSE(console.on_gone().order);
    }
}

TEST_CASE("a cancel request ends the wait of WAIT_CLOSE, and nothing else") {
    Console console(ConsoleRole::admin);
    CHECK(console.on_cancel().bytes.empty());
    order(console, "wait_close");
    const auto step = console.on_cancel();
    CHECK_FALSE(step.order);
    CHECK(read_reply(step.bytes).types == "EZ");
    order(console, "reload");
    CHECK(console.on_cancel().bytes.empty());
    CHECK(console.is_waiting());
}

TEST_CASE("a SUSPEND does not outlive its console") {
    const Order resume{.kind = OrderKind::resume, .wants_answer = false};
    Console waiting(ConsoleRole::admin);
    order(waiting, "suspend");
    const auto step = waiting.on_gone();
    CHECK(step.order == resume);
    CHECK(step.log == "admin disappeared when suspended, doing RESUME");

    Console suspended(ConsoleRole::admin);
    order(suspended, "suspend");
    suspended.done();
    CHECK(suspended.on_gone().order == resume);
}

TEST_CASE("a console that did not suspend, or has resumed, leaves without an order") {
    Console paused(ConsoleRole::admin);
    order(paused, "pause");
    CHECK_FALSE(paused.on_gone().order);

    Console refused(ConsoleRole::admin);
    order(refused, "suspend");
    refused.failed(OrderError::already_paused);
    CHECK_FALSE(refused.on_gone().order);

    Console resumed(ConsoleRole::admin);
    order(resumed, "suspend");
    resumed.done();
    order(resumed, "resume");
    resumed.done();
    CHECK_FALSE(resumed.on_gone().order);
}

}  // namespace pgweir::test
