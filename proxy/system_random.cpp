#include "proxy/system_random.hpp"

#include <sys/random.h>

#include <cerrno>
#include <system_error>

namespace pgweir {

void SystemRandom::fill(void* out, std::size_t size) {
    auto* at = static_cast<char*>(out);
    while (size > 0) {
        const auto got = ::getrandom(at, size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) throw std::system_error(errno, std::generic_category(), "getrandom");
        at += got;
        size -= static_cast<std::size_t>(got);
    }
}

}  // namespace pgweir
