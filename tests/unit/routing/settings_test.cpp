// Loading, the table, what wins, and the console's view.

#include "routing/settings.hpp"

#include <algorithm>
#include <set>

#include "routing/effective_settings.hpp"
#include "routing/setting_table.hpp"
#include "routing/setting_value.hpp"
#include "routing/settings_console.hpp"
#include "routing/settings_loader.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/memory_files.hpp"

using namespace pgweir;
using namespace std::chrono_literals;

namespace {

using Lines = std::vector<std::string>;

LoadResult load(const std::string& text, LoadRequest request = {}) {
    MemoryFiles files;
    files.files["f"] = text;
    request.path = "f";
    return load_settings(request, files);
}

LoadResult load_upstream(const std::string& url, std::vector<SettingOverride> overrides = {}) {
    MemoryFiles files;
    LoadRequest request;
    request.upstream = parse_database_url(url).url;
    request.overrides = std::move(overrides);
    return load_settings(request, files);
}

Settings loaded(const std::string& text, LoadRequest request = {}) {
    const auto result = load(text, std::move(request));
    CAPTURE(text, result.errors);
    REQUIRE(result.settings);
    return *result.settings;
}

// The settings of a file that holds this in [pgbouncer].
Settings main(const std::string& text) { return loaded("[pgbouncer]\n" + text); }

LoadRequest reload_of(const Settings& running) {
    LoadRequest request;
    request.running = &running;
    return request;
}

std::string shown(const Settings& settings, std::string_view key) {
    for (const auto& row : show_config(settings))
        if (row.key == key) return row.value.value_or("NULL");
    return "no such key";
}

bool has_line(const Lines& lines, std::string_view text) {
    return std::ranges::any_of(lines, [&](const auto& line) { return line.find(text) != line.npos; });
}

}  // namespace

// --- values ---

TEST_CASE("an integer is read in C notation, whole or not at all") {
    CHECK(parse_integer("0777") == 511);
    CHECK(parse_integer("0x1F") == 31);
    CHECK(parse_integer("-12") == -12);
    CHECK(parse_integer("0") == 0);
    CHECK(parse_integer("2147483647") == 2147483647);
    for (const auto* text :
         {"", "-", "+", "0x", "08", "1 ", " 1", "1a", "--1", "0x-1", "2147483648", "99999999999999999999"})
        CHECK(parse_integer(text) == std::nullopt);
}

TEST_CASE("a leading integer is what its first digits say") {
    CHECK(parse_leading_integer("12abc") == 12);
    CHECK(parse_leading_integer("-3") == -3);
    CHECK(parse_leading_integer("abc") == 0);
    CHECK(parse_leading_integer("-") == 0);
    CHECK(parse_leading_integer("99999999999999999999") == 2147483647);
}

TEST_CASE("a duration is a decimal number with or without a unit") {
    CHECK(parse_duration("1.5") == 1500ms);
    CHECK(parse_duration("250ms") == 250ms);
    CHECK(parse_duration("2 min") == 2min);
    CHECK(parse_duration("0.5h") == 30min);
    CHECK(parse_duration("7", 1ms) == 7ms);
    CHECK(parse_duration("0") == 0s);
    for (const auto* text : {"", "-1", "-0", "s", "5 parsecs", "1s2", "inf", "nan", "1e300", "1e17", "5S"})
        CHECK(parse_duration(text) == std::nullopt);
}

TEST_CASE("a duration too short to count is not off") { CHECK(parse_duration("0.0000001") == 1us); }

TEST_CASE("a duration is shown with the largest unit that fits, and reads back the same") {
    for (const auto* text : {"0", "1us", "250ms", "5s", "90s", "2min", "1h", "3d"}) {
        CHECK(duration_text(*parse_duration(text)) == text);
    }
}

TEST_CASE("a list is parted by commas and blanks") {
    CHECK(parse_list(" a,b  c,, d ") == Lines{"a", "b", "c", "d"});
    CHECK(parse_list("").empty());
}

// --- the table ---

