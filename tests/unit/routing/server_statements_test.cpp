#include "routing/server_statements.hpp"

#include "tests/support/catch.hpp"

namespace pgweir {
namespace {

using Kind = StatementEffect::Kind;

struct Fixture {
    StatementRef make(const std::string& text) { return catalog.intern(text + std::string("\0\0\0", 3)); }
    void note(Kind kind, StatementRef statement) { server.note(kind, 0).statement = std::move(statement); }

    StatementCatalog catalog;
    ServerStatements server;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a server has what was added and not removed since") {
    const auto one = make("one"), two = make("two");
    CHECK(server.look_up(*one) == Presence::absent);
    server.add(one);
    CHECK(server.look_up(*one) == Presence::present);
    CHECK(server.look_up(*two) == Presence::absent);
    server.remove(*one);
    server.remove(*two);
    CHECK(server.look_up(*one) == Presence::absent);
    server.add(one);
    server.clear();
    CHECK(server.size() == 0);
}

TEST_CASE_METHOD(Fixture, "what is under way counts, the last word first") {
    const auto one = make("one"), two = make("two");
    note(Kind::server_has, one);
    CHECK(server.look_up(*one) == Presence::present);
    CHECK(server.use(*one) == Presence::present);
    note(Kind::server_lacks, one);
    CHECK(server.look_up(*one) == Presence::absent);
    server.add(two);
    note(Kind::all_forgotten, nullptr);
    CHECK(server.use(*two) == Presence::unknown);
    CHECK(server.look_up(*one) == Presence::unknown);
    note(Kind::server_has, two);
    CHECK(server.use(*two) == Presence::present);
    for (const auto expected : {Kind::server_has, Kind::server_lacks, Kind::all_forgotten, Kind::server_has})
        CHECK(server.take_effect().kind == expected);
    CHECK_FALSE(server.has_under_way());
    CHECK(server.look_up(*two) == Presence::present);
}

TEST_CASE_METHOD(Fixture, "a long pipeline keeps its order") {
    std::uint32_t noted = 0, taken = 0;
    while (taken < 1000) {
        for (int i = 0; i < 7; ++i) { server.note(Kind::unnamed, noted).name = std::to_string(noted + 1); ++noted; }
        for (int i = 0; i < 6 || (noted >= 1000 && server.has_under_way()); ++i, ++taken) {
            const StatementEffect& effect = server.take_effect();
            REQUIRE(effect.series == taken);
            REQUIRE(effect.name == std::to_string(taken + 1));
        }
    }
}

TEST_CASE_METHOD(Fixture, "the one not used for longest goes first") {
    const auto one = make("one"), two = make("two"), three = make("three");
    server.add(one);
    server.add(two);
    CHECK(server.to_evict(3) == nullptr);
    CHECK(server.to_evict(2) == one);
    server.use(*one);
    CHECK(server.to_evict(2) == two);
    note(Kind::server_lacks, two);
    CHECK(server.to_evict(2) == nullptr);
    note(Kind::server_has, three);
    CHECK(server.to_evict(2) == one);
    CHECK(server.to_evict(1) == one);
}

TEST_CASE_METHOD(Fixture, "what is only on its way is not evicted") {
    note(Kind::server_has, make("one"));
    note(Kind::server_has, make("two"));
    CHECK(server.to_evict(1) == nullptr);
}

}  // namespace pgweir
