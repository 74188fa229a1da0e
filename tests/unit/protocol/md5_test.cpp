#include "protocol/scram/md5_password.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

// Made with PostgreSQL's own formula by md5sum(1): printf foomuser1 | md5sum.
TEST_CASE("an md5 secret is the digest of password then name") {
    CHECK(md5_secret("foo", "muser1") == "md5ab8b744ff66bee42dc47bae34ca17959");
    CHECK(md5_secret("bar", "muser2") == "md598455b3585818e23c2653a59f6d84551");
}

TEST_CASE("an md5 answer is the digest of the secret's digits then the salt") {
    CHECK(md5_answer("md5ab8b744ff66bee42dc47bae34ca17959", "abcd") == "md52b8b7630aa4a8bc8dc7417d0ae819615");
    CHECK(md5_answer("md5ab8b744ff66bee42dc47bae34ca17959", Bytes("\0\0\0\1", 4)) !=
          md5_answer("md5ab8b744ff66bee42dc47bae34ca17959", Bytes("\0\0\0\2", 4)));
}

TEST_CASE("only md5 and 32 hexadecimal digits are an md5 secret") {
    CHECK(is_md5_secret("md5ab8b744ff66bee42dc47bae34ca17959"));
    CHECK_FALSE(is_md5_secret("md5ab8b744ff66bee42dc47bae34ca1795"));
    CHECK_FALSE(is_md5_secret("md5ab8b744ff66bee42dc47bae34ca179590"));
    CHECK_FALSE(is_md5_secret("md5gb8b744ff66bee42dc47bae34ca17959"));
    CHECK_FALSE(is_md5_secret("MD5ab8b744ff66bee42dc47bae34ca17959"));
    CHECK_FALSE(is_md5_secret(""));
}

}  // namespace pgweir::test
