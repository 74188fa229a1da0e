#include "routing/database_url.hpp"

#include "tests/support/catch.hpp"

using namespace pgweir;

namespace {

DatabaseUrl parse(std::string_view text) {
    auto result = parse_database_url(text);
    CAPTURE(text, result.error);
    CHECK(result);
    return std::move(result.url);
}

std::string error_of(std::string_view text) { return parse_database_url(text).error; }

}  // namespace

TEST_CASE("a URL gives one entry with a forced user") {
    const auto url = parse("postgresql://alice:pw@db.example:5433/shop");
    CHECK(url.user == "alice");
    CHECK(url.password == "pw");
    CHECK(url.entry.name == "shop");
    CHECK(url.entry.dbname == "shop");
    CHECK(url.entry.hosts == std::vector<std::string>{"db.example"});
    CHECK(url.entry.port == 5433);
    CHECK(url.entry.user == "alice");
    CHECK(url.entry.password == "pw");
    CHECK(url.warnings.empty());
}

TEST_CASE("what a URL leaves out has libpq's defaults") {
    const auto url = parse("postgres://alice@");
    CHECK(url.entry.hosts == std::vector<std::string>{"localhost"});
    CHECK(url.entry.port == 5432);
    CHECK(url.entry.dbname == "alice");
    CHECK(url.entry.password == std::nullopt);
}

TEST_CASE("every part of a URL is percent-decoded") {
    const auto url = parse("postgresql://a%40b:p%3a%2F%25@%2Fvar%2Frun/my%20db?application_name=x%26y");
    CHECK(url.user == "a@b");
    CHECK(url.password == "p:/%");
    CHECK(url.entry.hosts == std::vector<std::string>{"/var/run"});
    CHECK(url.entry.dbname == "my db");
    CHECK(url.entry.application_name == "x&y");
}

TEST_CASE("a URL may have several hosts on one port") {
    CHECK(parse("postgresql://u@a:1,[::1]:1,c:1/d").entry.hosts == std::vector<std::string>{"a", "::1", "c"});
    CHECK(parse("postgresql://u@a,b/d").entry.port == 5432);
    CHECK(error_of("postgresql://u@a:1,b:2/d") == "the hosts of a URL must share one port");
}

TEST_CASE("parameters of a URL win over its other parts") {
    const auto url = parse("postgresql:///d?host=/run/pg&port=6000&user=u&password=p");
    CHECK(url.entry.hosts == std::vector<std::string>{"/run/pg"});
    CHECK(url.entry.port == 6000);
    CHECK(url.entry.user == "u");
    CHECK(url.entry.password == "p");
}

TEST_CASE("an unknown parameter is reported and ignored") {
    CHECK(parse("postgresql://u@h/d?connect_timeout=3&sslmode=prefer").warnings ==
          std::vector<std::string>{"the URL's parameter connect_timeout is ignored"});
}

TEST_CASE("a URL that asks for more safety than there is, is refused") {
    const auto* parameter =
        GENERATE("gssencmode=require", "require_auth=none");
    CAPTURE(parameter);
    CHECK(error_of(std::string{"postgresql://u:p@h/d?"} + parameter) ==
          std::string{parameter} + " in the URL is not supported yet, and to ignore it would weaken security");
}

TEST_CASE("a URL's TLS words mean what they mean to libpq") {
    const auto mode_of = [](const std::string& parameters) { return parse("postgresql://u:p@h/d?" + parameters).tls.mode; };
    CHECK_FALSE(mode_of("application_name=x"));
    CHECK(mode_of("sslmode=disable") == TlsMode::disable);
    CHECK(mode_of("sslmode=require") == TlsMode::require);
    CHECK(mode_of("ssl=true") == TlsMode::require);
    CHECK(mode_of("sslmode=require&sslrootcert=/ca.pem") == TlsMode::verify_ca);
    CHECK(mode_of("sslmode=verify-full&sslrootcert=/ca.pem") == TlsMode::verify_full);
    CHECK(mode_of("sslrootcert=system") == TlsMode::verify_full);
    CHECK(mode_of("channel_binding=require") == TlsMode::require);

    const auto url = parse("postgresql://u:p@h/d?sslmode=verify-ca&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem&channel_binding=require");
    CHECK(url.tls.ca_file == "/ca.pem");
    CHECK(url.tls.cert_file == "/c.pem");
    CHECK(url.tls.key_file == "/k.pem");
    CHECK(url.entry.channel_binding == ChannelBinding::require);
    CHECK(url.warnings.empty());

    CHECK(error_of("postgresql://u@h/d?sslrootcert=system&sslmode=require") == "sslrootcert=system in the URL needs sslmode=verify-full");
    CHECK(error_of("postgresql://u@h/d?sslcert=/c.pem") == "sslcert and sslkey in the URL go together");
    CHECK(error_of("postgresql://u@h/d?channel_binding=maybe") == "the URL's channel_binding is none of disable, prefer, require");
}

TEST_CASE("a URL that makes no sense is refused without showing its password") {
    const auto* text = GENERATE("mysql://u:secret@h/d", "u:secret@h", "", "postgresql://h/d",
                                "postgresql://u:secret%@h",
                                "postgresql://u:secret%4@h", "postgresql://u:secret%zz@h", "postgresql://u:secret%00@h",
                                "postgresql://u:secret@h:0/d", "postgresql://u:secret@h:65536/d",
                                "postgresql://u:secret@h:x/d", "postgresql://u:secret@[::1/d",
                                "postgresql://u:secret@[::1]x/d", "postgresql://u:secret@h/d?sslmode=maybe",
                                "postgresql://u:secret@h/d?port", "postgresql://u:secret@h/pgbouncer",
                                "postgresql://u:secret@h/*", "postgresql://u:secret@h:99999999999999999999/d");
    CAPTURE(text);
    const auto error = error_of(text);
    CHECK_FALSE(error.empty());
    CHECK(error.find("secret") == error.npos);
}

TEST_CASE("a URL cut at any byte is taken or refused, never more") {
    const std::string whole = "postgresql://a%40b:p%3A@[::1]:5432,h:5432/my%20db?sslmode=disable&host=x#f";
    for (std::size_t length = 0; length <= whole.size(); ++length)
        CHECK_NOTHROW(parse_database_url(std::string_view{whole}.substr(0, length)));
}
