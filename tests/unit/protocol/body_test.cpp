// BodyReader and BodyWriter: what every parser leans on.

#include "protocol/backend/ready_for_query.hpp"
#include "protocol/body_reader.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/ssl_request.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"

namespace pgweir::test {

using namespace std::literals;

TEST_CASE("integers are big-endian and signed") {
    BodyReader body("\x01\x02\xff\xfe\x00\x00\x01\x00\xff\xff\xff\xff"sv);
    CHECK(body.int16() == 0x0102);
    CHECK(body.int16() == -2);
    CHECK(body.int32() == 256);
    CHECK(body.int32() == -1);
    CHECK(body.finish() == ProtocolError::none);
}

TEST_CASE("the first error is the one remembered, and reads after it give nothing") {
    BodyReader body("ab\0c"sv);
    CHECK(body.string() == "ab");
    CHECK(body.int32() == 0);
    CHECK(body.string().empty());
    CHECK(body.byte() == '\0');
    CHECK(body.remaining() == 0);
    CHECK(body.finish() == ProtocolError::short_body);
}

TEST_CASE("a negative count of bytes is a short body") {
    BodyReader body("abcd"sv);
    CHECK(body.bytes(-1).empty());
    CHECK(body.finish() == ProtocolError::short_body);
}

TEST_CASE("what a writer writes, a reader reads") {
    std::string out;
    BodyWriter writer(out);
    writer.byte('x');
    writer.int16(-3);
    writer.int32(0x01020304);
    writer.string("name");
    writer.bytes("\0\1"sv);

    BodyReader body(out);
    CHECK(body.byte() == 'x');
    CHECK(body.int16() == -3);
    CHECK(body.int32() == 0x01020304);
    CHECK(body.string() == "name");
    CHECK(body.rest() == "\0\1"sv);
    CHECK(body.finish() == ProtocolError::none);
}

TEST_CASE("a length field counts itself and the body, not the type byte nor what stood before") {
    std::string out = "before";
    append_message(out, backend::ReadyForQuery{backend::TransactionStatus::idle});
    CHECK(out == "beforeZ\0\0\0\5I"sv);

    out.clear();
    append_packet(out, frontend::SslRequest{});
    CHECK(out == "\0\0\0\x08\x04\xd2\x16\x2f"sv);
}

}  // namespace pgweir::test
