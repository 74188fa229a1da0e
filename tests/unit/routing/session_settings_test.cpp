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
    CHECK(needs_replay(*wanted, *present) == !replay_statement(tracked, *wanted, *present).empty());
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

TEST_CASE("a value cannot leave its literal") {
    const auto present = values({{"application_name", "x"}});
    CHECK(replay(values({{"application_name", "a'b"}}), present) == "SET application_name='a''b';");
    CHECK(replay(values({{"application_name", "a\\"}}), present) == "SET application_name= E'a\\\\';");
    CHECK(replay(values({{"application_name", "a\\'; drop table t; --"}}), present) ==
          "SET application_name= E'a\\\\''; drop table t; --';");
}

TEST_CASE("a search_path is set as reported, an empty one as an empty literal") {
    const auto present = values({{"search_path", "x"}});
    CHECK(replay(values({{"search_path", "\"$user\", public"}}), present) == "SET search_path=\"$user\", public;");
    CHECK(replay(values({{"search_path", ""}}), present) == "SET search_path='';");
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
