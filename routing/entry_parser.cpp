#include "routing/entry_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

#include "routing/connection_string.hpp"
#include "routing/setting_value.hpp"
#include "routing/setting_words.hpp"

namespace pgweir {

namespace {

constexpr int port_max = 65535;
constexpr std::string_view reserve_pool_alias = "reserve_pool";

// Sizes of which a negative one means "not set".
using Size = std::optional<int>;
using Span = std::optional<Microseconds>;

template <class Entry>
struct Field {
    std::string_view key;
    std::variant<std::string Entry::*, std::optional<std::string> Entry::*, int Entry::*, Size Entry::*, Span Entry::*,
                 Microseconds Entry::*, std::optional<PoolMode> Entry::*, std::vector<std::string> Entry::*,
                 LoadBalanceHosts Entry::*, ChannelBinding Entry::*>
        place;
};

using D = DatabaseEntry;
constexpr auto database_fields = std::to_array<Field<D>>({
    {"dbname", &D::dbname},
    {"host", &D::hosts},
    {"port", &D::port},
    {"user", &D::user},
    {"password", &D::password},
    {"auth_user", &D::auth_user},
    {"auth_query", &D::auth_query},
    {"auth_dbname", &D::auth_dbname},
    {"pool_size", &D::pool_size},
    {"min_pool_size", &D::min_pool_size},
    {"reserve_pool_size", &D::reserve_pool_size},
    {reserve_pool_alias, &D::reserve_pool_size},
    {"pool_mode", &D::pool_mode},
    {"connect_query", &D::connect_query},
    {"query_wait_timeout", &D::query_wait_timeout},
    {"load_balance_hosts", &D::load_balance_hosts},
    {"max_db_connections", &D::max_db_connections},
    {"max_db_client_connections", &D::max_db_client_connections},
    {"server_lifetime", &D::server_lifetime},
    {"client_encoding", &D::client_encoding},
    {"datestyle", &D::datestyle},
    {"timezone", &D::timezone},
    {"application_name", &D::application_name},
    {"channel_binding", &D::channel_binding},
});

using U = UserEntry;
constexpr auto user_fields = std::to_array<Field<U>>({
    {"pool_mode", &U::pool_mode},
    {"pool_size", &U::pool_size},
    {"reserve_pool_size", &U::reserve_pool_size},
    {"max_user_connections", &U::max_user_connections},
    {"max_user_client_connections", &U::max_user_client_connections},
    {"query_timeout", &U::query_timeout},
    {"query_wait_timeout", &U::query_wait_timeout},
    {"idle_transaction_timeout", &U::idle_transaction_timeout},
    {"transaction_timeout", &U::transaction_timeout},
    {"client_idle_timeout", &U::client_idle_timeout},
});

using P = PeerEntry;
constexpr auto peer_fields = std::to_array<Field<P>>({
    {"host", &P::host},
    {"port", &P::port},
    {"pool_size", &P::pool_size},
});

// PgBouncer reads the leading digits and ignores the rest; a value that so loses something is worth a word.
int lenient_integer(std::string_view key, std::string_view text, EntryNotes& notes) {
    const int number = parse_leading_integer(text);
    if (!parse_integer(text))
        notes.warnings.push_back(fmt::format("{} is not a whole number, read as {}", key, number));
    return number;
}

struct AssignField {
    std::string_view key;
    std::string_view text;
    EntryNotes& notes;

    void operator()(std::string& field) const { field = text; }
    void operator()(std::optional<std::string>& field) const { field = text; }
    void operator()(int& field) const {
        field = lenient_integer(key, text, notes);
        if (key == "port" && (field < 1 || field > port_max))
            notes.errors.push_back(fmt::format("invalid port: {}", field));
    }
    void operator()(Size& field) const {
        const int size = lenient_integer(key, text, notes);
        field = size < 0 ? std::nullopt : Size{size};
    }
    void operator()(Microseconds& field) const { field = std::max(Microseconds{0}, span()); }
    void operator()(Span& field) const {
        const auto value = span();
        // A lifetime of 0 in an entry means the global one, a wait of 0 means for ever.
        const bool is_unset = key == "server_lifetime" ? value <= Microseconds{0} : value < Microseconds{0};
        field = is_unset ? std::nullopt : Span{value};
    }
    void operator()(std::optional<PoolMode>& field) const {
        field = choice_of<PoolMode>(text);
        if (!field) notes.errors.push_back(fmt::format("invalid pool mode: {}", text));
    }
    void operator()(LoadBalanceHosts& field) const {
        if (const auto choice = choice_of<LoadBalanceHosts>(text)) field = *choice;
        else notes.errors.push_back(fmt::format("invalid load_balance_hosts: {}", text));
    }
    void operator()(ChannelBinding& field) const {
        if (const auto choice = choice_of<ChannelBinding>(text)) field = *choice;
        else notes.errors.push_back(fmt::format("invalid channel_binding: {}", text));
    }
    void operator()(std::vector<std::string>& field) const {
        field.clear();
        for (std::string_view rest = text;;) {
            const auto item = rest.substr(0, rest.find(','));
            field.emplace_back(item);
            if (item.empty()) notes.errors.push_back(fmt::format("an empty item in {}", key));
            if (item.size() == rest.size()) return;
            rest.remove_prefix(item.size() + 1);
        }
    }

