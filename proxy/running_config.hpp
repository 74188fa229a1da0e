// The configuration in force: settings, users of the auth file, rules for logins. A snapshot, swapped as a whole.
//
// Not here: what the settings mean (routing/), when to reload (process.cpp).
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/tls/tls_setup.hpp"
#include "routing/auth_file.hpp"
#include "routing/client_login.hpp"
#include "routing/file_reader.hpp"
#include "routing/pool_policy.hpp"
#include "routing/settings.hpp"

namespace pgweir {

class SystemFiles : public FileReader {
public:
    FileContents read(const std::string& path) override;
};

struct RunningConfig {
    std::shared_ptr<const Settings> settings;
    AuthFileUsers users;
    std::shared_ptr<const LoginRules> rules;
    std::shared_ptr<const TlsSetup> tls;

    // The entry for a name that a client asks for: its own, or one made from "*". Null: there is no such database.
    std::shared_ptr<const DatabaseEntry> entry(std::string_view database) const;
    StoredSecret secret_of(std::string_view user) const;
    bool knows_user(std::string_view user) const;
};

// The snapshot's holder; readers get a shared pointer.
class ConfigHolder {
public:
    std::shared_ptr<const RunningConfig> get() const {
        std::lock_guard lock(mutex_);
        return config_;
    }
    void set(std::shared_ptr<const RunningConfig> config) {
        std::lock_guard lock(mutex_);
        config_ = std::move(config);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const RunningConfig> config_;
};

// The names of parameters that follow a client, as these settings have them.
std::vector<std::string> tracked_names(const Settings& settings);

// `tls` is what is in force: after a SET that could not be carried out it is older than the settings.
// Reads the auth file; a problem is logged, and the users before it count. One that cannot be read leaves `running`'s users. `salt_key`: random, one for the process.
std::shared_ptr<const RunningConfig> make_running_config(std::shared_ptr<const Settings> settings, std::shared_ptr<const TlsSetup> tls,
                                                         const AuthFileUsers& more_users,
                                                         FileReader& files, const std::string& salt_key,
                                                         const RunningConfig* running = nullptr);

}  // namespace pgweir
