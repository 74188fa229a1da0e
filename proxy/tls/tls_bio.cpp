#include "proxy/tls/tls_bio.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

namespace pgweir {
namespace {

TlsSocket& socket_of(BIO* bio) { return *static_cast<TlsSocket*>(BIO_get_data(bio)); }

int take_early(TlsSocket& socket, char* into, int size) {
    const auto count = std::min(socket.early.size(), static_cast<std::size_t>(size));
    std::memcpy(into, socket.early.data(), count);
    socket.early.erase(0, count);
    return static_cast<int>(count);
}

int ask_again(BIO* bio) {
    BIO_set_retry_read(bio);
    return -1;
}

int read_socket(BIO* bio, char* into, int size) {
    TlsSocket& socket = socket_of(bio);
    BIO_clear_retry_flags(bio);
    if (!socket.early.empty()) return take_early(socket, into, size);
    if (socket.drained) return ask_again(bio);
    for (;;) {
        const auto count = ::recv(socket.fd, into, static_cast<std::size_t>(size), MSG_DONTWAIT);
        if (count < 0 && errno == EINTR) continue;
        socket.drained = count < size;
        socket.at_end = count == 0;
        if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return ask_again(bio);
        return static_cast<int>(count);
    }
}

int write_gathered(BIO* bio, const char* from, int size) {
    BIO_clear_retry_flags(bio);
    gathered_ciphertext().append(from, static_cast<std::size_t>(size));
    return size;
}

long control(BIO* bio, int command, long, void*) {
    switch (command) {
        case BIO_CTRL_EOF: return socket_of(bio).at_end ? 1 : 0;
        case BIO_CTRL_FLUSH: return 1;
        default: return 0;
    }
}

int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD* make_method() {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket, gathered writes");
    if (made == nullptr) throw std::bad_alloc();
    BIO_meth_set_create(made, create);
    BIO_meth_set_read(made, read_socket);
    BIO_meth_set_write(made, write_gathered);
    BIO_meth_set_ctrl(made, control);
    return made;
}

}  // namespace

BioPtr make_socket_bio(TlsSocket& socket) {
    static BIO_METHOD* const method = make_method();    // one for the process, never changed
    BioPtr bio(BIO_new(method));
    if (!bio) throw std::bad_alloc();
    BIO_set_data(bio.get(), &socket);
    return bio;
}

std::string& gathered_ciphertext() {
    thread_local std::string bytes;
    return bytes;
}

}  // namespace pgweir
