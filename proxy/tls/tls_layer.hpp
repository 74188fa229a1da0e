// TLS between the relay and a socket.
//
// Promises: a read that comes short means that the socket is empty for now and nothing is left inside; a write is taken
// whole into records and sent at once, and what the socket does not take is kept as ciphertext, while the last byte that
// it stands for counts as not taken: so the caller offers it again when the socket can take more, and reads no more from
// the other side before. A handshake's last words to a client go with the first bytes behind it, or with the first read
// that finds none. Memory of an idle connection is OpenSSL's own floor: no buffer is kept.
// Not here: who waits for readiness (Poller, AsyncTransport), when a handshake may use the processor (HandshakeQueue).
#pragma once

#include <memory>
#include <string>

#include "proxy/kept_bytes.hpp"
#include "proxy/tls/tls_bio.hpp"
#include "proxy/tls/tls_context.hpp"
#include "proxy/transport.hpp"

namespace pgweir {

enum class HandshakeStep : std::uint8_t { done, wants_read, wants_write, ended, failed };

class TlsLayer : public TransportLayer {
public:
    // `early`: bytes of the handshake that have been received already.
    explicit TlsLayer(std::shared_ptr<const TlsContext> context, Bytes early = {});

    // SNI, for a host that is no address.
    void ask_for_host(const std::string& host);

    // As far as the handshake comes with what is there.
    HandshakeStep shake_hands(int fd);
    // Why it failed; for the log. Empty: the connection just ended.
    const std::string& failure() const { return failure_; }
    const TlsContext& context() const { return *context_; }

    // After the handshake.
    CertificatePtr peer_certificate() const;
    bool is_resumed() const;

    IoResult read(int fd, char* into, std::size_t size) override;
    IoResult write(int fd, const char* from, std::size_t size) override;
    bool has_buffered() const override { return stopped_early_; }
    void close(int fd) override;
    std::string description() const override;

private:
    IoStatus read_more(char* into, std::size_t size, std::size_t& count);
    IoStatus send_gathered();
    IoStatus send_kept();
    IoStatus fail();
    void keep_last_words();
    HandshakeStep fail_handshake();

    std::shared_ptr<const TlsContext> context_;
    TlsSocket socket_;
    SslPtr ssl_;
    KeptBytes kept_;                  // ciphertext that the socket did not take
    std::string failure_;
    bool owes_byte_ = false;          // the first byte of the next write is in `kept_` already
    bool stopped_early_ = false;      // the last read was full, or met the end behind data: more is inside
    bool failed_ = false;
    bool has_last_words_ = false;     // of the handshake, in `kept_`; not offered to the socket yet
    bool last_words_stuck_ = false;   // it did not take them, while nothing else was to be said
};

}  // namespace pgweir
