// The console over the extended protocol, as drivers use it.

#include "admin/console.hpp"
#include "protocol/frontend/flush.hpp"
#include "protocol/frontend/query.hpp"
#include "protocol/frontend/sync.hpp"
#include "protocol/frontend/terminate.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/admin/console_reply.hpp"

namespace pgweir::test {

using namespace std::literals;
using frontend::Bind, frontend::Close, frontend::Describe, frontend::Execute, frontend::Parse, frontend::Sync, frontend::Target;

namespace {

struct Driver {
    Console console{ConsoleRole::admin};
    Inventory inventory{};
    std::string bytes{};
    std::optional<Order> order{};

    template <class Message>
    ConsoleStep step(const Message& message) {
        std::string body;
        BodyWriter writer(body);
        message.serialize(writer);
        return console.on_message(Message::type, body);
    }

    template <class Message>
    Driver& send(const Message& message) {
        auto taken = step(message);
        bytes += taken.bytes;
        if (taken.needs != Needs::none) bytes += console.answer(inventory).bytes;
        if (taken.order) order = taken.order;
        return *this;
    }

    Reply reply() { return read_reply(std::exchange(bytes, {})); }
};

Bind bind_of(Bytes statement) { return {"", statement, {}, {}, {}}; }

Inventory two_users() {
    Inventory inventory;
    inventory.users = {{.name = "alice", .pool_size = 5, .max_user_connections = 258},
                       {.name = "bob"}};
    return inventory;
}

}  // namespace

TEST_CASE("a SHOW over the extended protocol has the columns and rows of the simple one") {
    Driver driver{.inventory = two_users()};
    const auto extended = driver.send(Parse{"", "show users", {}}).send(Bind{}).send(Describe{Target::portal, ""})
                              .send(Execute{"", 0}).send(Sync{}).reply();
    const auto simple = show("show users", driver.inventory);
    CHECK(extended.types == "12TDDCZ");
    CHECK(extended.columns == simple.columns);
    CHECK(extended.rows == simple.rows);
    CHECK(extended.tag == "SHOW");
}

TEST_CASE("a statement's columns are known before it runs") {
    Driver driver;
    const auto columns = driver.send(Parse{"s", "show users", {}}).send(Describe{Target::statement, "s"}).send(Sync{}).reply();
    CHECK(columns.types == "1tTZ");
    CHECK(columns.columns.size() == 8);
    const auto none = driver.send(Parse{"", "reload", {}}).send(Describe{Target::statement, ""}).send(Sync{}).reply();
    CHECK(none.types == "1tnZ");
}

TEST_CASE("a named statement is bound again and again, until it is closed") {
    Driver driver;
    driver.send(Parse{"s", "show version", {}}).send(Sync{});
    for (int i = 0; i < 2; ++i) driver.send(bind_of("s")).send(Execute{"", 0}).send(Sync{});
    CHECK(driver.reply().types == "1Z2DCZ2DCZ");
    CHECK(driver.send(Parse{"s", "show state", {}}).send(Sync{}).reply().error ==
          "42P05 prepared statement \"s\" already exists");
    CHECK(driver.send(Close{Target::statement, "s"}).send(Close{Target::portal, "none"}).send(Sync{}).reply().types == "33Z");
    CHECK(driver.send(bind_of("s")).send(Sync{}).reply().error == "26000 prepared statement \"s\" does not exist");
}

TEST_CASE("after an error everything is passed over up to Sync") {
    Driver driver;
    const auto reply = driver.send(Parse{"", "select 1", {}}).send(Bind{}).send(Execute{"", 0})
                           .send(frontend::Query{"show version"}).send(Sync{}).reply();
    CHECK(reply.types == "EZ");
    CHECK(reply.error == "08P01 invalid command 'select 1', use SHOW HELP;");
    CHECK(driver.send(Parse{"", "show version", {}}).send(Sync{}).reply().types == "1Z");
}

TEST_CASE("a portal ends at Sync") {
    Driver driver;
    driver.send(Parse{"", "show version", {}}).send(Bind{}).send(Sync{});
    driver.bytes.clear();
    CHECK(driver.send(Execute{"", 0}).send(Sync{}).reply().error == "34000 portal \"\" does not exist");
}

TEST_CASE("a simple query drops the unnamed statement") {
    Driver driver;
    driver.send(Parse{"", "show version", {}}).send(Sync{}).send(frontend::Query{"show version"});
    driver.bytes.clear();
    CHECK(driver.send(Bind{}).send(Sync{}).reply().error == "26000 unnamed prepared statement does not exist");
}

TEST_CASE("rows come in portions where a limit asks for it") {
    Driver driver{.inventory = two_users()};
    const auto reply = driver.send(Parse{"", "show users", {}}).send(Bind{}).send(Execute{"", 1}).send(Execute{"", 1})
                           .send(Execute{"", 1}).send(Sync{}).reply();
    CHECK(reply.types == "12DsDCCZ");
    CHECK(reply.rows.size() == 2);
}

TEST_CASE("a driver may ask for binary results") {
    Driver driver{.inventory = two_users()};
    FormatListBuilder formats;
    formats.add(binary_format);
    const auto reply = driver.send(Parse{"", "show users", {}}).send(Bind{"", "", {}, {}, formats.view()})
                           .send(Describe{Target::portal, ""}).send(Execute{"", 0}).send(Sync{}).reply();
    REQUIRE(reply.rows.size() == 2);
    CHECK(reply.columns[4] == ReplyColumn{"max_user_connections", 23, 4, 1});
    CHECK(reply.rows[0][0] == "alice");
    CHECK(reply.rows[0][4] == "\x00\x00\x01\x02"s);
}

TEST_CASE("formats that do not fit are refused") {
    Driver driver;
    FormatListBuilder two;
    two.add(text_format).add(text_format);
    driver.send(Parse{"", "show users", {}}).send(Bind{"", "", {}, {}, two.view()}).send(Sync{});
    CHECK(driver.reply().error == "08P01 bind message has 2 result formats but query has 8 columns");
    FormatListBuilder unknown;
    unknown.add(2);
    CHECK(driver.send(Bind{"", "", {}, {}, unknown.view()}).send(Sync{}).reply().error == "22023 unsupported format code: 2");
}

TEST_CASE("a parameter is refused: no command has any") {
    Driver driver;
    ValueListBuilder values;
    values.add("x");
    driver.send(Parse{"", "show users", {}}).send(Bind{"", "", {}, values.view(), {}}).send(Sync{});
    CHECK(driver.reply().error == "08P01 bind message supplies 1 parameters, but no command has any");
}

TEST_CASE("an order over the extended protocol is answered at its place, and given once") {
    Driver driver;
    driver.send(Parse{"", "pause app", {}}).send(Bind{}).send(Execute{"", 0});
    CHECK(driver.order == Order{.kind = OrderKind::pause, .database = "app"});
    REQUIRE(driver.console.is_waiting());
    driver.bytes += driver.console.done().bytes;
    CHECK(driver.reply().types == "12C");
    CHECK(driver.send(Execute{"", 0}).send(Sync{}).reply().error == "55000 portal \"\" cannot be run");
}

TEST_CASE("an order that fails skips to Sync") {
    Driver driver;
    driver.send(Parse{"", "pause app", {}}).send(Bind{}).send(Execute{"", 0});
    driver.bytes += driver.console.failed(OrderError::no_such_database).bytes;
    CHECK(driver.send(Bind{}).send(Sync{}).reply().types == "12EZ");
}

TEST_CASE("help, ignored SETs and Flush work as in simple queries") {
    Driver driver;
    CHECK(driver.send(Parse{"", "show help", {}}).send(Bind{}).send(Execute{"", 0}).send(Sync{}).reply().types == "12NCZ");
    CHECK(driver.send(Parse{"", "set datestyle = iso", {}}).send(Bind{}).send(Execute{"", 0}).send(frontend::Flush{})
              .send(Sync{}).reply().types == "12NCZ");
}

TEST_CASE("the statements that a session keeps are bounded") {
    Driver driver;
    std::string error;
    int kept = 0;
    for (; error.empty() && kept < 10'000; ++kept) {
        const auto name = std::to_string(kept);
        error = driver.send(Parse{name, "show users", {}}).send(Sync{}).reply().error;
    }
    CHECK(error == "54000 too many prepared statements");
}

TEST_CASE("Terminate closes, also while errors are passed over") {
    Driver driver;
    driver.send(Parse{"", "", {}});
    const auto step = driver.step(frontend::Terminate{});
    CHECK(step.closes);
    CHECK(step.fault == Fault::none);
}

TEST_CASE("what is not a message of the protocol's query phase closes with a fault") {
    Console console(ConsoleRole::admin);
    for (const char type : {'d', 'c', 'f'}) CHECK(console.on_message(static_cast<frontend::Type>(type), "").bytes.empty());
    for (const char type : {'F', 'p', '?'}) {
        const auto step = console.on_message(static_cast<frontend::Type>(type), "");
        CHECK(step.closes);
        CHECK(step.fault == Fault::unknown_packet);
    }
    for (const char type : {'Q', 'P', 'B', 'D', 'E', 'C'}) {
        const auto step = console.on_message(static_cast<frontend::Type>(type), "no end");
        CHECK(step.closes);
        CHECK(step.fault == Fault::protocol_violation);
    }
}

}  // namespace pgweir::test
