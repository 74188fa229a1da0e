// The rows of SHOW FDS: every socket of the process, and for its owner the sockets themselves.
#pragma once

#include "admin/inventory.hpp"
#include "proxy/control.hpp"

namespace pgweir {

// `with_handles`: each row carries a descriptor of its own and the secrets that go with it. Throws std::system_error when
// there are not enough descriptors for that. Resumes on worker 0, where it must be called.
asio::awaitable<std::vector<FdRow>> gather_fds(Control& control, bool with_handles);

}  // namespace pgweir
