#include "routing/slab.hpp"

#include <string>
#include <vector>

#include "routing/ids.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

using Table = Slab<std::string, SessionId>;

}  // namespace

TEST_CASE("an entry is found by its id, and by no id that it does not have") {
    Table table;
    const auto id = table.emplace("one");
    REQUIRE(table.find(id) != nullptr);
    CHECK(*table.find(id) == "one");
    CHECK(table.find({}) == nullptr);
    CHECK(table.find({id.index, id.generation + 1}) == nullptr);
    CHECK(table.find({id.index + 1, id.generation}) == nullptr);
}

TEST_CASE("the id of an entry that is gone finds nothing, though its place is used again") {
    Table table;
    const auto first = table.emplace("one");
    table.erase(first);
    CHECK(table.find(first) == nullptr);
    CHECK_FALSE(table.holds(first.index));
    const auto second = table.emplace("two");
    CHECK(second.index == first.index);
    CHECK_FALSE(second == first);
    CHECK(table.find(first) == nullptr);
    CHECK(*table.find(second) == "two");
    CHECK(table.id_of(second.index) == second);
}

TEST_CASE("no entry moves when the table grows") {
    Table table;
    std::vector<SessionId> ids;
    std::vector<const std::string*> places;
    for (int i = 0; i < 2000; ++i) {
        ids.push_back(table.emplace(std::to_string(i)));
        places.push_back(table.find(ids.back()));
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        REQUIRE(table.find(ids[i]) == places[i]);
        REQUIRE(*places[i] == std::to_string(i));
    }
    CHECK(table.live() == 2000);
    CHECK(table.index_end() == 2000);
}

TEST_CASE("a table takes no more places than it ever held entries at once") {
    Table table;
    for (int i = 0; i < 1000; ++i) {
        const auto first = table.emplace("one");
        const auto second = table.emplace("two");
        table.erase(first);
        table.erase(second);
    }
    CHECK(table.index_end() == 2);
    CHECK(table.live() == 0);
}

}  // namespace pgweir::test
