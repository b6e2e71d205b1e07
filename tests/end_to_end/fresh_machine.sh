#!/usr/bin/env bash
# Runs commands in a fresh clone on a bare Debian (debootstrap, Python from Debian, nothing else) and times them.
#
#   tests/end_to_end/fresh_machine.sh [options] [COMMAND]...
#
# COMMAND      one shell command, run in the clone; may repeat (default: the two commands of the README)
# --suite S    Debian release (bookworm)
# --mirror URL Debian mirror (debootstrap chooses)
# --bind PATH[:INSIDE]   show this file or folder of the host, read-only, inside (at the same place); may repeat
# --env NAME[=VALUE]     hand this environment variable in; a pattern such as 'PIP_*' is allowed; may repeat
# --root DIR   build the machine here and keep it, or go on with the one that is here (a temporary folder)
# --out DIR    copy the clone's demo/ here at the end
#
# A machine that installs packages through a mirror or a proxy passes its configuration with --bind and --env
# (certificates to a place of their own with --env PIP_CERT=..., since Debian writes /etc/ssl/certs itself).
# Needs root, debootstrap and git. Mounts live in a private namespace: nothing is left behind.
set -euo pipefail

if [ -z "${FRESH_MACHINE_ROOT:-}" ]; then
    [ "$(id -u)" = 0 ] || { echo "fresh_machine.sh: run this as root (it needs chroot)." >&2; exit 2; }
    command -v debootstrap >/dev/null || { echo "fresh_machine.sh: apt-get install debootstrap first." >&2; exit 2; }
    FRESH_MACHINE_ROOT=$(mktemp -d)
    export FRESH_MACHINE_ROOT
    # Only here, outside: this side never sees the mounts, so nothing of the host can be reached and deleted.
    trap 'rm -rf --one-file-system "$FRESH_MACHINE_ROOT" "$FRESH_MACHINE_ROOT.log"' EXIT
    status=0
    unshare --mount --propagation private --pid --fork --kill-child bash "$0" "$@" || status=$?
    exit $status
fi

repository=$(cd "$(dirname "$0")/../.." && pwd)
suite=bookworm mirror= root=$FRESH_MACHINE_ROOT out=''
binds=() patterns=() environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8) commands=()
while [ $# -gt 0 ]; do
    case $1 in
        --suite) suite=$2; shift 2 ;;
        --mirror) mirror=$2; shift 2 ;;
        --bind) binds+=("$2"); shift 2 ;;
        --env) if [[ $2 == *=* ]]; then environment+=("$2"); else patterns+=("$2"); fi; shift 2 ;;
        --root) root=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        -*) echo "fresh_machine.sh: unknown option $1 (the head of this file lists them)" >&2; exit 2 ;;
        *) commands+=("$1"); shift ;;
    esac
done
[ ${#commands[@]} -gt 0 ] || commands=("python3 build.py demo" "python3 build.py test")

chmod 755 "$root" # apt downloads as a user of its own
if [ ! -x "$root/usr/bin/env" ]; then
    echo "[machine] debootstrap $suite into $root"
    debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 || { tail "$root.log" >&2; exit 1; }
    rm -f "$root.log"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts devpts "$root/dev/pts"
for bind in "${binds[@]}"; do
    from=${bind%%:*} to=$root${bind##*:}
    if [ -d "$from" ]; then mkdir -p "$to"; else mkdir -p "$(dirname "$to")"; touch "$to"; fi
    mount --bind -o ro "$from" "$to"
done

passed=()
while IFS='=' read -r -d '' name value; do
    for pattern in "${patterns[@]}"; do
        # shellcheck disable=SC2053  # $pattern is meant as a pattern
        [[ $name == $pattern ]] && passed+=("$name=$value")
    done
done < <(env -0)
inside() { chroot "$root" env -i "${passed[@]}" "${environment[@]}" "$@"; }

if ! inside python3 --version >/dev/null 2>&1; then
    inside apt-get update -qq
    inside apt-get install -y -qq --no-install-recommends python3 >/dev/null 2>&1
fi
echo "[machine] $(inside sh -c '. /etc/os-release; echo "$PRETTY_NAME"'), $(inside python3 --version), $(nproc) cores," \
    "$(inside dpkg-query -f '.\n' -W | wc -l) packages"
rm -rf "$root/mouthpiece"
git clone -q --no-local "$repository" "$root/mouthpiece"

status=0
for command in "${commands[@]}"; do
    echo "[machine] \$ $command"
    SECONDS=0
    inside sh -c "cd /mouthpiece && $command" || status=$?
    echo "[machine] exit code $status after $SECONDS s: $command"
    [ $status = 0 ] || break
done
if [ -n "$out" ] && [ -d "$root/mouthpiece/demo" ]; then mkdir -p "$out" && cp -r "$root/mouthpiece/demo/." "$out"; fi
exit $status
