#include "proxy/tls/tls_setup.hpp"

#include <fmt/format.h>

#include "protocol/scram/digest.hpp"
#include "proxy/log.hpp"

namespace pgweir {
namespace {

std::string read_file(FileReader& files, TlsLegSide side, std::string_view what, const std::string& path) {
    if (path.empty()) return {};
    auto contents = files.read(path);
    if (!contents.error.empty())
        throw TlsSetupError(fmt::format("cannot read {} \"{}\": {}", tls_setting_name(side, what), path, contents.error));
    return std::move(contents.text);
}

TlsFiles read_files(FileReader& files, const TlsSettings& settings) {
    return {.ca = uses_system_cas(settings) ? std::string() : read_file(files, settings.side, "ca_file", settings.ca_file),
            .certificate = read_file(files, settings.side, "cert_file", settings.cert_file),
            .key = read_file(files, settings.side, "key_file", settings.key_file)};
}

std::string fingerprint_of(const TlsFiles& files) {
    std::string fingerprint;
    for (const auto* text : {&files.ca, &files.certificate, &files.key}) fingerprint += as_bytes(sha256(*text));
    return fingerprint;
}

void warn_about(const TlsLeg& leg) {
    const auto side = leg.settings.side;
    if (leg.context->has_expired())
        log(LogLevel::warning, "the certificate of {} \"{}\" has expired", tls_setting_name(side, "cert_file"), leg.settings.cert_file);
    if (leg.context->slow_key_bits() > 0)
        log(LogLevel::warning, "{} \"{}\" is an RSA key of {} bits: each handshake costs milliseconds; a P-256 key costs a fraction",
            tls_setting_name(side, "key_file"), leg.settings.key_file, leg.context->slow_key_bits());
}

TlsLeg make_leg(TlsSettings settings, FileReader& files, const TlsLeg* running) {
    TlsLeg leg{.settings = std::move(settings), .fingerprint = {}, .context = nullptr};
    if (!leg.settings.is_enabled()) return leg;
    if (const auto problem = problem_of(leg.settings); !problem.empty()) throw TlsSetupError(problem);
    TlsFiles texts = read_files(files, leg.settings);
    leg.fingerprint = fingerprint_of(texts);
    if (running != nullptr && running->is_like(leg)) {
        leg.context = running->context;
    } else {
        leg.context = std::make_shared<const TlsContext>(leg.settings, texts);
        warn_about(leg);
    }
    OPENSSL_cleanse(texts.key.data(), texts.key.size());
    return leg;
}

}  // namespace

std::shared_ptr<const TlsSetup> make_tls_setup(const Settings& settings, FileReader& files, const TlsSetup* running) {
    auto setup = std::make_shared<TlsSetup>();
    setup->clients = make_leg(client_tls(settings), files, running != nullptr ? &running->clients : nullptr);
    setup->servers = make_leg(server_tls(settings), files, running != nullptr ? &running->servers : nullptr);
    return setup;
}

}  // namespace pgweir
