#include "proxy/system_random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace pgweir {
namespace {

void ask_system(char* at, std::size_t size) {
    while (size > 0) {
        const auto got = ::getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
        at += got;
        size -= static_cast<std::size_t>(got);
    }
}

// Bytes asked for ahead, since a cancel key for every client is a system call for every client. Given out once.
struct Supply {
    char bytes[512];
    std::size_t left = 0;
};

thread_local Supply supply;

}  // namespace

void SystemRandom::fill(void* out, std::size_t size) {
    auto* at = static_cast<char*>(out);
    if (size > sizeof supply.bytes / 4) return ask_system(at, size);
    if (supply.left < size) {
        ask_system(supply.bytes, sizeof supply.bytes);
        supply.left = sizeof supply.bytes;
    }
    supply.left -= size;
    std::memcpy(at, supply.bytes + supply.left, size);
    ::explicit_bzero(supply.bytes + supply.left, size);
}

}  // namespace pgweir
