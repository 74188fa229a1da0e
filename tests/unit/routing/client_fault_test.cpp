#include "routing/client_fault.hpp"

#include <set>

#include "protocol/backend/error_response.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"

namespace pgweir::test {
namespace {

template <class Do>
void for_each_fault(Do&& check) {
    for (int i = 1; i < static_cast<int>(Fault::count_); ++i) check(static_cast<Fault>(i));
}

// The field of an ErrorResponse frame; empty if it is not there.
std::string field(const std::string& frame, char code) {
    const auto error = backend::ErrorResponse::parse(BodyReader(Bytes(frame).substr(5)));
    REQUIRE(error);
    return std::string(error->fields.field(code));
}

std::string fault_frame(Fault fault, std::string_view argument = {}, bool compat_codes = false) {
    std::string out;
    append_fault(out, fault, argument, compat_codes);
    return out;
}

}  // namespace

TEST_CASE("every fault has a text, a five-character SQLSTATE, and PgBouncer's own code beside it") {
    for_each_fault([](Fault fault) {
        const auto& row = fault_row(fault);
        INFO(row.message);
        CHECK(row.fault == fault);
        CHECK(std::string_view(row.message) != "");
        CHECK(std::string_view(row.sqlstate).size() == 5);
        for (const char c : std::string_view(row.sqlstate)) CHECK(((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')));
        CHECK(std::string_view(row.compat_sqlstate) == "08P01");
    });
}

TEST_CASE("no two faults share both a text and a hint") {
    std::set<std::string> texts;
    for_each_fault([&](Fault fault) { CHECK(texts.insert(std::string(fault_row(fault).message) + fault_row(fault).hint).second); });
}

TEST_CASE("drivers get the SQLSTATE that fits") {
    CHECK(field(fault_frame(Fault::query_wait_timeout), 'C') == "53300");
    CHECK(field(fault_frame(Fault::too_many_clients), 'C') == "53300");
    CHECK(field(fault_frame(Fault::shutting_down), 'C') == "57P01");
    CHECK(field(fault_frame(Fault::no_such_database, "x"), 'C') == "3D000");
    CHECK(field(fault_frame(Fault::password_failed), 'C') == "28P01");
    CHECK(field(fault_frame(Fault::sasl_failed), 'C') == "28P01");
    CHECK(field(fault_frame(Fault::server_lost), 'C') == "08006");
    CHECK(field(fault_frame(Fault::idle_transaction_timeout), 'C') == "25P03");
    CHECK(field(fault_frame(Fault::console_not_allowed), 'C') == "42501");
}

TEST_CASE("with compatible codes every fault is 08P01") {
    for_each_fault([](Fault fault) { CHECK(field(fault_frame(fault, "x", true), 'C') == "08P01"); });
}

TEST_CASE("the argument stands in its place in the text") {
    CHECK(fault_message(Fault::no_such_database, "app") == "no such database: app");
    CHECK(fault_message(Fault::database_disabled, "app") == "database \"app\" is disabled");
    CHECK(fault_message(Fault::server_login_failing, "no route") ==
          "server login has been failing, cached error: no route (server_login_retry)");
    CHECK(fault_message(Fault::query_timeout, "unused") == "query timeout");
}

TEST_CASE("an argument cannot add fields or replace itself") {
    const auto frame = fault_frame(Fault::no_such_database, std::string_view("x\0Cevil", 7));
    CHECK(field(frame, 'M') == "no such database: x");
    CHECK(field(frame, 'C') == "3D000");
    CHECK(fault_message(Fault::no_such_database, "{}") == "no such database: {}");
}

TEST_CASE("a fault says FATAL unless told otherwise") {
    CHECK(field(fault_frame(Fault::query_timeout), 'S') == "FATAL");
    std::string out;
    append_fault(out, Fault::query_timeout, {}, false, "ERROR");
    CHECK(field(out, 'S') == "ERROR");
}

TEST_CASE("detail and hint are sent where there are any") {
    CHECK(field(fault_frame(Fault::query_wait_timeout), 'H') == fault_row(Fault::query_wait_timeout).hint);
    CHECK(field(fault_frame(Fault::query_wait_timeout), 'D') == fault_row(Fault::query_wait_timeout).detail);
    CHECK(fault_frame(Fault::repeated_start_up).find(std::string_view("\0H", 2)) == std::string::npos);
}

TEST_CASE("a server's refusal is passed on with its own code and text") {
    std::string out;
    append_server_refusal(out, "3D000", "database \"x\" does not exist");
    CHECK(field(out, 'S') == "FATAL");
    CHECK(field(out, 'C') == "3D000");
    CHECK(field(out, 'M') == "database \"x\" does not exist");
}

}  // namespace pgweir::test
