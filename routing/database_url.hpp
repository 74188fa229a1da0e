// A connection URL, `postgresql://user:password@host:port/database?parameter=value`, as --upstream takes it.
//
// Promises: no message repeats the URL or any value of it that could be a secret.
// Not here: the defaults of a process without a file (upstream_defaults in settings_loader.cpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routing/settings.hpp"

namespace pgweir {

// TLS as the URL asks for it, by libpq's words: a CA file given with sslmode=require makes it verify-ca.
struct DatabaseUrlTls {
    std::optional<TlsMode> mode;               // none: the URL says nothing
    std::string ca_file;                       // "system": what the system trusts
    std::string cert_file;
    std::string key_file;
};

struct DatabaseUrl {
    DatabaseEntry entry;                       // its user and password are the URL's
    std::string user;
    std::string password;                      // empty: the URL has none
    DatabaseUrlTls tls;
    std::vector<std::string> warnings;         // parameters that have no effect here
};

struct DatabaseUrlResult {
    DatabaseUrl url;
    std::string error;                         // empty: success

    explicit operator bool() const { return error.empty(); }
};

DatabaseUrlResult parse_database_url(std::string_view text);

}  // namespace pgweir
