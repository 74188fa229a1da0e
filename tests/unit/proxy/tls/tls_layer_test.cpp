#include "proxy/tls/tls_layer.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

#include <openssl/pem.h>

#include "tests/support/catch.hpp"
#include "tests/unit/proxy/tls/test_certificate.hpp"

namespace pgweir::test {
namespace {

// Two layers at the ends of one small pipe, their handshake done.
class Pair {
public:
    explicit Pair(int send_bytes = 8192) {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        for (const int fd : fds) ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof send_bytes);
        for (int i = 0; i < 20 && !(left_done && right_done); ++i) {
            right_done = right.shake_hands(fds[1]) == HandshakeStep::done;
            left_done = left.shake_hands(fds[0]) == HandshakeStep::done;
        }
        REQUIRE(left_done);
        REQUIRE(right_done);
        char ticket[16];
        REQUIRE(left.read(fds[0], ticket, sizeof ticket).status == IoStatus::again);
        REQUIRE(right.read(fds[1], ticket, sizeof ticket).status == IoStatus::again);
    }
    Pair(const Pair&) = delete;
    Pair& operator=(const Pair&) = delete;
    ~Pair() {
        for (const int fd : fds)
            if (fd >= 0) ::close(fd);
    }

    IoResult read(std::string& into, std::size_t size) {
        std::string bytes(size, '\0');
        const IoResult got = left.read(fds[0], bytes.data(), size);
        into.append(bytes, 0, got.bytes);
        return got;
    }
    IoResult write(Bytes bytes) { return right.write(fds[1], bytes.data(), bytes.size()); }
    // What the pipe takes, without a look at the other end.
    void write_all(Bytes bytes) {
        while (!bytes.empty()) {
            const IoResult put = write(bytes);
            REQUIRE(put.status == IoStatus::done);
            bytes.remove_prefix(put.bytes);
        }
    }
    bool is_readable() const {
        pollfd entry{fds[0], POLLIN, 0};
        return ::poll(&entry, 1, 0) == 1;
    }
    void close_right() {
        ::close(fds[1]);
        fds[1] = -1;
    }

    int fds[2] = {-1, -1};
    TestCertificate certificate = make_certificate();
    TlsLayer left{std::make_shared<const TlsContext>(clients_tls(), files_of(certificate))};
    TlsLayer right{std::make_shared<const TlsContext>(servers_tls(), TlsFiles{})};

private:
    bool left_done = false;
    bool right_done = false;
};

// Two ends of which only the server has not taken its last step yet.
struct Meeting {
    int fds[2] = {-1, -1};
    TlsLayer client{std::make_shared<const TlsContext>(servers_tls(), TlsFiles{})};
    TlsLayer server{std::make_shared<const TlsContext>(clients_tls(), files_of(make_certificate()))};

    Meeting() {
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
        REQUIRE(client.shake_hands(fds[1]) == HandshakeStep::wants_read);
        REQUIRE(server.shake_hands(fds[0]) == HandshakeStep::wants_read);
        REQUIRE(client.shake_hands(fds[1]) == HandshakeStep::done);
    }
    Meeting(const Meeting&) = delete;
    Meeting& operator=(const Meeting&) = delete;
    ~Meeting() {
        for (const int fd : fds) ::close(fd);
    }
};

std::string letters(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i * 7 % 26);
    return text;
}

// Its last byte, which is the signature's, is another one.
TestCertificate with_a_spoiled_signature(const TestCertificate& good) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(parsed(good).get(), &der);
    der[size - 1] ^= 1;
    const unsigned char* at = der;
    const CertificatePtr certificate(d2i_X509(nullptr, &at, size));
    OPENSSL_free(der);
    const BioPtr pem(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(pem.get(), certificate.get());
    char* text = nullptr;
    const long length = BIO_get_mem_data(pem.get(), &text);
    return {std::string(text, static_cast<std::size_t>(length)), good.key};
}

// What the layer says that checks a certificate which the other end shows.
std::string failure_with(const TestCertificate& shown, const TestCertificate& trusted) {
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    TlsSettings checking = servers_tls();
    checking.mode = TlsMode::verify_ca;
    checking.ca_file = "ca.crt";
    TlsLayer showing(std::make_shared<const TlsContext>(clients_tls(), files_of(shown)));
    TlsLayer checker(std::make_shared<const TlsContext>(checking, TlsFiles{.ca = trusted.pem, .certificate = {}, .key = {}}));
    auto step = HandshakeStep::wants_read;
    for (int i = 0; i < 20 && step == HandshakeStep::wants_read; ++i) {
        step = checker.shake_hands(fds[1]);
        if (step == HandshakeStep::wants_read) showing.shake_hands(fds[0]);
    }
    for (const int fd : fds) ::close(fd);
    REQUIRE(step == HandshakeStep::failed);
    return checker.failure();
}

}  // namespace

