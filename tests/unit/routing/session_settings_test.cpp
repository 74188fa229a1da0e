#include "routing/session_settings.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

const TrackedParameters tracked({"IntervalStyle", "search_path"});

SharedParameters values(std::initializer_list<std::pair<std::string_view, std::string_view>> list) {
    SharedParameters set = std::make_shared<ParameterValues>();
    for (const auto& [name, value] : list) set = with_parameter(set, tracked.find(name), value, true);
    return set;
}

std::string replay(const SharedParameters& wanted, const SharedParameters& present) {
    CHECK(needs_replay(tracked, *wanted, *present) == !replay_statement(tracked, *wanted, *present).empty());
    return replay_statement(tracked, *wanted, *present);
}

}  // namespace

TEST_CASE("a tracked name is found in any letter case, another not at all") {
    CHECK(tracked.find("timezone") == tracked.find("TimeZone"));
    CHECK(tracked.find("timezone") >= 0);
    CHECK(tracked.find("TimeZon") == -1);
    CHECK(tracked.find("") == -1);
}

TEST_CASE("a name given twice is tracked once, and no more than the most are kept") {
    std::vector<std::string> extra = {"timezone", "APPLICATION_NAME", "one", "ONE"};
    CHECK(TrackedParameters(extra).names().size() == 6);
    for (int i = 0; i < 100; ++i) extra.push_back("name" + std::to_string(i));
    CHECK(TrackedParameters(extra).names().size() == TrackedParameters::names_max);
}

TEST_CASE("only what both know and what differs is replayed") {
    CHECK(replay(values({{"TimeZone", "UTC"}}), values({{"TimeZone", "UTC"}})).empty());
    CHECK(replay(values({{"TimeZone", "utc"}}), values({{"TimeZone", "UTC"}})).empty());
    CHECK(replay(values({{"TimeZone", "UTC"}}), values({{"client_encoding", "UTF8"}})).empty());
    CHECK(replay(values({}), values({{"TimeZone", "UTC"}})).empty());
    CHECK(replay(values({{"TimeZone", "UTC"}, {"client_encoding", "UTF8"}}),
                 values({{"TimeZone", "GMT"}, {"client_encoding", "UTF8"}})) == "SET TimeZone='UTC';");
    CHECK(replay(values({{"TimeZone", "UTC"}, {"application_name", ""}}),
                 values({{"TimeZone", "GMT"}, {"application_name", "psql"}})) ==
          "SET TimeZone='UTC';SET application_name='';");
}

TEST_CASE("letter case counts where it may make another value, and nowhere else") {
    CHECK(replay(values({{"search_path", "\"A\""}}), values({{"search_path", "\"a\""}})) == "SET search_path='A';");
    CHECK(replay(values({{"IntervalStyle", "ISO_8601"}}), values({{"IntervalStyle", "iso_8601"}})) == "SET IntervalStyle='ISO_8601';");
    CHECK(replay(values({{"DateStyle", "iso, mdy"}}), values({{"DateStyle", "ISO, MDY"}})).empty());
    CHECK(replay(values({{"standard_conforming_strings", "ON"}}), values({{"standard_conforming_strings", "on"}})).empty());
}

TEST_CASE("a value cannot leave its literal") {
    const auto present = values({{"application_name", "x"}});
    CHECK(replay(values({{"application_name", "a'b"}}), present) == "SET application_name='a''b';");
    CHECK(replay(values({{"application_name", "a\\"}}), present) == "SET application_name= E'a\\\\';");
    CHECK(replay(values({{"application_name", "a\\'; drop table t; --"}}), present) ==
          "SET application_name= E'a\\\\''; drop table t; --';");
}

TEST_CASE("a search_path is set name by name, as the server reads the list") {
    const auto set_to = [](const char* list) { return replay(values({{"search_path", list}}), values({{"search_path", "x"}})); };
    CHECK(set_to("\"$user\", public") == "SET search_path='$user','public';");
    CHECK(set_to("") == "SET search_path='';");
    CHECK(set_to(" Mixed ,\"Mixed\"") == "SET search_path='mixed','Mixed';");
    CHECK(set_to("\"a \"\"b\"\", c\",d") == "SET search_path='a \"b\", c','d';");
}

TEST_CASE("an empty name in a search_path, which the server reports but does not read, is set all the same") {
    const auto present = values({{"search_path", "x"}});
    CHECK(replay(values({{"search_path", "\"\""}}), present) == "SET search_path='';");
    CHECK(replay(values({{"search_path", "\"\", public"}}), present) == "SET search_path='','public';");
}

TEST_CASE("a search_path that is no list of names stays within one literal") {
    const auto present = values({{"search_path", "x"}});
    for (const char* value : {"public; drop table t", "a b", "a,", ",a", "\"open", "a'b; --c d"}) {
        std::string doubled;
        for (const char* c = value; *c != '\0'; ++c) doubled += *c == '\'' ? "''" : std::string(1, *c);
        CHECK(replay(values({{"search_path", value}}), present) == "SET search_path='" + doubled + "';");
    }
}

TEST_CASE("a change makes a new set and leaves the old one") {
    const auto before = values({{"TimeZone", "UTC"}});
    const auto after = with_parameter(before, tracked.find("TimeZone"), "GMT", false);
    CHECK(before->values.at(2) == "UTC");
    CHECK(before->proven);
    CHECK(after->values.at(2) == "GMT");
    CHECK_FALSE(after->proven);
}

}  // namespace pgweir::test
