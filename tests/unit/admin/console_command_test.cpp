// The console's language: which text is which command, and what is none.

#include "admin/console_command.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {

namespace {

Command must_parse(std::string_view text) {
    const auto command = parse_command(text);
    INFO(text);
    REQUIRE(command.has_value());
    return *command;
}

CommandError error_in(std::string_view text) {
    const auto command = parse_command(text);
    INFO(text);
    REQUIRE_FALSE(command.has_value());
    return command.error();
}

bool is_unknown(std::string_view text) { return error_in(text) == CommandError::unknown; }

Command show(ShowKind kind) { return {.verb = kind}; }
Command order(OrderKind kind, std::string argument = {}) { return {.verb = kind, .argument = std::move(argument)}; }
Command set(std::string key, std::string value) {
    return {.verb = OrderKind::set, .key = std::move(key), .value = std::move(value)};
}

}  // namespace

TEST_CASE("a command is taken in any case, with any white space and with or without a semicolon") {
    for (const auto* text : {"SHOW POOLS", "show pools;", "\t\r\n\f Show \v pOOLs \n ; ", "SELECT pools", "\"show\" \"pools\""})
        CHECK(must_parse(text) == show(ShowKind::pools));
}

TEST_CASE("each order has its word") {
    CHECK(must_parse("reload") == order(OrderKind::reload));
    CHECK(must_parse("pause") == order(OrderKind::pause));
    CHECK(must_parse("resume app") == order(OrderKind::resume, "app"));
    CHECK(must_parse("suspend") == order(OrderKind::suspend));
    CHECK(must_parse("disable app") == order(OrderKind::disable, "app"));
    CHECK(must_parse("enable") == order(OrderKind::enable));
    CHECK(must_parse("reconnect") == order(OrderKind::reconnect));
    CHECK(must_parse("wait_close app") == order(OrderKind::wait_close, "app"));
    CHECK(must_parse("kill app") == order(OrderKind::kill, "app"));
    CHECK(must_parse("kill_client 12") == order(OrderKind::kill_client, "12"));
    CHECK(must_parse("shutdown") == order(OrderKind::shutdown));
    CHECK(must_parse("shutdown wait_for_CLIENTS") == order(OrderKind::shutdown, "wait_for_CLIENTS"));
}

TEST_CASE("an argument keeps its case, and its quotes come off") {
    CHECK(must_parse("PAUSE MyDb") == order(OrderKind::pause, "MyDb"));
    CHECK(must_parse("PAUSE \"my-db; \"\"x\"\"\";") == order(OrderKind::pause, "my-db; \"x\""));
}

TEST_CASE("SET takes a word or a string, behind = or TO") {
    CHECK(must_parse("set a=1") == set("a", "1"));
    CHECK(must_parse("SET A TO b ;") == set("A", "b"));
    CHECK(must_parse("set a to'x y'") == set("a", "x y"));
    CHECK(must_parse("set a = 'it''s;'") == set("a", "it's;"));
    CHECK(must_parse("set a = ''") == set("a", ""));
    CHECK(must_parse("set \"a\" = \"b c\"") == set("a", "b c"));
}

TEST_CASE("what is no command is refused") {
    for (const auto* text : {"", ";", "  ", "show", "show nothing", "select 1", "pools", "show pools;;", "show pools; show pools",
                             "show pools users", "show\"pools\"", "show 'pools'", "show pools -- why", "begin", "set", "set a",
                             "set a =", "set a = 1 2", "set a 1", "set a = -1", "set a = 1.5", "set a = 'x", "set\"a\"=1",
                             "pause \"\"", "pause \"app", "pause my-db", "show p\xc3\xb6ols"})
        CHECK(is_unknown(text));
}

TEST_CASE("a word too many is refused where none is taken") {
    for (const auto* text : {"reload now", "suspend app", "shutdown now", "shutdown wait_for_nobody"}) CHECK(is_unknown(text));
}

TEST_CASE("words beyond their length are bad arguments, those of just that length are not") {
    const std::string longest(63, 'x');
    CHECK(must_parse("pause " + longest) == order(OrderKind::pause, longest));
    CHECK(error_in("pause " + longest + "x") == CommandError::bad_arguments);
    CHECK(is_unknown("abcdefghijklmno"));
    CHECK(error_in("abcdefghijklmnop") == CommandError::bad_arguments);
    CHECK(must_parse("set " + longest + " = '" + std::string(255, 'v') + "'") == set(longest, std::string(255, 'v')));
    CHECK(error_in("set a = '" + std::string(256, 'v') + "'") == CommandError::bad_arguments);
    CHECK(error_in("set " + longest + "x = 1") == CommandError::bad_arguments);
}

TEST_CASE("an error names the text as it came") {
    CHECK(error_text(CommandError::unknown, " select 1;") == "invalid command ' select 1;', use SHOW HELP;");
    CHECK(error_text(CommandError::bad_arguments, "x") == "bad arguments");
}

TEST_CASE("an order says what it is about") {
    CHECK(order_of(must_parse("set a = b")) == Order{.kind = OrderKind::set, .key = "a", .value = "b"});
    CHECK(order_of(must_parse("pause app")) == Order{.kind = OrderKind::pause, .database = "app"});
    CHECK(order_of(must_parse("kill_client 12")) == Order{.kind = OrderKind::kill_client, .client_id = 12});
    CHECK(order_of(must_parse("kill_client 0")).client_id == 0);
    CHECK_FALSE(order_of(must_parse("kill_client 12x")).client_id);
    CHECK(order_of(must_parse("shutdown")) == Order{.kind = OrderKind::shutdown, .wants_answer = false});
    CHECK(order_of(must_parse("shutdown wait_for_servers")).mode == ShutdownMode::wait_for_servers);
    CHECK(order_of(must_parse("shutdown wait_for_clients")).mode == ShutdownMode::wait_for_clients);
}

TEST_CASE("SET leaves alone what drivers set at their start, and nothing else") {
    for (const auto* key :
         {"client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings", "default_transaction_isolation"})
        CHECK(is_ignored_by_set(key));
    for (const auto* key : {"pool_mode", "version", "stats", ""}) CHECK_FALSE(is_ignored_by_set(key));
}

}  // namespace pgweir::test
