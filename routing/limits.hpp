// The bounds that pools share: server connections and clients per database entry and per user, clients altogether; and
// the list of pools that were refused a server connection because of one.
//
// A permit is taken from every bound that applies, or from none; it is given back when the socket is closed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "routing/client_fault.hpp"
#include "routing/ids.hpp"

namespace pgweir {

// One database entry or one user.
struct SharedBound {
    std::string name;
    int servers_max = 0;    // 0: no bound
    int servers = 0;
    int clients_max = 0;    // 0: no bound
    int clients = 0;
    int evicting = 0;       // servers that are being closed to make room under it
    bool paused = false;    // databases only
    bool disabled = false;
    std::vector<PoolId> pools;

    bool is_full() const { return servers_max > 0 && servers >= servers_max; }
    bool is_exceeded() const { return servers_max > 0 && servers > servers_max; }
};

class Limits {
public:
    // The place of a name; made when new.
    std::uint32_t database(std::string_view name) { return place(databases_, database_places_, name); }
    std::uint32_t user(std::string_view name) { return place(users_, user_places_, name); }
    SharedBound& database_at(std::uint32_t place) { return databases_[place]; }
    SharedBound& user_at(std::uint32_t place) { return users_[place]; }
    const std::vector<SharedBound>& databases() const { return databases_; }
    const std::vector<SharedBound>& users() const { return users_; }

    // A client is there: counted before it has logged in, since logins cost too. `none`, or which bound refuses it.
    Fault admit_client();
    void release_client();
    // … and belongs to this entry and user.
    Fault admit_to(std::uint32_t database, std::uint32_t user, bool database_exempt, bool user_exempt);
    void release_from(std::uint32_t database, std::uint32_t user);

    int clients() const { return clients_; }
    void set_clients_max(int max) { clients_max_ = max; }

    std::vector<PoolId>& refused() { return refused_; }

private:
    using Places = std::map<std::string, std::uint32_t, std::less<>>;

    static std::uint32_t place(std::vector<SharedBound>& bounds, Places& places, std::string_view name);

    std::vector<SharedBound> databases_;
    std::vector<SharedBound> users_;
    Places database_places_;
    Places user_places_;
    std::vector<PoolId> refused_;
    int clients_ = 0;
    int clients_max_ = 100;
};

}  // namespace pgweir