TEST_CASE("the table starts with PgBouncer's settings in its order, and no name stands twice") {
    const auto table = setting_table();
    CHECK(table.front().name == "admin_users");
    const auto first_ours = std::ranges::find_if(table, [](const auto& row) { return row.has(SettingFlags::ours); });
    CHECK((first_ours - 1)->name == "verbose");
    std::set<std::string_view> names;
    for (const auto& row : table) CHECK(names.insert(row.name).second);
}

TEST_CASE("every default is a value of its setting, and reads back as it is shown") {
    for (const auto& row : setting_table()) {
        CAPTURE(row.name);
        Settings settings;
        if (row.default_text) CHECK(assign(settings, row, row.default_text));
        if (row.type == SettingType::octal) continue;
        const auto text = setting_text(settings, row);
        if (row.default_text) CHECK(text == row.default_text);
        if (text) CHECK(assign(settings, row, *text));
        CHECK(settings == Settings{});
    }
}

TEST_CASE("every row has a place of its own") {
    for (const auto& row : setting_table()) {
        CAPTURE(row.name);
        Settings changed;
        const char* other = row.type == SettingType::choice                                      ? nullptr
                            : row.type == SettingType::octal || row.type == SettingType::integer ? "3"
                                                                                                 : "7";
        if (row.type == SettingType::boolean) other = row.default_text[0] == '0' ? "1" : "0";
        if (!other) continue;
        REQUIRE(assign(changed, row, other));
        Settings expected;
        copy_setting(expected, changed, row);
        CHECK(changed == expected);
        int differing = 0;
        for (const auto& any : setting_table()) differing += setting_text(changed, any) != setting_text({}, any);
        CHECK(differing == 1);
    }
}

TEST_CASE("a value outside of its range is refused and changes nothing") {
    Settings settings;
    for (const auto& [name, value] : std::vector<std::pair<const char*, const char*>>{{"default_pool_size", "-1"},
                                                                                     {"listen_port", "65536"},
                                                                                     {"unix_socket_mode", "8"},
                                                                                     {"stats_period", "0"},
                                                                                     {"query_wait_notify", "1.5"},
                                                                                     {"tcp_user_timeout", "1us"},
                                                                                     {"worker_threads", "65"},
                                                                                     {"log_connections", "yes"},
                                                                                     {"query_timeout", ""},
                                                                                     {"pool_mode", ""}}) {
        CAPTURE(name, value);
        CHECK_FALSE(assign(settings, *find_setting(name), value));
    }
    CHECK(settings == Settings{});
}

// --- loading ---

TEST_CASE("a file with an empty main section gives the defaults") {
    auto settings = main("");
    settings.conffile.clear();
    CHECK(settings == Settings{});
}

TEST_CASE("settings of each type arrive") {
    const auto settings = main(
        "default_pool_size = 0x10\nquery_timeout = 1.5\nserver_lifetime = 5min\ntcp_user_timeout = 250\n"
        "admin_users = a, b\nauth_type = SCRAM-SHA-256\nunix_socket_mode = 0770\nlog_stats = 0\nlogfile = /l\n"
        "client_lost_query = cancel\nclient_lost_drain = 250ms\n");
    CHECK(settings.default_pool_size == 16);
    CHECK(settings.query_timeout == 1500ms);
    CHECK(settings.server_lifetime == 5min);
    CHECK(settings.tcp_user_timeout == 250ms);
    CHECK(settings.admin_users == Lines{"a", "b"});
    CHECK(settings.auth_type == AuthType::scram_sha_256);
    CHECK(settings.unix_socket_mode == 0770);
    CHECK_FALSE(settings.log_stats);
    CHECK(settings.logfile == "/l");
    CHECK(settings.client_lost_query == ClientLostQuery::cancel);
    CHECK(settings.client_lost_drain == 250ms);
}

