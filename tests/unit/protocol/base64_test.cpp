#include "protocol/scram/base64.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

TEST_CASE("base64 gives the values of RFC 4648") {
    const std::pair<Bytes, Bytes> values[] = {{"", ""},         {"f", "Zg=="},         {"fo", "Zm8="},      {"foo", "Zm9v"},
                                              {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : values) {
        CHECK(base64_encode(plain) == encoded);
        CHECK(base64_decode(encoded) == std::string(plain));
    }
}

TEST_CASE("base64 brings back all bytes") {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    CHECK(base64_decode(base64_encode(bytes)) == bytes);
}

TEST_CASE("base64 has one spelling for each value and takes no other") {
    for (const Bytes text : {"Zg=", "Zg", "Zg===", "Z===", "====", "Zh==", "Zm9=", "Zm 9v", "Zm9v\n", "Zm-_", "Zg==Zg==", "=Zg="})
        CHECK_FALSE(base64_decode(text));
}

}  // namespace pgweir::test