    // Whole seconds; a time with a unit is our own addition.
    Microseconds span() const {
        if (const auto with_unit = parse_duration(text)) return *with_unit;
        return std::chrono::seconds{lenient_integer(key, text, notes)};
    }
};

template <class Entry, std::size_t size>
bool assign_field(const std::array<Field<Entry>, size>& fields, Entry& entry, std::string_view key,
                  std::string_view text, EntryNotes& notes) {
    const auto field = std::ranges::find(fields, key, &Field<Entry>::key);
    if (field == fields.end()) return false;
    std::visit([&](auto place) { AssignField{key, text, notes}(entry.*place); }, field->place);
    return true;
}

std::vector<ConnectionParameter> split_parameters(std::string_view value, EntryNotes& notes) {
    auto parameters = parse_connection_string(value);
    if (parameters) return *std::move(parameters);
    notes.errors.emplace_back("syntax error in connection string");
    return {};
}

struct PrintField {
    std::string operator()(const std::string& field) const { return field; }
    std::string operator()(int field) const { return std::to_string(field); }
    std::string operator()(Microseconds field) const { return seconds_text(field); }
    std::string operator()(PoolMode field) const { return std::string{word_of(field)}; }
    std::string operator()(LoadBalanceHosts field) const { return std::string{word_of(field)}; }
    std::string operator()(ChannelBinding field) const { return std::string{word_of(field)}; }
    std::string operator()(const std::vector<std::string>& field) const {
        return fmt::format("{}", fmt::join(field, ","));
    }
    template <class Value>
    std::string operator()(const std::optional<Value>& field) const {
        return field ? (*this)(*field) : std::string{};
    }
};

// A query run at connect may set a role's password, or send a key.
bool is_secret(std::string_view key) { return key == "password" || key == "connect_query"; }

template <class Entry, std::size_t size>
std::vector<EntryParameter> print_fields(const std::array<Field<Entry>, size>& fields, const Entry& entry) {
    std::vector<EntryParameter> parameters;
    for (const auto& field : fields) {
        if (field.key == reserve_pool_alias) continue;
        auto text = std::visit([&](auto place) { return PrintField{}(entry.*place); }, field.place);
        parameters.push_back({field.key, std::move(text), is_secret(field.key)});
    }
    return parameters;
}

int peer_id(std::string_view text, EntryNotes& notes) {
    const auto id = parse_integer(text);
    if (id && *id > 0 && *id <= 65536) return *id;
    notes.errors.push_back(fmt::format("the id of a peer must be a number from 1 to 16383, not \"{}\"", text));
    return 0;
}

}  // namespace

DatabaseEntry parse_database_entry(std::string_view name, std::string_view value, EntryNotes& notes) {
    DatabaseEntry entry;
    entry.name = name;
    for (const auto& [key, text] : split_parameters(value, notes))
        if (!assign_field(database_fields, entry, key, text, notes))
            notes.errors.push_back(fmt::format("unrecognized connection parameter: {}", key));
    if (entry.dbname.empty() && name != "*") entry.dbname = name;
    return entry;
}

UserEntry parse_user_entry(std::string_view name, std::string_view value, EntryNotes& notes) {
    UserEntry entry;
    entry.name = name;
    for (const auto& [key, text] : split_parameters(value, notes))
        if (!assign_field(user_fields, entry, key, text, notes))
            notes.errors.push_back(fmt::format("unrecognized user parameter: {}", key));
    return entry;
}

PeerEntry parse_peer_entry(std::string_view id, std::string_view value, EntryNotes& notes) {
    PeerEntry entry;
    entry.id = peer_id(id, notes);
    for (const auto& [key, text] : split_parameters(value, notes))
        if (!assign_field(peer_fields, entry, key, text, notes))
            notes.errors.push_back(fmt::format("unrecognized peer parameter: {}", key));
    if (entry.host.empty()) notes.errors.push_back(fmt::format("host was not provided for peer {}", id));
    return entry;
}

std::vector<EntryParameter> parameters_of(const DatabaseEntry& entry) { return print_fields(database_fields, entry); }

std::vector<EntryParameter> parameters_of(const UserEntry& entry) { return print_fields(user_fields, entry); }

std::vector<EntryParameter> parameters_of(const PeerEntry& entry) { return print_fields(peer_fields, entry); }

}  // namespace pgweir