TEST_CASE("five mistakes of a file are found at once, each with its line") {
    const auto result = load(
        "[pgbouncer]\npool_mod = session\ndefault_pool_size = many\nword\n[databases]\na = hots=h password=secret\n"
        "pgbouncer = host=h\n");
    CHECK_FALSE(result.settings);
    CHECK(result.errors ==
          Lines{"unknown parameter: pgbouncer/pool_mod in configuration (f:2), did you mean pool_mode?",
                "invalid value \"many\" for parameter default_pool_size in configuration (f:3), expected 0 or more",
                "syntax error in configuration (f:4), stopping loading",
                "unrecognized connection parameter: hots for database \"a\" in configuration (f:6)",
                "database name \"pgbouncer\" is reserved in configuration (f:7)"});
    CHECK(has_line(load("[databases]\npgweir = host=h\n[pgbouncer]\n").errors, "database name \"pgweir\" is reserved"));
}

TEST_CASE("a file without its main section, with a stray value or a strange section is refused") {
    CHECK(load("[databases]\n").errors == Lines{"main section [pgbouncer] missing from config file (f)"});
    CHECK(load("k = 1\n[pgbouncer]").errors == Lines{"value without section: k in configuration (f:1)"});
    CHECK(load("[pgbouncer]\n[other]\nx = 1\n").errors == Lines{"invalid section \"other\" in configuration (f:2)"});
}

TEST_CASE("a file that is not there is one error") {
    MemoryFiles files;
    CHECK(load_settings({.path = "gone"}, files).errors ==
          Lines{"could not load file \"gone\": No such file or directory"});
}

TEST_CASE("[pgweir] is the same section and adds to it, a second [pgbouncer] starts from the defaults") {
    CHECK(loaded("[pgbouncer]\ndefault_pool_size=3\n[pgweir]\nmin_pool_size=2\n").default_pool_size == 3);
    CHECK(loaded("[pgweir]\ndefault_pool_size=3\n[pgbouncer]\n").default_pool_size == 20);
    const auto settings = loaded("[pgbouncer]\ndefault_pool_size=3\nauth_file=a\n[users]\n[pgbouncer]\n");
    CHECK(settings.default_pool_size == 20);
    CHECK(settings.auth_file == "a");
}

TEST_CASE("databases are found by name, the later line of one name counts") {
    const auto settings = loaded("[pgbouncer]\n[databases]\nb=host=1\na=host=2\n*=host=3\nb=host=4\n");
    REQUIRE(settings.databases.size() == 3);
    CHECK(settings.find_database("b")->hosts == Lines{"4"});
    CHECK(settings.find_database("c") == nullptr);
    const auto made = auto_database(*settings.fallback(), "c");
    CHECK(made.name == "c");
    CHECK(made.dbname == "c");
    CHECK(made.is_auto);
}

TEST_CASE("command line and environment win over the file, the last of them most") {
    LoadRequest request;
    request.overrides = {{"pool_mode", "statement", "PGWEIR_POOL_MODE"},
                         {"default_pool_size", "7", "PGWEIR_DEFAULT_POOL_SIZE"},
                         {"pool_mode", "transaction", "--set"}};
    const auto settings = loaded("[pgbouncer]\npool_mode=session\ndefault_pool_size=3\n", request);
    CHECK(settings.pool_mode == PoolMode::transaction);
    CHECK(settings.default_pool_size == 7);

    request.overrides = {{"default_pool_size", "x", "PGWEIR_DEFAULT_POOL_SIZE"}};
    CHECK(load("[pgbouncer]", request).errors ==
          Lines{"invalid value \"x\" for parameter default_pool_size (PGWEIR_DEFAULT_POOL_SIZE), expected 0 or more"});
}

TEST_CASE("only variables that name a setting are looked at") {
    const auto overrides = settings_from_environment([](const std::string& variable) -> std::optional<std::string> {
        CHECK(variable != "PGWEIR_PORT");
        if (variable == "PGWEIR_LISTEN_PORT") return "7000";
        return std::nullopt;
    });
    REQUIRE(overrides.size() == 1);
    CHECK(overrides[0].key == "listen_port");
    CHECK(overrides[0].value == "7000");
}

// --- reload ---

