#include "routing/start_up_parameters.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

StartUpRules default_rules() {
    StartUpRules rules;
    rules.ignore_startup_parameters = {"extra_float_digits"};
    return rules;
}

StartUpParameters read(ParameterList sent, const StartUpRules& rules = default_rules()) {
    sent.emplace_back("user", "alice");
    return read_start_up_parameters(sent, rules);
}

StartUpParameters read_options(const std::string& options, const StartUpRules& rules = default_rules()) {
    return read({{"options", options}}, rules);
}

std::string tracked(const StartUpParameters& parameters, std::string_view name) {
    const auto* value = find_parameter(parameters.tracked, name);
    return value ? *value : "(unset)";
}

}  // namespace

TEST_CASE("the database is the user's name where none is given") {
    CHECK(read({}).database == "alice");
    CHECK(read({{"database", "app"}}).database == "app");
    CHECK(read({{"database", ""}}).database == "alice");
}

TEST_CASE("a user name has from 1 to 127 bytes") {
    CHECK(read_start_up_parameters({}, {}).fault == Fault::no_user);
    CHECK(read_start_up_parameters({{"user", ""}}, {}).fault == Fault::no_user);
    CHECK(read_start_up_parameters({{"user", std::string(127, 'x')}}, {}).fault == Fault::none);
    CHECK(read_start_up_parameters({{"user", std::string(128, 'x')}}, {}).fault == Fault::user_name_too_long);
}

TEST_CASE("tracked parameters are kept in the rules' spelling, empty ones too") {
    const auto parameters = read({{"datestyle", "ISO"}, {"TIMEZONE", "UTC"}, {"application_name", ""}});
    CHECK(parameters.fault == Fault::none);
    CHECK(parameters.tracked == ParameterList{{"DateStyle", "ISO"}, {"TimeZone", "UTC"}, {"application_name", ""}});
}

TEST_CASE("an ignored parameter is dropped, an unknown one refused by name") {
    CHECK(read({{"Extra_Float_Digits", "2"}}).tracked.empty());
    CHECK(read({{"Extra_Float_Digits", "2"}}).fault == Fault::none);
    const auto refused = read({{"geqo", "off"}, {"other", "x"}});
    CHECK(refused.fault == Fault::unsupported_start_up_parameter);
    CHECK(refused.fault_argument == "geqo");
}

TEST_CASE("options takes each of its three forms") {
    for (const std::string options : {"  -c    datestyle=German,\\ YMD", "-ctimezone=UTC  -cdatestyle=German,\\ YMD",
                                      "--timezone=UTC\t--datestyle=German,\\ YMD",
                                      "-c t\\imezone=\\U\\TC  -c    dat\\estyle\\=\\Ge\\rman,\\ YMD",
                                      "--date\\style=German,\\ YMD"}) {
        INFO(options);
        const auto parameters = read_options(options);
        CHECK(parameters.fault == Fault::none);
        CHECK(tracked(parameters, "DateStyle") == "German, YMD");
    }
    CHECK(tracked(read_options("--application-name=x"), "application_name") == "x");
    CHECK(tracked(read_options("-c application_name="), "application_name") == "");
    CHECK(tracked(read_options("-c application_name=a=b"), "application_name") == "a=b");
}

TEST_CASE("options takes no other form") {
    for (const std::string options : {"-d", "-c", "-c timezone", "timezone=UTC", "--timezone", "-c =x", "-- timezone=UTC",
                                      "-", "\\"}) {
        INFO(options);
        CHECK(read_options(options).fault == Fault::unsupported_option_form);
    }
    CHECK(read_options("").fault == Fault::none);
    CHECK(read_options("   ").fault == Fault::none);
}

TEST_CASE("an unknown name in options is refused, unless options is ignored") {
    const auto refused = read_options("-c timezone=UTC -c enable_seqscan=false");
    CHECK(refused.fault == Fault::unsupported_option);
    CHECK(refused.fault_argument == "enable_seqscan");
    CHECK(read_options("-c extra_float_digits=2").fault == Fault::none);

    const StartUpRules rules{.tracked_parameters = {"TimeZone"}, .ignore_startup_parameters = {"options"}};
    const auto ignored = read_options("-c enable_seqscan=false -c timezone=UTC", rules);
    CHECK(ignored.fault == Fault::none);
    CHECK(tracked(ignored, "TimeZone") == "UTC");
}

TEST_CASE("a parameter of its own wins over the one in options, wherever it stands") {
    CHECK(tracked(read({{"options", "-c timezone=UTC"}, {"TimeZone", "GMT"}}), "TimeZone") == "GMT");
    CHECK(tracked(read({{"TimeZone", "GMT"}, {"options", "-c timezone=UTC"}}), "TimeZone") == "GMT");
}

TEST_CASE("our own parameters are kept apart") {
    const auto parameters = read({{"pgweir.min_lsn", "0/1"}, {"options", "-c pgweir.read_routing=auto"}});
    CHECK(parameters.fault == Fault::none);
    CHECK(parameters.own == ParameterList{{"pgweir.read_routing", "auto"}, {"pgweir.min_lsn", "0/1"}});
    CHECK(parameters.tracked.empty());
}

TEST_CASE("replication is logical, physical or none by its word") {
    CHECK(read({{"replication", "database"}}).replication == ReplicationKind::logical);
    for (const std::string word : {"true", "TRUE", "t", "on", "yes", "y", "1"})
        CHECK(read({{"replication", word}}).replication == ReplicationKind::physical);
    for (const std::string word : {"false", "f", "off", "of", "no", "0"})
        CHECK(read({{"replication", word}}).replication == ReplicationKind::none);
    for (const std::string word : {"", "o", "maybe", "truely", "2"})
        CHECK(read({{"replication", word}}).fault == Fault::unsupported_start_up_parameter);
}

TEST_CASE("a replication connection passes its options on unread") {
    const auto parameters = read({{"replication", "true"}, {"options", "-c enable_seqscan=false -d"}});
    CHECK(parameters.fault == Fault::none);
    CHECK(parameters.options == "-c enable_seqscan=false -d");
}

}  // namespace pgweir::test
