#include "proxy/tls/handshake.hpp"

#include <arpa/inet.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include "protocol/body_writer.hpp"
#include "protocol/frontend/ssl_request.hpp"
#include "proxy/tls/certificate.hpp"

namespace pgweir {
namespace {

asio::awaitable<HandshakeStep> step_of(TlsLayer& layer, int fd) { co_return layer.shake_hands(fd); }

asio::awaitable<HandshakeStep> take_step(Worker& worker, TlsLayer& layer, int fd) {
    if (!layer.context().has_slow_key()) return worker.handshakes().step(layer, fd);
    return asio::co_spawn(worker.helpers(), step_of(layer, fd), asio::use_awaitable);
}

asio::awaitable<TlsOutcome> run_handshake(Worker& worker, AsyncTransport& transport, TlsLayer& layer) {
    for (;;) {
        const auto step = co_await take_step(worker, layer, transport.socket.native_handle());
        if (step != HandshakeStep::wants_read && step != HandshakeStep::wants_write)
            co_return TlsOutcome{.succeeded = step == HandshakeStep::done, .failure = layer.failure()};
        const bool ready = co_await transport.wait(step == HandshakeStep::wants_read ? Socket::wait_read : Socket::wait_write);
        if (!ready) co_return TlsOutcome{};
    }
}

bool is_address(const std::string& host) {
    in6_addr ignored{};
    return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 || ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

// The server's answer to SSLRequest: one byte, and not one more is read, since what stands behind it came unencrypted.
asio::awaitable<char> ask_for_tls(AsyncTransport& transport) {
    std::string request;
    append_packet(request, frontend::SslRequest{});
    char answer = '\0';
    if (!co_await transport.write(request) || co_await transport.read(&answer, 1) == 0) co_return '\0';
    co_return answer;
}

}  // namespace

asio::awaitable<TlsOutcome> accept_tls(Worker& worker, AsyncTransport& transport, std::shared_ptr<const TlsContext> context, Bytes early) {
    if (!transport.layer) {
        transport.layer = std::make_unique<TlsLayer>(std::move(context), early);
        // Without early bytes the client waits for our answer, so nothing is there to shake with yet.
        if (early.empty()) co_await transport.wait(Socket::wait_read);
    }
    auto outcome = co_await run_handshake(worker, transport, static_cast<TlsLayer&>(*transport.layer));
    if (!outcome.succeeded) transport.layer.reset();
    co_return outcome;
}

asio::awaitable<TlsOutcome> request_tls(Worker& worker, AsyncTransport& transport, const TlsLeg& leg, const std::string& host) {
    if (!leg.settings.is_enabled()) co_return TlsOutcome{.succeeded = true, .failure = {}};
    const char answer = co_await ask_for_tls(transport);
    switch (answer) {
        case 'S': break;
        case 'N':
            if (leg.settings.mode < TlsMode::require) co_return TlsOutcome{.succeeded = true, .failure = {}};
            co_return TlsOutcome{.failure = "server refused SSL"};
        case '\0': co_return TlsOutcome{};
        default: co_return TlsOutcome{.failure = "server sent no answer to the SSL request"};
    }
    auto layer = std::make_unique<TlsLayer>(leg.context);
    if (!is_address(host)) layer->ask_for_host(host);
    auto outcome = co_await run_handshake(worker, transport, *layer);
    if (!outcome.succeeded) co_return outcome;
    const auto certificate = layer->peer_certificate();
    if (leg.settings.mode == TlsMode::verify_full && (!certificate || !is_for_host(certificate.get(), host)))
        co_return TlsOutcome{.failure = fmt::format("TLS handshake error: certificate verify failed (it is not for host \"{}\")", host)};
    transport.layer = std::move(layer);
    co_return outcome;
}

TlsFacts facts_of(const TlsLayer& layer) {
    TlsFacts facts{.end_point = layer.context().end_point(), .has_certificate = false, .names = {}};
    if (const auto certificate = layer.peer_certificate()) {
        facts.has_certificate = true;
        facts.names = names_in(certificate.get());
    }
    return facts;
}

std::string server_end_point(const AsyncTransport& transport) {
    const auto* layer = static_cast<const TlsLayer*>(transport.layer.get());
    if (layer == nullptr) return {};
    const auto certificate = layer->peer_certificate();
    return certificate ? end_point_of(certificate.get()) : std::string();
}

}  // namespace pgweir