TEST_CASE("a reload goes back to the defaults, but for what has none and what needs a restart") {
    const auto running = main("default_pool_size=3\nauth_file=a\nlisten_port=7000\n");
    const auto result = load("[pgbouncer]\nlisten_port=7001\n", reload_of(running));
    REQUIRE(result.settings);
    CHECK(result.settings->default_pool_size == 20);
    CHECK(result.settings->auth_file == "a");
    CHECK(result.settings->listen_port == 7000);
    CHECK(result.warnings == Lines{"\"listen_port\" changes with a restart only and stays as it is"});
}

TEST_CASE("a reload of what is in force says nothing of restarts") {
    const auto running = main("listen_port=7000\nworker_threads=2\nunix_socket_mode=0700\ntrack_extra_parameters=a,b\n");
    CHECK(load("[pgbouncer]\nlisten_port=7000\nworker_threads=2\nunix_socket_mode=0700\ntrack_extra_parameters=a b\n", reload_of(running))
              .warnings.empty());
}

TEST_CASE("a forced user cannot be removed by a reload") {
    const auto running = loaded("[pgbouncer]\n[databases]\na=host=h user=u password=p\n");
    const auto result = load("[pgbouncer]\n[databases]\na=host=h\n", reload_of(running));
    REQUIRE(result.settings);
    CHECK(result.settings->find_database("a")->user == "u");
    CHECK(result.settings->find_database("a")->password == "p");
    CHECK(has_line(result.warnings, "the user of database \"a\" cannot be removed"));
}

// --- what is not there yet ---

TEST_CASE("a setting without its feature gives one warning with its line") {
    CHECK(load("[pgbouncer]\nsyslog = 1\n").warnings ==
          Lines{"syslog=1 is not supported yet and has no effect (f:2)"});
    CHECK(load("[pgbouncer]\n[databases]\na=host=h auth_user=x\nb=host=h auth_user=y\n").warnings ==
          Lines{"auth_user in [databases] is not supported yet and has no effect"});
}

TEST_CASE("a setting without its feature is silent while it asks for nothing") {
    CHECK(load("[pgbouncer]\nsyslog=0\nserver_tls_sslmode=prefer\nclient_tls_sslmode=disable\n").warnings.empty());
    CHECK(load("[pgbouncer]\nserver_tls_sslmode=disable\n").warnings.empty());
}

TEST_CASE("a setting is refused where to ignore it would weaken security") {
    const auto* line = GENERATE("auth_type = hba", "auth_type = ldap", "auth_type = pam", "auth_hba_file = f");
    CAPTURE(line);
    const auto result = load(std::string{"[pgbouncer]\n"} + line);
    CHECK_FALSE(result.settings);
    CHECK(has_line(result.errors, "is not supported yet, and to ignore it would weaken security (f:2)"));
}

// --- across settings ---

TEST_CASE("what only shows across settings is found") {
    CHECK(has_line(load("[pgbouncer]\nauth_dbname=pgbouncer").errors,
                   "cannot use the reserved \"pgbouncer\" database"));
    CHECK(has_line(load("[pgbouncer]\nauth_dbname=pgweir").errors, "cannot use the reserved \"pgweir\" database"));
    CHECK(has_line(load("[pgbouncer]\nmin_pool_size=9\n[databases]\na=pool_size=3").warnings,
                   "min_pool_size 9 of database \"a\" is above its pool_size 3"));
    CHECK(has_line(load("[pgbouncer]\nunix_socket_dir=\n").warnings, "nothing to listen on"));
    CHECK(has_line(load("[pgbouncer]\nauth_type=any\n[databases]\na=host=h").warnings, "database \"a\" has no user"));
}

