// The process around the workers: what the command line says, signals, pid file, privileges.
#pragma once

#include <string>

namespace pgweir {

struct CommandLine {
    std::string config_file;
    std::string upstream;         // --upstream, or DATABASE_URL when there is no file
    std::string check_file;       // --check: report and exit
    std::string user;
    bool daemon = false;
    bool quiet = false;
    bool reboot = false;
    int verbose = 0;
};

// Runs the proxy until it is told to stop. The exit status.
int run_process(const CommandLine& options);
// --check: prints every mistake of the file, starts nothing. The exit status.
int check_config(const std::string& path);

}  // namespace pgweir
