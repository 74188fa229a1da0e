#include "routing/connection_string.hpp"

#include "routing/entry_parser.hpp"
#include "tests/support/catch.hpp"

using namespace pgweir;
using namespace std::chrono_literals;

namespace {

using Parameters = std::vector<ConnectionParameter>;

DatabaseEntry database(const std::string& value, EntryNotes& notes) {
    return parse_database_entry("app", value, notes);
}

DatabaseEntry database(const std::string& value) {
    EntryNotes notes;
    auto entry = database(value, notes);
    CHECK(notes.errors.empty());
    return entry;
}

std::vector<std::string> database_errors(const std::string& value) {
    EntryNotes notes;
    database(value, notes);
    return notes.errors;
}

}  // namespace

TEST_CASE("pairs are parted by blanks, with or without blanks around the equals sign") {
    CHECK(parse_connection_string(" host=h  port = 5\tuser =u ") ==
          Parameters{{"host", "h"}, {"port", "5"}, {"user", "u"}});
    CHECK(parse_connection_string("") == Parameters{});
}

TEST_CASE("a quoted value keeps blanks, and two quotes are one") {
    CHECK(parse_connection_string("connect_query='set a = ''x''; select 1' port=1") ==
          Parameters{{"connect_query", "set a = 'x'; select 1"}, {"port", "1"}});
    CHECK(parse_connection_string("host=h'x") == Parameters{{"host", "h'x"}});
}

TEST_CASE("an empty value, a missing equals sign and an open quote are syntax errors") {
    const auto* text = GENERATE("host=", "host=''", "host", "host='x", "=h", "host=h , x", "host= ");
    CAPTURE(text);
    CHECK_FALSE(parse_connection_string(text));
}

TEST_CASE("an entry's database name is its own name when it says no other") {
    CHECK(database("host=h").dbname == "app");
    CHECK(database("dbname=other").dbname == "other");
    EntryNotes notes;
    CHECK(parse_database_entry("*", "host=h", notes).dbname.empty());
}

TEST_CASE("every database key reaches its field") {
    const auto entry = database(
        "dbname=d host=h1,/run/pg port=6 user=u password=p auth_user=au auth_query=aq auth_dbname=ad pool_size=1 "
        "min_pool_size=2 reserve_pool=3 pool_mode=Statement connect_query=cq query_wait_timeout=4 "
        "load_balance_hosts=disable max_db_connections=5 max_db_client_connections=6 server_lifetime=7 "
        "client_encoding=ce datestyle=ds timezone=tz application_name=an");
    CHECK(entry.hosts == std::vector<std::string>{"h1", "/run/pg"});
    CHECK(entry.port == 6);
    CHECK(entry.user == "u");
    CHECK(entry.password == "p");
    CHECK(entry.auth_user + entry.auth_query + entry.auth_dbname == "auaqad");
    CHECK(entry.pool_size == 1);
    CHECK(entry.min_pool_size == 2);
    CHECK(entry.reserve_pool_size == 3);
    CHECK(entry.pool_mode == PoolMode::statement);
    CHECK(entry.connect_query == "cq");
    CHECK(entry.query_wait_timeout == 4s);
    CHECK(entry.load_balance_hosts == LoadBalanceHosts::disable);
    CHECK(entry.max_db_connections == 5);
    CHECK(entry.max_db_client_connections == 6);
    CHECK(entry.server_lifetime == 7s);
    CHECK(entry.client_encoding + entry.datestyle + entry.timezone + entry.application_name == "cedstzan");
}

TEST_CASE("sizes are unset by a negative number, a lifetime by zero, a wait not by zero") {
    CHECK(database("pool_size=-1").pool_size == std::nullopt);
    CHECK(database("pool_size=0").pool_size == 0);
    CHECK(database("server_lifetime=0").server_lifetime == std::nullopt);
    CHECK(database("query_wait_timeout=0").query_wait_timeout == 0s);
}

TEST_CASE("an integer of an entry is read by its leading digits, with a warning") {
    EntryNotes notes;
    CHECK(database("pool_size=12abc", notes).pool_size == 12);
    CHECK(database("pool_size=abc", notes).pool_size == 0);
    CHECK(notes.errors.empty());
    CHECK(notes.warnings.size() == 2);
}

TEST_CASE("a time of an entry may have a unit") {
    CHECK(database("query_wait_timeout=250ms").query_wait_timeout == 250ms);
}

TEST_CASE("what is wrong in an entry is named, and never with its password") {
    using Lines = std::vector<std::string>;
    CHECK(database_errors("hots=h password=secret") == Lines{"unrecognized connection parameter: hots"});
    CHECK(database_errors("password=secret host=") == Lines{"syntax error in connection string"});
    CHECK(database_errors("port=0") == Lines{"invalid port: 0"});
    CHECK(database_errors("port=65536") == Lines{"invalid port: 65536"});
    CHECK(database_errors("pool_mode=x") == Lines{"invalid pool mode: x"});
    CHECK(database_errors("load_balance_hosts=x") == Lines{"invalid load_balance_hosts: x"});
    CHECK(database_errors("host=a,,b") == Lines{"an empty item in host"});
    CHECK(database_errors("a=1 b=2").size() == 2);
}

TEST_CASE("a user's line may be empty, and every key reaches its field") {
    EntryNotes notes;
    UserEntry nothing_set;
    nothing_set.name = "u";
    CHECK(parse_user_entry("u", "", notes) == nothing_set);
    const auto entry = parse_user_entry(
        "u",
        "pool_mode=session pool_size=1 reserve_pool_size=2 max_user_connections=3 max_user_client_connections=4 "
        "query_timeout=5 query_wait_timeout=6 idle_transaction_timeout=7 transaction_timeout=8 client_idle_timeout=9",
        notes);
    CHECK(entry == UserEntry{"u", PoolMode::session, 1, 2, 3, 4, 6s, 5s, 7s, 8s, 9s});
    CHECK(notes.errors.empty());

    parse_user_entry("u", "host=h", notes);
    CHECK(notes.errors == std::vector<std::string>{"unrecognized user parameter: host"});
}

TEST_CASE("a peer needs a positive number and a host") {
    EntryNotes notes;
    CHECK(parse_peer_entry("2", "host=h pool_size=3", notes) == PeerEntry{2, "h", 6432, 3});
    CHECK(notes.errors.empty());
    parse_peer_entry("x", "port=1", notes);
    CHECK(notes.errors.size() == 2);
}
