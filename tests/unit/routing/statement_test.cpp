#include "routing/statement.hpp"

#include "tests/support/catch.hpp"

namespace pgweir {
namespace {

std::string identity(std::string text, std::string types = std::string("\0\0", 2)) { return text + '\0' + types; }

}  // namespace

TEST_CASE("equal statements are one, unequal ones have different names") {
    StatementCatalog catalog;
    const auto one = catalog.intern(identity("select 1"));
    CHECK(catalog.intern(identity("select 1")) == one);
    CHECK(catalog.intern(identity("select 2"))->name != one->name);
    CHECK(catalog.intern(identity("select 1", std::string("\0\1\0\0\0\x17", 6)))->name != one->name);
    CHECK(one->sql() == "select 1");
    CHECK(one->name.size() == 7 + 32);
}

TEST_CASE("a name hangs on nothing but the statement") {
    StatementCatalog first, second;
    first.intern(identity("select 0"));
    CHECK(first.intern(identity("select 1"))->name == second.intern(identity("select 1"))->name);
}

TEST_CASE("a statement that nobody has is forgotten") {
    StatementCatalog catalog;
    auto kept = catalog.intern(identity("kept"));
    const std::weak_ptr<const Statement> watched = catalog.intern(identity("let go"));
    CHECK(watched.expired());
    CHECK(catalog.live() == 1);
    for (int i = 0; i < 10'000; ++i) catalog.intern(identity(std::to_string(i)));
    CHECK(catalog.live() == 1);
    CHECK(catalog.intern(identity("kept")) == kept);
}

TEST_CASE("a quick look never misses a text that drops statements") {
    for (const Bytes sql : {"deallocate a", "DISCARD ALL", " deallocate all", "-- \ndeallocate a", "/**/discard all", "(", "",
                            "select 1; deallocate a", "select ';'; discard all", ";deallocate a"})
        CHECK(may_drop_statements(sql));
    for (const Bytes sql : {"select 1", "SELECT 1;", "select 1; ", "select 1;d", "update t set a = 1"}) CHECK_FALSE(may_drop_statements(sql));
    CHECK_FALSE(may_drop_statements(Bytes("select 1;\0", 10)));
}

TEST_CASE("the name that a DEALLOCATE drops is read as PostgreSQL reads it") {
    const auto name = [](std::string sql) {
        const auto found = find_deallocation(sql);
        return found ? found->name : "";
    };
    CHECK(name("deallocate pdo_stmt_00000001") == "pdo_stmt_00000001");
    CHECK(name(" -- why\nDEALLOCATE PREPARE /* it */ A1 ; ") == "a1");
    CHECK(name("DEALLOCATE \"_PLAN0x7f\"") == "_PLAN0x7f");
    CHECK(name("deallocate \"a \"\"b\"") == "a \"b");
    CHECK(name("deallocate prepare") == "prepare");
    CHECK(name("deallocate \"all\"") == "all");
    CHECK(name("deallocate prepare prepare") == "prepare");
    for (const char* sql : {"", "deallocate", "deallocate all", "deallocate prepare all", "deallocate a b", "deallocate 1a", "deallocate \"a",
                            "deallocate \"\"", "deallocated a", "select 1", "deallocate a -- b\nc", "deallocate a; select ';'",
                            "select '; deallocate a;'", "/*; deallocate a;*/", "select $$; deallocate a;$$", "deallocate a; deallocate b"}) {
        INFO(sql);
        CHECK(name(sql) == "");
    }
    CHECK(name("deallocate " + std::string(64, 'x')) == "");
    const auto among = find_deallocation("SAVEPOINT s;DEALLOCATE \"A\";RELEASE s");
    REQUIRE(among);
    CHECK(among->name == "A");
    CHECK(among->begin == 12);
    CHECK(among->end == 26);
}

TEST_CASE("statements that drop all others are recognised") {
    for (const char* sql : {"DEALLOCATE ALL", "deallocate  prepare\tall", " -- why\n/* a /* b */ */ Discard ALL;",
                            "select 1; DISCARD ALL", ";;deallocate all"})
        CHECK(forgets_statements(sql));
    for (const char* sql : {"", "deallocate a", "discard plans", "select 'discard all'", "describe", "discardall", "-- discard all",
                            "/* discard all", "DEALLOCATE", "delete from discard"})
        CHECK_FALSE(forgets_statements(sql));
    StatementCatalog catalog;
    CHECK(catalog.intern(identity("DISCARD ALL"))->forgets_statements);
    CHECK_FALSE(catalog.intern(identity("select 1"))->forgets_statements);
}

TEST_CASE("statements that a failed transaction takes are recognised") {
    StatementCatalog catalog;
    for (const char* sql : {"commit", "ROLLBACK TO a", " end", "abort", "PREPARE TRANSACTION 'x'"})
        CHECK(catalog.intern(identity(sql))->ends_transaction);
    CHECK_FALSE(catalog.intern(identity("select 1"))->ends_transaction);
    CHECK_FALSE(catalog.intern(identity("committed"))->ends_transaction);
}

}  // namespace pgweir
