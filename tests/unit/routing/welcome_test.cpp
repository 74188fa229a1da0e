#include "routing/welcome.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/routing/login_script.hpp"

namespace pgweir::test {

TEST_CASE("the client's own values lie over the server's, and what the server does not report stays out") {
    const auto parameters = welcome_parameters({{"server_version", "17"}, {"DateStyle", "ISO"}, {"TimeZone", "UTC"}},
                                               {{"datestyle", "German"}, {"search_path", "x"}});
    CHECK(parameters == ParameterList{{"server_version", "17"}, {"DateStyle", "German"}, {"TimeZone", "UTC"}});
}

TEST_CASE("the welcome has its messages in order") {
    std::string out;
    append_welcome(out, {{"a", "1"}, {"b", "2"}}, Bytes("\0\0\0\7abcd", 8));
    CHECK(types_in(out) == "RSSKZ");
    const auto messages = messages_in(out);
    CHECK(messages[0].body == std::string(4, '\0'));
    CHECK(messages[2].body == std::string("b\0002\0", 4));
    CHECK(messages[3].body == std::string("\0\0\0\7abcd", 8));
    CHECK(messages[4].body == "I");
}

TEST_CASE("a login notice comes before the client may ask") {
    std::string out;
    append_welcome(out, {}, Bytes("\0\0\0\7abcd", 8), "maintenance at noon");
    CHECK(types_in(out) == "RKNZ");
    CHECK(messages_in(out)[2].body == std::string("SNOTICE\0C00000\0Mmaintenance at noon\0\0", 37));
}

TEST_CASE("the console's welcome names our version") {
    CHECK(*find_parameter(console_parameters("1.2"), "server_version") == "1.2/bouncer");
}

}  // namespace pgweir::test
