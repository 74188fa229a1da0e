#include "routing/welcome.hpp"

#include <cassert>

#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/parameter_status.hpp"
#include "protocol/backend/ready_for_query.hpp"

namespace pgweir {
namespace {

constexpr std::size_t welcome_bytes_usual = 600;    // PostgreSQL 16 reports 15 parameters

}  // namespace

ParameterList welcome_parameters(const ParameterList& server, const ParameterList& client) {
    ParameterList parameters = server;
    for (auto& [name, value] : parameters)
        if (const auto* own = find_parameter(client, name)) value = *own;
    return parameters;
}

ParameterList console_parameters(std::string_view version) {
    return {{"server_version", std::string(version) + "/bouncer"},
            {"client_encoding", "UTF8"},
            {"server_encoding", "UTF8"},
            {"DateStyle", "ISO"},
            {"TimeZone", "GMT"},
            {"standard_conforming_strings", "on"},
            {"is_superuser", "on"}};
}

void append_welcome(std::string& out, const ParameterList& parameters, Bytes cancel_key, std::string_view notify) {
    using namespace backend;
    assert(cancel_key.size() >= 8);
    out.reserve(out.size() + welcome_bytes_usual);
    append_message(out, AuthenticationOk{});
    for (const auto& [name, value] : parameters) append_message(out, ParameterStatus{name, value});
    append_message(out, BackendKeyData{BodyReader(cancel_key).int32(), cancel_key.substr(4)});
    if (!notify.empty()) {
        ErrorFieldsBuilder fields;
        fields.add({error_field::severity, "NOTICE"}).add({error_field::sqlstate, "00000"}).add({error_field::message, notify});
        append_message(out, NoticeResponse{fields.view()});
    }
    append_message(out, ReadyForQuery{TransactionStatus::idle});
}

}  // namespace pgweir