TEST_CASE("TLS settings that cannot work are refused before a file is looked at") {
    const auto error_of = [](const std::string& lines) {
        const auto errors = load("[pgbouncer]\n" + lines).errors;
        return errors.empty() ? std::string() : errors.front();
    };
    const std::string files = "client_tls_cert_file = c\nclient_tls_key_file = k\n";
    CHECK(error_of("client_tls_sslmode = allow\n") == "client_tls_sslmode = allow needs both client_tls_cert_file and client_tls_key_file");
    CHECK(error_of(files + "client_tls_sslmode = verify-ca\n") == "client_tls_sslmode = verify-ca needs client_tls_ca_file");
    CHECK(error_of(files + "client_tls_sslmode = require\nclient_tls_protocols = tlsv1.4\n") == "invalid client_tls_protocols: tlsv1.4");
    CHECK(error_of(files + "client_tls_sslmode = require\nclient_tls_dheparams = some\n") == "invalid client_tls_dheparams: some");
    CHECK(error_of("server_tls_sslmode = verify-ca\n") == "server_tls_sslmode = verify-ca needs server_tls_ca_file");
    CHECK(error_of("server_tls_cert_file = c\n") == "server_tls_sslmode = prefer needs both server_tls_cert_file and server_tls_key_file");
    CHECK(error_of(files + "client_tls_sslmode = require\nauth_type = cert\n") == "auth_type = cert needs client_tls_sslmode = verify-full");

    CHECK(error_of(files + "client_tls_sslmode = require\n").empty());
    CHECK(error_of("server_tls_sslmode = verify-full\n").empty());    // the system's CAs
    CHECK(error_of("client_tls_protocols = tlsv1.4\n").empty());      // not asked for
}

TEST_CASE("a URL's sslmode can be made stronger elsewhere, not weaker") {
    const std::string url = "postgresql://u:p@db/app?sslmode=require";
    CHECK(load_upstream(url).settings->server_tls_sslmode == TlsMode::require);
    CHECK(load_upstream("postgresql://u:p@db/app").settings->server_tls_sslmode == TlsMode::prefer);
    CHECK(load_upstream("postgresql://u:p@db/app?sslmode=verify-ca&sslrootcert=/ca").settings->server_tls_ca_file == "/ca");
    CHECK(load_upstream(url, {{"server_tls_sslmode", "verify-full", "PGWEIR_SERVER_TLS_SSLMODE"}}).settings->server_tls_sslmode ==
          TlsMode::verify_full);
    CHECK(has_line(load_upstream(url, {{"server_tls_sslmode", "prefer", "PGWEIR_SERVER_TLS_SSLMODE"}}).errors,
                   "server_tls_sslmode = prefer is weaker than what the URL asks for, require"));
}

// --- --upstream ---

TEST_CASE("a URL alone is a sidecar on loopback with SCRAM and transaction pooling") {
    const auto result = load_upstream("postgresql://u:p@db/app");
    REQUIRE(result.settings);
    CHECK(result.settings->listen_addr == Lines{"127.0.0.1"});
    CHECK(result.settings->listen_port == 6432);
    CHECK(result.settings->unix_socket_dir.empty());
    CHECK(result.settings->pool_mode == PoolMode::transaction);
    CHECK(result.settings->auth_type == AuthType::scram_sha_256);
    CHECK(result.settings->worker_threads == 1);
    CHECK(result.settings->find_database("app")->password == "p");
    CHECK(result.warnings.empty());
}

TEST_CASE("the environment wins over the sidecar's defaults") {
    const auto result = load_upstream("postgresql://u:p@db/app", {{"pool_mode", "session", "PGWEIR_POOL_MODE"}});
    REQUIRE(result.settings);
    CHECK(result.settings->pool_mode == PoolMode::session);
}

TEST_CASE("a URL without a password is trusted on loopback only") {
    const auto result = load_upstream("postgresql://u@db/app");
    REQUIRE(result.settings);
    CHECK(result.settings->auth_type == AuthType::trust);

    const SettingOverride everywhere{"listen_addr", "*", "PGWEIR_LISTEN_ADDR"};
    CHECK(has_line(load_upstream("postgresql://u@db/app", {everywhere}).errors, "must be on loopback"));
    CHECK(load_upstream("postgresql://u@db/app", {everywhere, {"auth_type", "trust", "PGWEIR_AUTH_TYPE"}}).settings);
}

// --- what wins ---

