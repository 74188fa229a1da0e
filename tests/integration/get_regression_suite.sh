#!/usr/bin/env bash
# get_regression_suite.sh DIR: fetches PostgreSQL's own tests, as its source has them: the regression tests into DIR, with
# regress.so and the modules of its triggers built, the isolation tests into DIR/isolation. Does nothing when they are there.
#
# The source comes by apt-get from Debian's main archive through a sources file of its own, so apt's are not touched; the
# headers for regress.so are unpacked from postgresql-server-dev, not installed. Where the archive's source is older than
# the installed server, a few expected outputs differ: callers compare two runs, not a run with expected/.
set -euo pipefail
# shellcheck source=scripts/common.sh
source "$(dirname "$0")/../../scripts/common.sh"

(( $# == 1 )) || usage 1
wanted=$1
[[ ! -e $wanted/isolation/specs || ! -e $wanted/autoinc.so || ! -e $wanted/regress.so ]] || exit 0
version=$("$(postgres_programs)/postgres" --version | grep -oE '[0-9]+' | head -n 1)
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
cd "$temporary"

# shellcheck disable=SC2016  # apt's own format
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | sed -n 1p)
[[ -n $mirror ]] || mirror=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)
[[ -n $mirror ]] || die "no Debian mirror in apt's sources"
# shellcheck disable=SC1091
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
for kind in deb deb-src; do
    echo "$kind [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main"
done >sources.list
mkdir -p lists/partial cache/archives/partial
apt=(apt-get -qq -o Dir::Etc::sourcelist="$temporary/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$temporary/lists"
    -o Dir::Cache="$temporary/cache" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1)
"${apt[@]}" update
"${apt[@]}" source --download-only "postgresql-$version"
"${apt[@]}" download "postgresql-server-dev-$version"

mkdir source headers
tar -xf postgresql-"$version"_*.orig.tar.* -C source --strip-components=1 --wildcards '*/src/test/regress' '*/src/test/isolation' '*/contrib/spi'
dpkg-deb -x postgresql-server-dev-"$version"_*.deb headers
cd source/src/test/regress
for module in regress.c "$temporary"/source/contrib/spi/{autoinc,refint}.c; do
    gcc -shared -fPIC -O1 -w -I"$temporary/headers/usr/include/postgresql/$version/server" -o "$(basename "$module" .c).so" "$module"
done
mkdir -p "$wanted/isolation"
cp -r sql expected data parallel_schedule autoinc.so refint.so "$wanted"
cp -r ../isolation/{specs,expected,isolation_schedule} "$wanted/isolation"
mv regress.so "$wanted"     # last: it says that the rest is complete
