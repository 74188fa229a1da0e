#include "protocol/list_view.hpp"

#include <vector>

#include "protocol/values.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

using namespace std::literals;

namespace {

template <class Element>
auto elements_of(const ListView<Element>& list) {
    std::vector<typename Element::Value> elements;
    for (const auto& element : list) elements.push_back(element);
    return elements;
}

}  // namespace

TEST_CASE("a list built is a list read") {
    ValueListBuilder built;
    built.add("one").add(std::nullopt).add("");
    std::string out;
    BodyWriter writer(out);
    write_counted(writer, built.view());

    BodyReader body(out);
    const auto list = read_counted<ValueElement>(body);
    CHECK(body.finish() == ProtocolError::none);
    CHECK(list == built.view());
    CHECK(elements_of(list) == std::vector<std::optional<Bytes>>{"one", std::nullopt, ""});
}

TEST_CASE("a list ends where its elements end, not where the body does") {
    BodyReader body("\0\2\0\1\0\2rest"sv);
    const auto formats = read_counted<FormatElement>(body);
    CHECK(elements_of(formats) == std::vector<std::int16_t>{1, 2});
    CHECK(body.rest() == "rest");
}

TEST_CASE("a terminated list may be empty and leaves what is behind its terminator") {
    BodyReader body("\0rest"sv);
    const auto names = read_terminated<NameElement>(body);
    CHECK(names.empty());
    CHECK(body.rest() == "rest");
}

TEST_CASE("lists are equal when their elements are, wherever they stand") {
    const std::string one = "\0\1\0\0\0\5"s;
    const std::string other = one;
    BodyReader first(one);
    BodyReader second(other);
    BodyReader third("\0\1\0\0\0\6"sv);
    const auto list = read_counted<OidElement>(first);
    CHECK(list == read_counted<OidElement>(second));
    CHECK_FALSE(list == read_counted<OidElement>(third));
}

TEST_CASE("65,535 elements are counted without a sign") {
    FormatListBuilder built;
    for (int i = 0; i < 65535; ++i) built.add(1);
    std::string out;
    BodyWriter writer(out);
    write_counted(writer, built.view());

    BodyReader body(out);
    CHECK(read_counted<FormatElement>(body).size() == 65535);
    CHECK(body.finish() == ProtocolError::none);
}

TEST_CASE("a cleared builder starts anew") {
    NameListBuilder names;
    names.add("old");
    names.clear();
    names.add("new");
    CHECK(elements_of(names.view()) == std::vector<Bytes>{"new"});
}

}  // namespace pgweir::test
