// How OpenSSL reaches the socket: one recv straight into its buffer, and what it writes gathered for one send.
//
// A short recv is remembered, so that nobody asks an empty socket again. The gathered bytes are the thread's, shared by
// all connections, and empty between their calls: each sends or keeps its own before it returns.
#pragma once

#include <string>

#include "proxy/tls/openssl.hpp"

namespace pgweir {

// What the BIO knows of its socket. Its owner sets `fd` and clears `drained` before it lets OpenSSL read.
struct TlsSocket {
    int fd = -1;
    bool drained = false;       // a recv has come short: nothing more now
    bool at_end = false;
    std::string early;          // received before TLS took over
};

BioPtr make_socket_bio(TlsSocket& socket);

// What the calls since the last send have written.
std::string& gathered_ciphertext();

}  // namespace pgweir
