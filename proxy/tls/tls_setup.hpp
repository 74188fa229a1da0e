// TLS as it is in force: the settings of both legs and what was built from them. A snapshot, swapped as a whole.
#pragma once

#include <memory>

#include "proxy/tls/tls_context.hpp"
#include "routing/file_reader.hpp"

namespace pgweir {

struct TlsLeg {
    TlsSettings settings;
    std::string fingerprint;                      // of what the files held when they were read
    std::shared_ptr<const TlsContext> context;    // null: no TLS

    // Whether connections made under the one are as good as those under the other.
    bool is_like(const TlsLeg& other) const { return settings == other.settings && fingerprint == other.fingerprint; }
};

struct TlsSetup {
    TlsLeg clients;
    TlsLeg servers;
};

// Reads the files again. A leg in which nothing has changed keeps `running`'s context, and so its tickets. Throws
// TlsSetupError; a warning or two about what works but should not be left so goes to the log.
std::shared_ptr<const TlsSetup> make_tls_setup(const Settings& settings, FileReader& files, const TlsSetup* running = nullptr);

}  // namespace pgweir
