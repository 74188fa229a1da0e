#include "proxy/tls/certificate.hpp"

#include <algorithm>

#include <openssl/objects.h>
#include <openssl/x509v3.h>

namespace pgweir {
namespace {

using NamesPtr = std::unique_ptr<GENERAL_NAMES, OpenSslFree<GENERAL_NAMES_free>>;
using AddressPtr = std::unique_ptr<ASN1_OCTET_STRING, OpenSslFree<ASN1_OCTET_STRING_free>>;

// Nothing for what holds a NUL.
std::string text_of(const ASN1_STRING* string) {
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, string);
    if (size < 0) return {};
    std::string text(reinterpret_cast<char*>(utf8), static_cast<std::size_t>(size));
    OPENSSL_free(utf8);
    return text.find('\0') == std::string::npos ? text : std::string();
}

std::string common_name_of(X509* certificate) {
    const X509_NAME* subject = X509_get_subject_name(certificate);
    const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (place < 0) return {};
    return text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
}

NamesPtr alternative_names_of(X509* certificate) {
    return NamesPtr(static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
}

bool is_address(const std::string& host) { return AddressPtr(a2i_IPADDRESS(host.c_str())) != nullptr; }

}  // namespace

std::vector<std::string> names_in(X509* certificate) {
    std::vector<std::string> names;
    const auto add = [&](std::string name) {
        if (!name.empty()) names.push_back(std::move(name));
    };
    add(common_name_of(certificate));
    const auto alternatives = alternative_names_of(certificate);
    for (int i = 0; i < sk_GENERAL_NAME_num(alternatives.get()); ++i) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(alternatives.get(), i);
        if (name->type == GEN_DNS || name->type == GEN_EMAIL) add(text_of(name->d.ia5));
    }
    return names;
}

bool is_for_host(X509* certificate, const std::string& host) {
    if (!is_address(host)) return X509_check_host(certificate, host.data(), host.size(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, nullptr) == 1;
    if (X509_check_ip_asc(certificate, host.c_str(), 0) == 1) return true;
    return alternative_names_of(certificate) == nullptr && common_name_of(certificate) == host;
}

std::string end_point_of(X509* certificate) {
    int hash = NID_undef;
    if (X509_get_signature_info(certificate, &hash, nullptr, nullptr, nullptr) != 1 || hash == NID_undef) return {};
    if (hash == NID_md5 || hash == NID_sha1 || hash == NID_md5_sha1) hash = NID_sha256;
    const EVP_MD* digest = EVP_get_digestbynid(hash);
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (digest == nullptr || X509_digest(certificate, digest, bytes, &size) != 1) return {};
    return {reinterpret_cast<char*>(bytes), size};
}

bool is_expired(X509* certificate) { return X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0; }

}  // namespace pgweir
