#include "routing/credentials.hpp"

#include "protocol/scram/md5_password.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

const std::string scram_text = make_scram_secret({"secret", "salt", 2}, derive_scram_keys({"secret", "salt", 2})).format();

}  // namespace

TEST_CASE("a stored password is of the kind its form says, else plain") {
    CHECK(secret_kind("") == SecretKind::none);
    CHECK(secret_kind("secret") == SecretKind::plain);
    CHECK(secret_kind("md5ab8b744ff66bee42dc47bae34ca17959") == SecretKind::md5);
    CHECK(secret_kind("md5ab8b744ff66bee42dc47bae34ca1795") == SecretKind::plain);
    CHECK(secret_kind(scram_text) == SecretKind::scram);
    CHECK(secret_kind("SCRAM-SHA-256$4096:salt") == SecretKind::plain);
    CHECK(secret_kind(scram_text + "=") == SecretKind::plain);
}

TEST_CASE("plain and md5 secrets recognise their password and no other") {
    for (const auto& stored : {std::string("secret"), md5_secret("secret", "alice")}) {
        const StoredSecret secret(stored);
        CHECK(secret.matches_password("secret", "alice"));
        CHECK_FALSE(secret.matches_password("Secret", "alice"));
        CHECK_FALSE(secret.matches_password("", "alice"));
    }
}

TEST_CASE("the stored text itself opens nothing but a plain secret") {
    for (const auto& stored : {md5_secret("secret", "alice"), scram_text})
        CHECK_FALSE(StoredSecret(stored).matches_password(stored, "alice"));
}

TEST_CASE("plain and md5 secrets recognise the answer to their challenge") {
    const auto answer = md5_answer(md5_secret("secret", "alice"), "abcd");
    for (const auto& stored : {std::string("secret"), md5_secret("secret", "alice")}) {
        const StoredSecret secret(stored);
        CHECK(secret.matches_md5_answer(answer, "alice", "abcd"));
        CHECK_FALSE(secret.matches_md5_answer(answer, "alice", "abce"));
        CHECK_FALSE(secret.matches_md5_answer("", "alice", "abcd"));
    }
}

TEST_CASE("the name is part of a plain password's answer") {
    const auto answer = md5_answer(md5_secret("secret", "alice"), "abcd");
    CHECK_FALSE(StoredSecret("secret").matches_md5_answer(answer, "bob", "abcd"));
}

TEST_CASE("an md5 secret stored in capitals is the same secret") {
    CHECK(StoredSecret("md5AB8B744FF66BEE42DC47BAE34CA17959").matches_password("foo", "muser1"));
}

TEST_CASE("an empty secret matches nothing, not even an empty password") {
    CHECK_FALSE(StoredSecret("").matches_password("", "alice"));
    CHECK_FALSE(StoredSecret("").matches_md5_answer(md5_answer(md5_secret("", "alice"), "abcd"), "alice", "abcd"));
}

}  // namespace pgweir::test
