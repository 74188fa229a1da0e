// OpenSSL's objects with an owner each, and its errors as text.
#pragma once

#include <memory>
#include <string>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace pgweir {

template <auto free_it>
struct OpenSslFree {
    template <class Object>
    void operator()(Object* object) const { free_it(object); }
};

using SslPtr = std::unique_ptr<SSL, OpenSslFree<SSL_free>>;
using SslContextPtr = std::unique_ptr<SSL_CTX, OpenSslFree<SSL_CTX_free>>;
using CertificatePtr = std::unique_ptr<X509, OpenSslFree<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, OpenSslFree<EVP_PKEY_free>>;
using BioPtr = std::unique_ptr<BIO, OpenSslFree<BIO_free>>;

// One connection's error must not be taken for the next one's. Looking first is much cheaper than clearing always.
inline void clear_openssl_errors() {
    if (ERR_peek_error() != 0) ERR_clear_error();
}

// The oldest error's reason in words; the queue is empty afterwards.
std::string take_openssl_error();

}  // namespace pgweir
