// What operators write: configuration files, entries, URLs, the auth file.
#include "routing/auth_file.hpp"
#include "routing/connection_string.hpp"
#include "routing/ini_reader.hpp"
#include "routing/settings_console.hpp"
#include "routing/settings_loader.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/parsers.hpp"
#include "tests/support/memory_files.hpp"

namespace pgweir::test {
namespace {

constexpr const char* minimal_file = "[databases]\napp = host=10.0.0.1 port=5432 dbname=app\n[pgbouncer]\npool_mode = transaction\n";

// The file "f", and "g", which it may include.
MemoryFiles files_of(Bytes bytes) {
    const auto middle = bytes.find('\f');
    MemoryFiles files;
    files.files["f"] = bytes.substr(0, middle);
    if (middle != Bytes::npos) files.files["g"] = bytes.substr(middle + 1);
    return files;
}

void fuzz_ini(Bytes bytes) {
    auto files = files_of(bytes);
    for (const auto& item : read_ini("f", files)) require(!item.place.empty() || item.kind == IniKind::error, "an item has its place");
}

void fuzz_settings(Bytes bytes) {
    auto files = files_of(bytes);
    const auto first = load_settings({.path = "f"}, files);
    require((first.settings == nullptr) == !first.errors.empty(), "there are settings, or errors");
    if (!first.settings) return;
    const auto again = load_settings({.path = "f", .running = first.settings.get()}, files);
    require(again.settings != nullptr, "what was loaded can be loaded again");
    require(describe_changes(*first.settings, *again.settings).empty(), "and a reload of the same changes nothing");
}

void fuzz_set(Bytes bytes) {
    const auto middle = bytes.find('=');
    if (middle == Bytes::npos) return;
    Settings settings;
    const Settings before;
    const auto result = apply_set(settings, bytes.substr(0, middle), bytes.substr(middle + 1));
    if (result.failed()) require(describe_changes(before, settings).empty(), "a SET that fails changes nothing");
}

std::string quoted(const std::string& value) {
    std::string text = "'";
    for (const char c : value) text.append(c == '\'' ? 2 : 1, c);
    return text + "'";
}

void fuzz_connection_string(Bytes bytes) {
    const auto parameters = parse_connection_string(bytes);
    if (!parameters) return;
    std::string text;
    for (const auto& [key, value] : *parameters) {
        require(!key.empty() && !value.empty(), "a key and a value are never empty");
        text += key + "=" + quoted(value) + " ";
    }
    require(parse_connection_string(text) == parameters, "what is written with quotes reads the same");
}

void fuzz_auth_file(Bytes bytes) {
    const auto file = AuthFile::parse(bytes);
    for (const auto& [name, secret] : file.users) {
        require(name.size() <= user_name_bytes_max, "names are bounded");
        require(secret.text().size() <= password_bytes_max, "passwords are bounded");
        require(secret.scram().has_value() == (secret.kind() == SecretKind::scram), "a SCRAM secret is taken apart");
    }
    if (file.problem) require(file.problem->line >= 1 && !to_string(*file.problem).empty(), "a problem has its line");
}

void fuzz_url(Bytes bytes) {
    const auto result = parse_database_url(bytes);
    if (!result) return;
    require(!result.url.user.empty() && !result.url.entry.name.empty(), "a URL names a user and a database");
    require(load_settings({.path = "", .upstream = result.url}, *std::make_unique<MemoryFiles>()).errors.size() < 10, "errors are few");
}

}  // namespace

std::vector<FuzzParser> configuration_parsers() {
    const auto files = [] {
        return std::vector<Seed>{{"minimal", minimal_file},
                                 {"include", std::string("%include g\n") + '\f' + minimal_file},
                                 {"itself", "%include f\n"},
                                 {"users", std::string(minimal_file) + "[users]\nalice = pool_mode=session\n[peers]\n1 = host=h port=1\n"},
                                 {"quotes", "[databases]\n\"a \"\"b\" = host='x y' password='it''s' \n[pgbouncer]\n;c\n# d\nadmin_users=a,b\n"}};
    };
    const auto seeds = [](std::vector<Seed> list) { return [list] { return list; }; };
    return {
        {"ini", fuzz_ini, files},
        {"settings", fuzz_settings, files},
        {"set", fuzz_set, seeds({{"size", "default_pool_size=7"}, {"mode", "pool_mode=session"}, {"time", "query_timeout=1.5"}})},
        {"connection_string", fuzz_connection_string, seeds({{"plain", "host=a port=5432"}, {"quotes", "password='it''s' user = x"}})},
        {"auth_file", fuzz_auth_file,
         seeds({{"plain", "\"alice\" \"secret\"\n; note\n\"b\"\"c\" \"\" more\n"},
                {"md5", "\"a\" \"md50123456789abcdef0123456789ABCDEF\"\n"},
                {"scram", "\"a\" \"SCRAM-SHA-256$4096:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"\n"}})},
        {"database_url", fuzz_url,
         seeds({{"full", "postgres://u:p%40@h1:1,h2/db?application_name=x&sslmode=prefer"}, {"six", "postgresql://u@[::1]:5/d"}})},
    };
}

}  // namespace pgweir::test
