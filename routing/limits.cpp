#include "routing/limits.hpp"

namespace pgweir {

std::uint32_t Limits::place(std::vector<SharedBound>& bounds, Places& places, std::string_view name) {
    if (const auto known = places.find(name); known != places.end()) return known->second;
    const auto next = static_cast<std::uint32_t>(bounds.size());
    bounds.emplace_back().name = name;
    places.emplace(name, next);
    return next;
}

Fault Limits::admit_client() {
    ++clients_;
    return clients_ > clients_max_ ? Fault::too_many_clients : Fault::none;
}

void Limits::release_client() { --clients_; }

Fault Limits::admit_to(std::uint32_t database, std::uint32_t user, bool database_exempt, bool user_exempt) {
    SharedBound& of_database = databases_[database];
    SharedBound& of_user = users_[user];
    ++of_database.clients;
    ++of_user.clients;
    if (!database_exempt && of_database.clients_max > 0 && of_database.clients > of_database.clients_max)
        return Fault::too_many_database_clients;
    if (!user_exempt && of_user.clients_max > 0 && of_user.clients > of_user.clients_max) return Fault::too_many_user_clients;
    return Fault::none;
}

void Limits::release_from(std::uint32_t database, std::uint32_t user) {
    --databases_[database].clients;
    --users_[user].clients;
}

}  // namespace pgweir
