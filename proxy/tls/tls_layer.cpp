#include "proxy/tls/tls_layer.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include <fmt/format.h>

namespace pgweir {
namespace {

constexpr std::size_t write_bytes_max = 64 * 1024;     // of one call: what can be kept as ciphertext is bounded by it
constexpr std::size_t kept_bytes_max = 128 * 1024;     // a peer that makes us answer and takes no answer

// How many bytes a socket takes; nothing when the connection is lost.
std::optional<std::size_t> send_some(int fd, Bytes bytes) {
    if (bytes.empty()) return 0;
    for (;;) {
        const auto count = ::send(fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return std::nullopt;
        return count > 0 ? static_cast<std::size_t>(count) : 0;
    }
}

}  // namespace

TlsLayer::TlsLayer(std::shared_ptr<const TlsContext> context, Bytes early) : context_(std::move(context)), ssl_(context_->make_connection()) {
    socket_.early = early;
    BIO* bio = make_socket_bio(socket_).release();
    SSL_set_bio(ssl_.get(), bio, bio);    // takes it over
}

void TlsLayer::ask_for_host(const std::string& host) { SSL_set_tlsext_host_name(ssl_.get(), host.c_str()); }

CertificatePtr TlsLayer::peer_certificate() const { return CertificatePtr(SSL_get1_peer_certificate(ssl_.get())); }

bool TlsLayer::is_resumed() const { return SSL_session_reused(ssl_.get()) == 1; }

HandshakeStep TlsLayer::shake_hands(int fd) {
    socket_.fd = fd;
    socket_.drained = false;
    clear_openssl_errors();
    const int result = SSL_do_handshake(ssl_.get());
    const int error = SSL_get_error(ssl_.get(), result);
    if (result == 1 && kept_.empty() && context_->side() == TlsLegSide::clients) {
        keep_last_words();
        return HandshakeStep::done;
    }
    const bool lost = send_gathered() == IoStatus::failed;
    if (result != 1 && error != SSL_ERROR_WANT_READ) return fail_handshake();
    if (lost) return HandshakeStep::ended;
    if (!kept_.empty()) return HandshakeStep::wants_write;
    return result == 1 ? HandshakeStep::done : HandshakeStep::wants_read;
}

// A ticket, or Finished in TLS 1.2: a packet of its own would wake the client for nothing.
void TlsLayer::keep_last_words() {
    kept_.append(gathered_ciphertext());
    gathered_ciphertext().clear();
    has_last_words_ = !kept_.empty();
}

HandshakeStep TlsLayer::fail_handshake() {
    failed_ = true;
    if (ERR_peek_error() == 0) return HandshakeStep::ended;    // the socket's end, not TLS's
    // What is wrong with a certificate's bytes stands in front of it.
    const bool is_about_certificate = ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_CERTIFICATE_VERIFY_FAILED;
    std::string reason = take_openssl_error();
    if (is_about_certificate)
        reason = fmt::format("certificate verify failed ({})", X509_verify_cert_error_string(SSL_get_verify_result(ssl_.get())));
    failure_ = "TLS handshake error: " + reason;
    return HandshakeStep::failed;
}

IoStatus TlsLayer::fail() {
    failed_ = true;
    clear_openssl_errors();
    return IoStatus::failed;
}

// One record at most. `again`: the socket is empty.
IoStatus TlsLayer::read_more(char* into, std::size_t size, std::size_t& count) {
    clear_openssl_errors();
    if (SSL_read_ex(ssl_.get(), into, size, &count) == 1) return IoStatus::done;
    switch (SSL_get_error(ssl_.get(), 0)) {
        case SSL_ERROR_WANT_READ: return IoStatus::again;
        case SSL_ERROR_ZERO_RETURN: return IoStatus::end;
        default: return fail();
    }
}

IoResult TlsLayer::read(int fd, char* into, std::size_t size) {
    if (failed_) return {IoStatus::failed, 0};
    socket_.fd = fd;
    socket_.drained = false;
    stopped_early_ = false;
    if ((kept_.size() > kept_bytes_max || last_words_stuck_) && send_gathered() != IoStatus::done) return {IoStatus::wants_write, 0};
    last_words_stuck_ = false;
    std::size_t total = 0;
    IoStatus status = IoStatus::done;
    while (total < size && status == IoStatus::done) {
        std::size_t count = 0;
        status = read_more(into + total, size - total, count);
        total += count;
        // What has come is used up, and the socket has been seen empty: no second look that would only say so.
        if (status == IoStatus::done && socket_.drained && SSL_has_pending(ssl_.get()) == 0) status = IoStatus::again;
    }
    if (has_last_words_ && total == 0) {
        last_words_stuck_ = send_gathered() == IoStatus::again;
        if (last_words_stuck_) return {IoStatus::wants_write, 0};
    }
    if (!gathered_ciphertext().empty()) send_gathered();    // alerts, answers to key updates
    if (total == 0) return {status, 0};
    stopped_early_ = status != IoStatus::again;
    return {IoStatus::done, total};
}

IoResult TlsLayer::write(int fd, const char* from, std::size_t size) {
    if (failed_) return {IoStatus::failed, 0};
    if (size == 0) return {IoStatus::done, 0};
    socket_.fd = fd;
    if (!kept_.empty() && !has_last_words_)
        if (const auto status = send_gathered(); status != IoStatus::done) return {status, 0};
    const std::size_t owed = owes_byte_ ? 1 : 0;
    owes_byte_ = false;
    if (size == owed) return {IoStatus::done, owed};
    clear_openssl_errors();
    std::size_t taken = 0;
    const bool written = SSL_write_ex(ssl_.get(), from + owed, std::min(size - owed, write_bytes_max), &taken) == 1;
    if (!written) {
        send_gathered();
        return {fail(), 0};
    }
    taken += owed;
    const auto status = send_gathered();
    if (status != IoStatus::again) return {status, status == IoStatus::done ? taken : 0};
    owes_byte_ = true;
    return taken > 1 ? IoResult{IoStatus::done, taken - 1} : IoResult{IoStatus::again, 0};
}

// Behind what is kept; what the socket does not take is kept. `again`: something is.
IoStatus TlsLayer::send_gathered() {
    std::string& bytes = gathered_ciphertext();
    has_last_words_ = false;
    if (!kept_.empty()) {
        kept_.append(bytes);
        bytes.clear();
        return send_kept();
    }
    const auto sent = send_some(socket_.fd, bytes);
    if (sent && *sent < bytes.size()) kept_.append(Bytes(bytes).substr(*sent));
    bytes.clear();
    if (!sent) return IoStatus::failed;
    return kept_.empty() ? IoStatus::done : IoStatus::again;
}

IoStatus TlsLayer::send_kept() {
    const auto sent = send_some(socket_.fd, kept_.view());
    if (!sent) return IoStatus::failed;
    kept_.drop(*sent);
    return kept_.empty() ? IoStatus::done : IoStatus::again;
}

// A farewell, if it goes at once and somebody is there to hear it: an end without one looks like an attack to some.
void TlsLayer::close(int fd) {
    if (failed_ || (!kept_.empty() && !has_last_words_) || SSL_in_init(ssl_.get()) != 0 || has_hung_up(fd)) return;
    socket_.fd = fd;
    clear_openssl_errors();
    SSL_shutdown(ssl_.get());
    send_gathered();
}

std::string TlsLayer::description() const {
    std::string text = fmt::format("{}/{}", SSL_get_version(ssl_.get()), SSL_get_cipher_name(ssl_.get()));
    const long group = SSL_get_negotiated_group(ssl_.get());
    if (group <= 0) return text;
    const char* name = OBJ_nid2sn(static_cast<int>(group));
    return name != nullptr && group != NID_undef ? fmt::format("{}/ECDH={}", text, name) : text;
}

}  // namespace pgweir
