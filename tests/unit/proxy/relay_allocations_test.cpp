// How many times the relay asks for memory in the steady state: never. Counts malloc and its like in this program.
#include <cstdlib>

#include "tests/support/catch.hpp"
#include "tests/support/short_messages.hpp"
#include "tests/unit/proxy/plain_line.hpp"
#include "tests/unit/proxy/relay_world.hpp"

namespace {

bool counting = false;
long allocations = 0;

void note_allocation() {
    if (counting) ++allocations;
}

}  // namespace

// operator new ends in malloc, so these see everything.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size) {
    note_allocation();
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    note_allocation();
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
    note_allocation();
    return __libc_realloc(memory, size);
}
void* aligned_alloc(std::size_t alignment, std::size_t size) {
    note_allocation();
    return __libc_memalign(alignment, size);
}
}

namespace pgweir::test {
namespace {

// Allocations of the relay while every client makes these requests once more, after they have made them a few times.
long allocations_of(const Requests& requests, int clients, int pool_size, int warm_up = 2) {
    RelayWorld world(pool_size, [](bool) { return std::make_unique<PlainLine>(); });
    for (int i = 0; i < clients; ++i) world.add_client(requests);
    for (int round = 0; round < warm_up; ++round) {
        world.run();
        REQUIRE(world.verdict(false) == "");
        world.repeat();
    }
    allocations = 0;
    world.before_batch = [] { counting = true; };
    world.after_batch = [] { counting = false; };
    world.run();
    REQUIRE(world.verdict(false) == "");
    REQUIRE(world.servers_opened() == std::min(clients, pool_size));
    return allocations;
}

const Requests simple{query("select 'a'"), query("begin"), query("select 'b'"), query("commit")};
const Requests extended{parse() + bind() + execute() + sync, query("begin"), parse() + bind() + execute() + sync,
                        query("commit")};
const Requests pipeline{parse() + bind() + execute() + parse() + bind() + execute() + sync + query("select 'behind'")};

}  // namespace

TEST_CASE("allocations are counted") {
    counting = true;
    allocations = 0;
    std::string text(1000, 'x');
    counting = false;
    CHECK(text.size() == 1000);
    CHECK(allocations == 1);
    CHECK(allocations_of(simple, 2, 1, 0) > 0);
}

TEST_CASE("a transaction allocates nothing") {
    CHECK(allocations_of(simple, 1, 1) == 0);
    CHECK(allocations_of(extended, 1, 1) == 0);
    CHECK(allocations_of(pipeline, 1, 1) == 0);
    CHECK(allocations_of({query("rows 10")}, 8, 8) == 0);
}

TEST_CASE("a transaction that waits for a server allocates nothing") {
    CHECK(allocations_of(simple, 5, 2) == 0);
    CHECK(allocations_of(extended, 5, 2) == 0);
    CHECK(allocations_of(pipeline, 20, 1) == 0);
}

}  // namespace pgweir::test