TEST_CASE("a user's pool settings win over the database's, and those over the global ones") {
    const auto settings = loaded(
        "[pgbouncer]\ndefault_pool_size=1\nreserve_pool_size=2\nmin_pool_size=3\nserver_lifetime=4\n"
        "[databases]\nplain=host=h\nown=host=h pool_size=10 reserve_pool=20 pool_mode=statement min_pool_size=30 "
        "server_lifetime=40\n"
        "[users]\nu=pool_size=100 reserve_pool_size=200 pool_mode=transaction\n");
    const auto global = pool_policy(settings, *settings.find_database("plain"), "x");
    CHECK(global.pool_size == 1);
    CHECK(global.reserve_pool_size == 2);
    CHECK(global.min_pool_size == 3);
    CHECK(global.server_lifetime == 4s);
    CHECK(global.mode == PoolMode::session);
    CHECK(global.cancel_bound == 2);

    const auto entry = pool_policy(settings, *settings.find_database("own"), "x");
    CHECK(entry.pool_size == 10);
    CHECK(entry.reserve_pool_size == 20);
    CHECK(entry.min_pool_size == 30);
    CHECK(entry.server_lifetime == 40s);
    CHECK(entry.mode == PoolMode::statement);

    const auto user = pool_policy(settings, *settings.find_database("own"), "u");
    CHECK(user.pool_size == 100);
    CHECK(user.reserve_pool_size == 200);
    CHECK(user.mode == PoolMode::transaction);
}

TEST_CASE("a size of zero in an entry counts, a limit of zero does not") {
    const auto settings = loaded(
        "[pgbouncer]\nmax_db_connections=9\nmin_pool_size=5\n[databases]\n"
        "a=pool_size=0 min_pool_size=0 max_db_connections=0\n");
    const auto& entry = *settings.find_database("a");
    const auto policy = pool_policy(settings, entry, "x");
    CHECK(policy.pool_size == 0);
    CHECK(policy.min_pool_size == 0);
    CHECK(policy.cancel_bound == 0);
    CHECK(max_db_connections(settings, entry) == 9);
}

TEST_CASE("limits are the entry's or the user's, else the global ones, and a negative one is none") {
    const auto settings = loaded(
        "[pgbouncer]\nmax_db_connections=1\nmax_db_client_connections=2\nmax_user_connections=3\n"
        "max_user_client_connections=-4\n[databases]\na=max_db_connections=10 max_db_client_connections=20\nb=host=h\n"
        "[users]\nu=max_user_connections=30 max_user_client_connections=40\n");
    CHECK(max_db_connections(settings, *settings.find_database("a")) == 10);
    CHECK(max_db_connections(settings, *settings.find_database("b")) == 1);
    CHECK(max_db_client_connections(settings, *settings.find_database("a")) == 20);
    CHECK(max_db_client_connections(settings, *settings.find_database("b")) == 2);
    CHECK(max_user_connections(settings, "u") == 30);
    CHECK(max_user_connections(settings, "x") == 3);
    CHECK(max_user_client_connections(settings, "u") == 40);
    CHECK(max_user_client_connections(settings, "x") == 0);
}

TEST_CASE("server-side timeouts go by the pool's user, client-side ones by the login") {
    const auto settings = loaded(
        "[pgbouncer]\nquery_timeout=1\nclient_idle_timeout=2\nquery_wait_timeout=3\n[databases]\n"
        "a=host=h user=forced query_wait_timeout=30\n[users]\n"
        "forced=query_timeout=10 client_idle_timeout=11 query_wait_timeout=12\n"
        "login=query_timeout=20 client_idle_timeout=21 query_wait_timeout=0\n");
    const auto& entry = *settings.find_database("a");
    CHECK(pool_user(entry, "login") == "forced");
    const auto policy = session_policy(settings, entry, "forced", "login");
    CHECK(policy.query_timeout == 10s);
    CHECK(policy.client_idle_timeout == 21s);
    CHECK(policy.query_wait_timeout == 0s);
    const auto other = session_policy(settings, entry, "forced", "other");
    CHECK(other.client_idle_timeout == 2s);
    CHECK(other.query_wait_timeout == 30s);
}

