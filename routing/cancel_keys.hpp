// Which session a cancel key names. Keys are random, given to one client each, and name the session, never its server.
//
// A key is the process id (four bytes, positive, unique among the living) and a secret behind it, 4 bytes for a client of
// protocol 3.0, 32 since 3.2.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "protocol/protocol_version.hpp"
#include "protocol/result.hpp"
#include "routing/ids.hpp"
#include "routing/random_source.hpp"

namespace pgweir {

struct CancelTarget {
    SessionId session;
    WorkerId worker = no_worker;

    explicit operator bool() const { return static_cast<bool>(session); }
};

class CancelKeys {
public:
    explicit CancelKeys(RandomSource& random) : random_(&random) {}

    // A new key for this session, as long as its client's protocol version lets it be.
    std::string issue(CancelTarget target, ProtocolVersion version);
    void revoke(Bytes key);
    // The session whose key this is; compares the secret in constant time.
    CancelTarget find(Bytes key) const;

    std::size_t size() const { return keys_.size(); }

private:
    struct Holder {
        std::string secret;
        CancelTarget target;
    };

    RandomSource* random_;
    std::unordered_map<std::uint32_t, Holder> keys_;    // by process id
};

}  // namespace pgweir
