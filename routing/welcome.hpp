// What a client gets at the end of its login.
#pragma once

#include <string>
#include <string_view>

#include "protocol/result.hpp"
#include "routing/start_up_parameters.hpp"

namespace pgweir {

// The values of the server, each overlaid with the client's own start-up value where it has one. What the server does not
// report stays out: nobody would tell the client of a change.
ParameterList welcome_parameters(const ParameterList& server, const ParameterList& client);

// The fixed values of the admin console; `version` is ours.
ParameterList console_parameters(std::string_view version);

// Appends AuthenticationOk, a ParameterStatus each, BackendKeyData (`cancel_key`: process id and secret), a NOTICE if
// `notify` is not empty, ReadyForQuery.
void append_welcome(std::string& out, const ParameterList& parameters, Bytes cancel_key, std::string_view notify = {});

}  // namespace pgweir