TEST_CASE("all bytes arrive in their order, however writes and reads are cut and the pipe is full") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 chance(seed);
        Pair pair;
        const std::string sent = letters(300'000);
        std::string received;
        Bytes left_to_send = sent;
        int refusals = 0;
        while (received.size() < sent.size()) {
            if (!left_to_send.empty() && chance() % 3 != 0) {
                const IoResult put = pair.write(left_to_send.substr(0, 1 + chance() % 100'000));
                REQUIRE(put.status != IoStatus::failed);
                left_to_send.remove_prefix(put.bytes);
                refusals += put.status == IoStatus::again ? 1 : 0;
            } else {
                REQUIRE(pair.read(received, 1 + chance() % 40'000).status != IoStatus::failed);
            }
        }
        CHECK(received == sent);
        CHECK(left_to_send.empty());
        CHECK(refusals > 0);
    }
}

TEST_CASE("a write that the pipe does not take whole leaves something to be offered again") {
    Pair pair;
    const std::string bytes = letters(60'000);
    const IoResult put = pair.write(bytes);
    CHECK(put.status == IoStatus::done);
    CHECK(put.bytes == bytes.size() - 1);
    CHECK(pair.write(Bytes(bytes).substr(put.bytes)).status == IoStatus::again);
    std::string received;
    for (int i = 0; i < 50 && received.size() < bytes.size(); ++i) {
        pair.read(received, 65'536);
        pair.write(Bytes(bytes).substr(put.bytes));
    }
    CHECK(received == bytes);
}

TEST_CASE("a byte that was owed is taken, not sent a second time") {
    Pair pair;
    const std::string bytes = letters(60'000);
    const IoResult put = pair.write(bytes);
    REQUIRE(put.bytes == bytes.size() - 1);
    std::string received;
    IoResult last{};
    while (last.status != IoStatus::done) {
        pair.read(received, 65'536);
        last = pair.write(Bytes(bytes).substr(put.bytes));
    }
    CHECK(last.bytes == 1);
    for (int i = 0; i < 10; ++i) pair.read(received, 65'536);
    CHECK(received == bytes);
}

TEST_CASE("a short read means an empty socket and nothing inside; a full one may leave something inside") {
    Pair pair(400'000);
    pair.write_all(letters(50'000));
    std::string received;
    while (pair.read(received, 4096).bytes == 4096) CHECK((pair.left.has_buffered() || pair.is_readable() || received.size() == 50'000));
    CHECK(received == letters(50'000));
    CHECK_FALSE(pair.is_readable());
    CHECK_FALSE(pair.left.has_buffered());
    CHECK(pair.read(received, 4096).status == IoStatus::again);
}

TEST_CASE("bytes inside the layer are told, though the socket is empty") {
    Pair pair(400'000);
    pair.write_all(letters(3'000));
    pair.write_all(letters(3'000));
    std::string received;
    pair.read(received, 100);
    CHECK_FALSE(pair.is_readable());
    CHECK(pair.left.has_buffered());
    CHECK(pair.read(received, 10'000).bytes == 5'900);
    CHECK_FALSE(pair.left.has_buffered());
}

TEST_CASE("half a record is not told, since nothing can be had of it") {
    Pair pair(400'000);
    pair.write_all("begun");
    std::string received;
    pair.read(received, 100);
    std::string record(3000, '\0');    // the beginning of a record that says it is longer
    record.replace(0, 5, std::string("\x17\3\3\x20\0", 5));
    REQUIRE(::send(pair.fds[1], record.data(), record.size(), 0) == 3000);
    CHECK(pair.read(received, 100).status == IoStatus::again);
    CHECK_FALSE(pair.left.has_buffered());
}

TEST_CASE("an end is an end, with a farewell or without, and data before it come first") {
    for (const bool has_farewell : {true, false}) {
        CAPTURE(has_farewell);
        Pair pair;
        pair.write_all("last words");
        if (has_farewell) pair.right.close(pair.fds[1]);
        pair.close_right();
        std::string received;
        CHECK(pair.read(received, 100).status == IoStatus::done);
        CHECK(received == "last words");
        CHECK(pair.read(received, 100).status == IoStatus::end);
    }
}

TEST_CASE("an end behind data is told, though the read was short") {
    Pair pair;
    pair.write_all("last words");
    pair.right.close(pair.fds[1]);
    std::string received;
    CHECK(pair.read(received, 100).bytes == 10);
    // Whoever comes back for it finds the end.
    CHECK((pair.left.has_buffered() || pair.read(received, 100).status == IoStatus::end));
}

TEST_CASE("bytes that are no record lose the connection, and nothing is sent or received any more") {
    Pair pair;
    const std::string nonsense = "GET / HTTP/1.1\r\n\r\n";
    REQUIRE(::send(pair.fds[1], nonsense.data(), nonsense.size(), 0) > 0);
    std::string received;
    CHECK(pair.read(received, 100).status == IoStatus::failed);
    CHECK(pair.read(received, 100).status == IoStatus::failed);
    CHECK(pair.left.write(pair.fds[0], "x", 1).status == IoStatus::failed);
    CHECK(received.empty());
}

TEST_CASE("one connection's error is not the next one's") {
    Pair broken;
    const std::string nonsense = "GET / HTTP/1.1\r\n\r\n";
    REQUIRE(::send(broken.fds[1], nonsense.data(), nonsense.size(), 0) > 0);
    Pair healthy;
    std::string received;
    CHECK(broken.read(received, 100).status == IoStatus::failed);
    CHECK(healthy.read(received, 100).status == IoStatus::again);
    healthy.write_all("fine");
    CHECK(healthy.read(received, 100).status == IoStatus::done);
}

TEST_CASE("a handshake's last words go with the first bytes behind it, or before the next wait") {
    const bool has_bytes_to_send = GENERATE(true, false);
    Meeting meeting;
    auto& [fds, client, server] = meeting;
    char byte = '\0';
    const auto has_come = [&] { return ::recv(meeting.fds[1], &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1; };
    REQUIRE(client.write(fds[1], "start-up", 8).bytes == 8);
    REQUIRE(server.shake_hands(fds[0]) == HandshakeStep::done);
    CHECK_FALSE(has_come());
    char received[16];
    CHECK(server.read(fds[0], received, sizeof received).bytes == 8);
    CHECK_FALSE(has_come());
    if (has_bytes_to_send) {
        CHECK(server.write(fds[0], "welcome", 7).bytes == 7);
        CHECK(client.read(fds[1], received, sizeof received).bytes == 7);
    } else {
        CHECK(server.read(fds[0], received, sizeof received).status == IoStatus::again);
        CHECK(has_come());
    }
}

TEST_CASE("a handshake's last words wait for the socket") {
    Meeting meeting;
    auto& [fds, client, server] = meeting;
    std::size_t in_the_way = 0;
    for (ssize_t count; (count = ::send(fds[0], "xxxxxxxxxxxxxxxx", 16, MSG_DONTWAIT)) > 0;) in_the_way += static_cast<std::size_t>(count);
    REQUIRE(server.shake_hands(fds[0]) == HandshakeStep::done);
    char received[16];
    CHECK(server.read(fds[0], received, sizeof received).status == IoStatus::wants_write);
    CHECK(server.read(fds[0], received, sizeof received).status == IoStatus::wants_write);
    std::string seen(in_the_way, '\0');
    REQUIRE(::recv(fds[1], seen.data(), seen.size(), 0) == static_cast<ssize_t>(in_the_way));
    CHECK(server.read(fds[0], received, sizeof received).status == IoStatus::again);
    CHECK(client.read(fds[1], received, sizeof received).status == IoStatus::again);    // a ticket, whole
    CHECK(::recv(fds[1], received, 1, MSG_DONTWAIT) < 0);
}

TEST_CASE("a farewell goes behind a handshake's last words") {
    Meeting meeting;
    auto& [fds, client, server] = meeting;
    REQUIRE(server.shake_hands(fds[0]) == HandshakeStep::done);
    server.close(fds[0]);
    char received[16];
    CHECK(client.read(fds[1], received, sizeof received).status == IoStatus::end);
}

TEST_CASE("nobody is told farewell who has hung up") {
    const bool has_hung_up = GENERATE(true, false);
    Pair pair;
    if (has_hung_up) ::shutdown(pair.fds[1], SHUT_WR);
    pair.left.close(pair.fds[0]);
    char byte = '\0';
    CHECK((::recv(pair.fds[1], &byte, 1, MSG_DONTWAIT) == 1) == !has_hung_up);
}

TEST_CASE("a layer says what was agreed on") {
    Pair pair;
    CHECK(pair.left.description() == "TLSv1.3/TLS_AES_128_GCM_SHA256/ECDH=X25519");
    CHECK(pair.right.description() == pair.left.description());
}

TEST_CASE("a certificate that is refused is told with its reason, whatever is wrong with it") {
    const auto authority = make_certificate({.common_name = "authority", .is_authority = true});
    CHECK(failure_with(with_a_spoiled_signature(make_certificate({.issuer = &authority})), authority) ==
          "TLS handshake error: certificate verify failed (certificate signature failure)");
    CHECK(failure_with(make_certificate({.issuer = &authority, .days = -1}), authority) ==
          "TLS handshake error: certificate verify failed (certificate has expired)");
    CHECK_THAT(failure_with(make_certificate(), authority), Catch::StartsWith("TLS handshake error: certificate verify failed (self"));
}

}  // namespace pgweir::test
