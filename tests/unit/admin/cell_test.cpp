// Values on the wire, in text and in PostgreSQL's binary format.

#include "admin/cell.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {

using namespace std::literals;

TEST_CASE("a number as text is decimal, whatever the type") {
    for (const auto type : {ColumnType::int4, ColumnType::int8, ColumnType::numeric, ColumnType::text})
        CHECK(Cell(-12345678901).encode(type, text_format) == "-12345678901");
}

TEST_CASE("text is the same in both formats") {
    CHECK(Cell("a b").encode(ColumnType::text, text_format) == "a b");
    CHECK(Cell("a b").encode(ColumnType::text, binary_format) == "a b");
    CHECK(Cell(17).encode(ColumnType::text, binary_format) == "17");
}

TEST_CASE("NULL is neither text nor number") {
    CHECK(Cell(std::nullopt).is_null());
    CHECK(Cell(std::optional<std::string>()).is_null());
    CHECK_FALSE(Cell("").is_null());
    CHECK_FALSE(Cell(0).is_null());
    CHECK(Cell(std::optional<int>(4)) == Cell(4));
}

TEST_CASE("integers in binary are big-endian, and one too great for its column is the greatest") {
    CHECK(Cell(258).encode(ColumnType::int4, binary_format) == "\x00\x00\x01\x02"s);
    CHECK(Cell(-1).encode(ColumnType::int4, binary_format) == "\xff\xff\xff\xff"s);
    CHECK(Cell(std::int64_t{1} << 40).encode(ColumnType::int4, binary_format) == "\x7f\xff\xff\xff"s);
    CHECK(Cell((std::int64_t{1} << 40) + 2).encode(ColumnType::int8, binary_format) == "\x00\x00\x01\x00\x00\x00\x00\x02"s);
    CHECK(Cell(-2).encode(ColumnType::int8, binary_format) == "\xff\xff\xff\xff\xff\xff\xff\xfe"s);
}

TEST_CASE("a numeric in binary is digits to base 10,000") {
    const auto numeric = [](std::int64_t number) { return Cell(number).encode(ColumnType::numeric, binary_format); };
    CHECK(numeric(0) == "\x00\x00\x00\x00\x00\x00\x00\x00"s);
    CHECK(numeric(7) == "\x00\x01\x00\x00\x00\x00\x00\x00\x00\x07"s);
    CHECK(numeric(10'000) == "\x00\x02\x00\x01\x00\x00\x00\x00\x00\x01\x00\x00"s);
    CHECK(numeric(-123'456'789) == "\x00\x03\x00\x02\x40\x00\x00\x00\x00\x01\x09\x29\x1a\x85"s);
    CHECK(numeric(INT64_MIN).size() == 8 + 5 * 2);
}

}  // namespace pgweir::test
