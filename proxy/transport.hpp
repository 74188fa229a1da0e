// The only way to a socket for the relay: non-blocking reads and writes whose contract is TLS's already.
//
// Promises: a short read with nothing buffered means that the socket is empty for now; nothing here ever blocks.
// `write` may take fewer bytes than given; what it did not take must be offered again, unchanged and maybe with more
// behind it. Not here: when to read or write (relay), who waits for readiness (Poller).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

namespace pgweir {

enum class IoStatus : std::uint8_t {
    done,           // `bytes` were moved
    again,          // nothing now: wait for readiness
    end,            // read: the peer has closed its side
    wants_write,    // read: the socket must take bytes first (TLS)
    wants_read,     // write: bytes must come first (TLS)
    failed,         // the connection is lost
};

struct IoResult {
    IoStatus status = IoStatus::again;
    std::size_t bytes = 0;
};

// The peer has closed at least its sending side. Bytes that it sent before do not hide it.
bool has_hung_up(int fd);

// What stands between the relay and the socket when it is not plain: TLS, or a test's fake.
class TransportLayer {
public:
    virtual ~TransportLayer() = default;
    virtual IoResult read(int fd, char* into, std::size_t size) = 0;
    virtual IoResult write(int fd, const char* from, std::size_t size) = 0;
    // Bytes have been received and not read yet: no readiness will tell of them. Not after `wants_write`, nor for half a
    // record.
    virtual bool has_buffered() const = 0;
    // The socket is about to be closed: last words, if they go at once.
    virtual void close(int) {}
    // What SHOW says of it.
    virtual std::string description() const { return {}; }
};

class Transport {
public:
    Transport() = default;
    explicit Transport(int fd, std::unique_ptr<TransportLayer> layer = nullptr) : fd_(fd), layer_(std::move(layer)) {}
    Transport(Transport&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), write_wants_read_(other.write_wants_read_), layer_(std::move(other.layer_)) {}
    Transport& operator=(Transport&& other) noexcept;
    ~Transport() { close(); }

    IoResult read(char* into, std::size_t size) { return layer_ ? layer_->read(fd_, into, size) : read_plain(into, size); }
    IoResult write(const char* from, std::size_t size) { return layer_ ? write_layer(from, size) : write_plain(from, size); }
    // The last write waits for bytes to come: it is to be tried again when the socket is readable.
    bool write_wants_read() const { return write_wants_read_; }
    bool has_buffered() const { return layer_ && layer_->has_buffered(); }
    // "TLSv1.3/TLS_AES_128_GCM_SHA256/ECDH=X25519"; empty: no TLS.
    std::string tls() const { return layer_ ? layer_->description() : std::string(); }

    // Ends the sending side, so that the peer sees all that was written; then the socket.
    void close();
    // At once: the peer has nothing to see any more.
    void drop();
    // The socket is the caller's now, who takes the layer first if there is one.
    int release() { return std::exchange(fd_, -1); }
    std::unique_ptr<TransportLayer> take_layer() { return std::move(layer_); }
    int fd() const { return fd_; }
    bool is_open() const { return fd_ >= 0; }
    bool is_plain() const { return !layer_; }

private:
    IoResult read_plain(char* into, std::size_t size);
    IoResult write_plain(const char* from, std::size_t size);
    IoResult write_layer(const char* from, std::size_t size) {
        const IoResult put = layer_->write(fd_, from, size);
        write_wants_read_ = put.status == IoStatus::wants_read;
        return put;
    }

    int fd_ = -1;
    bool write_wants_read_ = false;
    std::unique_ptr<TransportLayer> layer_;
};

}  // namespace pgweir