TEST_CASE("named statements are passed on when they are not tracked, or in session pooling") {
    const DatabaseEntry entry;
    const auto forwards = [&](const std::string& text) {
        return session_policy(main(text), entry, "u", "u").statements_max == 0;
    };
    CHECK(forwards("pool_mode=session"));
    CHECK(forwards("pool_mode=transaction\nmax_prepared_statements=0"));
    CHECK_FALSE(forwards("pool_mode=transaction"));
}

TEST_CASE("the word <empty> is an empty query, an empty text is no check") {
    const DatabaseEntry entry;
    CHECK(pool_policy(main(""), entry, "u").server_check_query == ";");
    CHECK(pool_policy(main("server_check_query="), entry, "u").server_check_query.empty());
    CHECK(pool_policy(main("server_check_query=select 1"), entry, "u").server_check_query == "select 1");
}

// --- the console ---

TEST_CASE("SHOW CONFIG prints values as PgBouncer does") {
    const auto settings = main("query_timeout=1.5\nauth_type=TRUST\nverbose=2\n");
    CHECK(shown(settings, "query_timeout") == "1.5");
    CHECK(shown(settings, "server_lifetime") == "3600");
    CHECK(shown(settings, "auth_type") == "trust");
    CHECK(shown(settings, "auth_file") == "NULL");
    CHECK(shown(settings, "logfile").empty());
    CHECK(shown(settings, "unix_socket_mode") == "511");
    CHECK(shown(settings, "conffile") == "f");
    CHECK(shown(settings, "client_lost_drain") == "5s");
    const auto rows = show_config(settings);
    const auto verbose = std::ranges::find(rows, "verbose", &ConfigRow::key);
    CHECK(verbose->value == "2");
    CHECK(verbose->default_value == std::nullopt);
    CHECK(verbose->changeable);
    CHECK_FALSE(std::ranges::find(rows, "listen_port", &ConfigRow::key)->changeable);
}

TEST_CASE("SET changes one value, or nothing at all") {
    Settings settings;
    CHECK(apply_set(settings, "default_pool_size", "7").outcome == SetOutcome::done);
    CHECK(settings.default_pool_size == 7);

    const Settings before = settings;
    CHECK(apply_set(settings, "no_such_key", "7").outcome == SetOutcome::unknown_key);
    CHECK(apply_set(settings, "default_pool_size", "x").outcome == SetOutcome::bad_value);
    CHECK(apply_set(settings, "auth_dbname", "pgbouncer").outcome == SetOutcome::bad_value);
    CHECK(apply_set(settings, "auth_type", "hba").outcome == SetOutcome::unsupported);
    CHECK(apply_set(settings, "listen_port", "7000").outcome == SetOutcome::unchanged_until_restart);
    CHECK_FALSE(apply_set(settings, "listen_port", "7000").failed());
    CHECK(apply_set(settings, "listen_port", "7000").message == "\"listen_port\" changes with a restart only and stays as it is");
    CHECK(apply_set(settings, "listen_port", "6432").message.empty());
    CHECK(settings == before);
}

TEST_CASE("SET of a setting without its feature succeeds with a warning") {
    Settings settings;
    const auto result = apply_set(settings, "syslog", "1");
    CHECK_FALSE(result.failed());
    CHECK(result.message == "syslog=1 is not supported yet and has no effect");
}

TEST_CASE("a reload's differences are told key by key, and no secret with them") {
    const auto before = loaded(
        "[pgbouncer]\nauth_ldap_options=pw1\nauth_file=a\n[databases]\na=host=h1 password=pw2 user=u\ngone=host=h\n");
    const auto after = loaded(
        "[pgbouncer]\nauth_ldap_options=pw3\ndefault_pool_size=30\n[databases]\na=host=h1,h2 password=pw4 user=u "
        "connect_query=pw5\nnew=host=h password=pw6\n[users]\nv=pool_size=3\n");
    CHECK(describe_changes(before, after) ==
          Lines{"auth_file: a -> (none)", "auth_ldap_options: changed", "default_pool_size: 20 -> 30",
                "database a host: h1 -> h1,h2", "database a password: changed", "database a connect_query: changed",
                "database gone: removed", "database new: added", "user v: added"});
    CHECK(describe_changes(after, after).empty());
}
