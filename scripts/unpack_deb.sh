#!/usr/bin/env bash
# unpack_deb.sh - unpack packages of another Debian suite, with what they depend on, so that they run here without a chroot.
#
#   unpack_deb.sh SUITE DEST PACKAGE...     e.g. unpack_deb.sh forky /tmp/pgb pgbouncer; /tmp/pgb/usr/sbin/pgbouncer --version
#
# Every executable gets the suite's own loader and an RPATH into DEST, so libc, OpenSSL and the rest are the suite's own.
# The system's packages and apt lists are not touched; DEST must not be moved afterwards (the paths are absolute).
# Prints the named packages' versions; all of them are listed in DEST/.packages. Maintainer scripts do not run: no users,
# alternatives or generated files. Scripts (Perl, shell) keep their #! line; set-user-id bits are dropped.
# Mirror: $MIRROR, else that of apt's own sources. Needs patchelf; root is not needed.
# shellcheck disable=SC2016  # the $(...) and ${...} formats are apt's and dpkg's own
set -euo pipefail
export LC_ALL=C; umask 022
(( $# >= 3 )) || { sed -n '2,/^set -euo/{/^set/d;/shellcheck/d;s/^# \{0,1\}//;p}' "$0" >&2; exit 1; }
command -v patchelf >/dev/null || { echo "unpack_deb: patchelf is not installed" >&2; exit 1; }
suite=$1; mkdir -p "$2"; dest=$(realpath "$2"); shift 2

mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' 'Label: Debian' | awk 'NR == 1')}
: "${mirror:=$(awk '/^URIs:/ {print $2; exit}' /etc/apt/sources.list.d/debian.sources)}"   # apt-get update has not run yet
[[ -n $mirror ]] || { echo "unpack_deb: no mirror in apt's sources; set MIRROR" >&2; exit 1; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT; mkdir -p "$tmp"/{lists,cache/archives}/partial; : >"$tmp/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" >"$tmp/sources.list"
apt=(apt-get -qq -o Dir::Etc::sourcelist="$tmp/sources.list" -o Dir::Etc::sourceparts=-
     -o Dir::State::lists="$tmp/lists" -o Dir::State::status="$tmp/status" -o Dir::State::extended_states="$tmp/ext"
     -o Dir::Cache="$tmp/cache" -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1)
"${apt[@]}" update
"${apt[@]}" -y --download-only --no-install-recommends install "$@" >/dev/null

for d in bin sbin lib lib64; do mkdir -p "$dest/usr/$d"; [[ -e $dest/$d ]] || ln -s "usr/$d" "$dest/$d"; done
for d in "$tmp"/cache/archives/*.deb; do
  dpkg-deb --fsys-tarfile "$d" | tar -x -C "$dest" --no-same-owner --keep-directory-symlink --exclude='./usr/share/doc' \
    --exclude='./usr/share/man' --exclude='./usr/share/locale' --exclude='./dev' --exclude='./root'
  dpkg-deb -W --showformat='${Package} ${Version}\n' "$d"
done | sort -u -o "$dest/.packages"
find "$dest" -type f -perm /6000 -exec chmod a-s {} +
find "$dest" -type l -lname '/*' -printf '%p\t%l\n' | while IFS=$'\t' read -r link to; do
  [[ $to == "$dest"/* || ! -e $dest$to ]] || ln -sfn "$dest$to" "$link"
done

loader=$(find "$dest"/usr/lib -name 'ld-linux*.so.*' | sort | tail -n1)
if [[ -n $loader ]]; then
  libs=${loader%/*}
  while IFS= read -r -d '' f; do
    IFS= read -rN4 magic <"$f" 2>/dev/null || continue
    [[ $magic == $'\x7fELF' ]] || continue
    rpath=$(patchelf --print-rpath "$f" 2>/dev/null) || continue
    new=
    IFS=: read -ra parts <<<"$rpath"
    for p in ${parts[@]+"${parts[@]}"}; do
      case $p in "$dest"/*|\$ORIGIN*|'') ;; /*) p=$dest$p ;; esac
      [[ -z $p || $p == "$libs" ]] || new+=$p:
    done
    case ${f##*/} in
      *.so|*.so.*) [[ -z $rpath ]] || patchelf --force-rpath --set-rpath "$new$libs" "$f" ;;
      *) patchelf --print-interpreter "$f" >/dev/null 2>&1 || continue
         patchelf --set-interpreter "$loader" --force-rpath --set-rpath "$new$libs" "$f" ;;
    esac
  done < <(find "$dest"/usr -type f \( -perm /111 -o -name '*.so' -o -name '*.so.*' \) -print0)
fi
for p; do grep "^${p%%[=/]*} " "$dest/.packages" || true; done
