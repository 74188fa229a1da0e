#include "admin/version.hpp"

namespace pgweir {

const std::string_view version_number = PGWEIR_VERSION;
const std::string_view version_text = "pgweir " PGWEIR_VERSION;

}  // namespace pgweir
