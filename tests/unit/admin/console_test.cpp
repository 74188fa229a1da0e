// Simple queries that are answered without an order: errors, fixed values, HELP, who may do what.

#include "admin/console.hpp"

#include "admin/version.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/console_reply.hpp"

namespace pgweir::test {

TEST_CASE("what is no command gets an ERROR and the session goes on") {
    Console console(ConsoleRole::admin);
    const auto step = console.on_query("drop table x");
    const auto reply = read_reply(step.bytes);
    CHECK(reply.types == "EZ");
    CHECK(reply.error == "08P01 invalid command 'drop table x', use SHOW HELP;");
    CHECK(step.error == "invalid command 'drop table x', use SHOW HELP;");
    CHECK(ask(console, "").error == "08P01 invalid command '', use SHOW HELP;");
    CHECK(ask(console, "abcdefghijklmnop").error == "08P01 bad arguments");
    CHECK(ask(console, "show version").types == "TDCZ");
}

TEST_CASE("SHOW VERSION names the program") {
    const auto reply = show("show version", {});
    CHECK(reply.rows == std::vector<ReplyRow>{{std::string(version_text)}});
    CHECK(version_text == "pgweir " + std::string(version_number));
}

TEST_CASE("parameters that drivers ask for have fixed values") {
    const std::vector<std::pair<std::string, std::string>> fixed{{"client_encoding", "UTF-8"},
                                                                 {"default_transaction_isolation", "read committed"},
                                                                 {"standard_conforming_strings", "on"},
                                                                 {"datestyle", "ISO"},
                                                                 {"timezone", "GMT"}};
    for (const auto& [name, value] : fixed) {
        const auto reply = show("SHOW " + name, {});
        CHECK(reply.columns == std::vector<ReplyColumn>{{name, 25, -1, 0}});
        CHECK(reply.rows == std::vector<ReplyRow>{{value}});
        CHECK(reply.tag == "SHOW");
    }
}

TEST_CASE("SET of a fixed parameter is ignored, with a notice, for anyone") {
    Console console(ConsoleRole::stats);
    const auto reply = ask(console, "SET TimeZone TO 'UTC'");
    CHECK(reply.types == "NCZ");
    CHECK(reply.notice == "SET ignored");
    CHECK(reply.tag == "SET");
}

TEST_CASE("SHOW HELP has no rows but a notice that names every command") {
    const auto reply = show("show help", {});
    CHECK(reply.types == "NCZ");
    CHECK(reply.notice == "Console usage");
    CHECK(reply.tag == "SHOW");
    for (const auto* word : {"STATS_AVERAGES", "PEER_POOLS", "FDS", "ACTIVE_SOCKETS", "KILL_CLIENT", "WAIT_CLOSE", "WAIT_FOR_SERVERS"})
        CHECK(reply.detail.find(word) != std::string::npos);
}

TEST_CASE("SHOW FDS is for administrators, its descriptors and secrets for the owner of the process alone") {
    Console stats(ConsoleRole::stats);
    CHECK(ask(stats, "show fds").error == "08P01 admin access needed");
    Console admin(ConsoleRole::admin);
    CHECK(admin.on_query("show fds").needs == Needs::fds);
    Console owner(ConsoleRole::admin, true);
    CHECK(owner.on_query("show fds").needs == (Needs::fds | Needs::fd_handles));

    Inventory inventory;
    inventory.fds.push_back({.fd = 7, .task = "pooler", .addr = "127.0.0.1", .port = 6432, .handle = std::make_shared<const int>(70)});
    inventory.fds.push_back({.fd = 8, .task = "client", .user = "alice", .database = "app", .addr = "unix", .cancel = 5, .link = 9,
                             .scram_client_key = std::string("\x01\xff"), .handle = std::make_shared<const int>(80)});
    const auto step = owner.answer(inventory);
    const auto reply = read_reply(step.bytes);
    REQUIRE(reply.rows.size() == 2);
    CHECK(reply.rows[1] == ReplyRow{"8", "client", "alice", "app", "unix", "0", "5", "9", std::nullopt, std::nullopt, std::nullopt,
                                    std::nullopt, std::nullopt, "\\x01ff", std::nullopt});
    REQUIRE(step.descriptors.size() == 2);
    CHECK(*step.descriptors[1].handle == 80);
    CHECK(step.bytes[step.descriptors[0].offset] == 'D');    // each goes with the first byte of its row
    CHECK(step.bytes[step.descriptors[1].offset] == 'D');
}

TEST_CASE("a stats user gives no order") {
    Console console(ConsoleRole::stats);
    for (const auto* text : {"set verbose = 1", "reload", "pause", "resume app", "suspend", "disable app", "enable", "reconnect",
                             "wait_close", "kill pgbouncer", "kill_client x", "shutdown"})
        CHECK(ask(console, text).error == "08P01 admin access needed");
    CHECK(console.on_query("show pools").needs == Needs::pools);
}

TEST_CASE("a SHOW asks for what it needs and answers with it") {
    Console console(ConsoleRole::admin);
    const auto step = console.on_query("show sockets");
    CHECK(step.bytes.empty());
    CHECK(asks_for(step.needs, Needs::clients));
    CHECK(asks_for(step.needs, Needs::servers));
    CHECK_FALSE(asks_for(step.needs, Needs::pools));
    REQUIRE(console.is_waiting());
    const auto reply = read_reply(console.answer({}).bytes);
    CHECK(reply.types == "TCZ");
    CHECK(reply.tag == "SHOW");
    CHECK_FALSE(console.is_waiting());
}

}  // namespace pgweir::test
