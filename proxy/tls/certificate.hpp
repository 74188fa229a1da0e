// What a certificate says: whose it is, whether a host may show it, and the hash that SCRAM binds an exchange to.
#pragma once

#include <string>
#include <vector>

#include "proxy/tls/openssl.hpp"

namespace pgweir {

// The common name, and the alternative names that are DNS names or mail addresses. Names with a NUL are left out: they
// were made to be misread.
std::vector<std::string> names_in(X509* certificate);

// A name or an IP address, as verify-full has it: by the alternative names; by the common name only where there are none.
bool is_for_host(X509* certificate, const std::string& host);

// tls-server-end-point of RFC 5929: the certificate's hash, by its signature's hash, SHA-256 at least. Empty where the
// signature has no hash of its own (Ed25519).
std::string end_point_of(X509* certificate);

bool is_expired(X509* certificate);

}  // namespace pgweir
