#!/usr/bin/env bash
# Debian's Rust packages are a registry on the disk; nothing is fetched.
set -euo pipefail
mkdir -p .cargo
cat >.cargo/config.toml <<'CONFIG'
[source.crates-io]
replace-with = "debian"
[source.debian]
directory = "/usr/share/cargo/registry"
CONFIG
cargo build --offline --quiet
install target/debug/pgweir-tokio-postgres run.program
