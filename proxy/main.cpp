// The program: reads the command line and runs the process.
#include <cstdio>
#include <cstdlib>
#include <string>

#include <CLI/CLI.hpp>
#include <boost/version.hpp>
#include <openssl/crypto.h>

#include "admin/version.hpp"
#include "proxy/process.hpp"

namespace {

std::string version_lines() {
    return std::string(pgweir::version_text) + "\nBoost.Asio " + BOOST_LIB_VERSION + " (epoll)\nDNS: system resolver\n" +
           OpenSSL_version(OPENSSL_VERSION);
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"pgweir: a transaction-pooling proxy for PostgreSQL", "pgweir"};
    pgweir::CommandLine options;
    app.add_option("CONFIG_FILE", options.config_file, "configuration file, in pgbouncer.ini's format");
    app.add_flag("-d,--daemon", options.daemon, "run in the background; needs pidfile");
    app.add_flag("-q,--quiet", options.quiet, "do not write the log to stderr");
    app.add_flag("-v,--verbose", options.verbose, "more log lines; may be repeated");
    app.add_flag("-R,--reboot", options.reboot, "online restart (not supported yet)");
    app.add_option("-u,--user", options.user, "Unix user to become");
    app.add_option("--check", options.check_file, "report every mistake of a configuration file and exit");
    app.add_option("--upstream", options.upstream, "run in front of this database URL, without a configuration file");
    app.set_version_flag("-V,--version", version_lines());
    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp& e) {
        return app.exit(e);
    } catch (const CLI::CallForVersion& e) {
        return app.exit(e);
    } catch (const CLI::ParseError& e) {
        std::fprintf(stderr, "%s\nTry \"pgweir --help\" for more information.\n", e.what());
        return 1;
    }
    if (!options.check_file.empty()) return pgweir::check_config(options.check_file);
    if (options.config_file.empty() && options.upstream.empty())
        if (const char* url = std::getenv("DATABASE_URL"); url != nullptr) options.upstream = url;
    if (options.config_file.empty() && options.upstream.empty()) {
        std::fprintf(stderr, "no configuration file, and neither --upstream nor DATABASE_URL is given\n"
                             "Try \"pgweir --help\" for more information.\n");
        return 1;
    }
    if (options.reboot) {
        std::fprintf(stderr, "online restart (-R) is not supported: use so_reuseport and a rolling restart\n");
        return 1;
    }
    return pgweir::run_process(options);
}
