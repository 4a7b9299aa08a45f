#!/usr/bin/env bash
# Installs what a goal needs and is missing, builds, and installs into .venv.
# Usage: tools/setup.sh PYTHON GOAL      GOAL: build, demo, test, check or bench
set -euo pipefail

python=$1
goal=$2
cd "$(dirname "$0")/.."
JOBS=${JOBS:-2}

say() { printf '\033[1m==>\033[0m %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# ---- system packages ----

packages=(gcc make pkg-config libc6-dev python3-dev python3-venv libsqlite3-dev libzstd-dev liblz4-dev
    libsnappy-dev libdeflate-dev libbrotli-dev)
case $goal in
test | check) packages+=(libcmocka-dev) ;;
esac
[ "$goal" = check ] && packages+=(clang universal-ctags)

# The fuzzers' and sanitizers' run-time of whatever clang this system has, by its number.
clang_runtime() {
    local major
    major=$(clang --version 2>/dev/null | sed -n 's/.*clang version \([0-9]*\).*/\1/p' | head -n 1)
    [ -n "$major" ] && echo "libclang-rt-$major-dev"
}

missing() {
    local p
    for p in "$@"; do
        dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'install ok installed' || echo "$p"
    done
}

install() {
    local want
    mapfile -t want < <(missing "$@")
    [ ${#want[@]} -eq 0 ] && return 0
    command -v apt-get >/dev/null ||
        fail "these packages are needed, and there is no apt-get to install them: ${want[*]}"
    local as_root=(env DEBIAN_FRONTEND=noninteractive)
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "run as root, or install sudo, to install: ${want[*]}"
        as_root=(sudo "${as_root[@]}")
    fi
    say "installing system packages: ${want[*]}"
    "${as_root[@]}" apt-get update -qq ||
        fail "apt-get update failed: see above"
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${want[@]}" >/dev/null ||
        fail "apt-get could not install: ${want[*]}"
}

install "${packages[@]}"
if [ "$goal" = check ]; then
    runtime=$(clang_runtime) && install "$runtime"
fi

# ---- .venv ----

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is older than 3.11: name another one with make PYTHON=…"
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "making .venv with $("$python" --version)"
    "$python" -m venv --clear .venv ||
        fail "$python could not make .venv: see above"
fi

wanted=tools/requirements/build.txt
[ -e "tools/requirements/$goal.txt" ] && wanted="$wanted tools/requirements/$goal.txt"
for list in $wanted; do
    stamp=.venv/installed-$(basename "$list")
    if ! cmp -s "$list" "$stamp"; then
        say "installing Python packages into .venv: $(grep -v '^#' "$list" | tr '\n' ' ')"
        .venv/bin/python -m pip install -q --disable-pip-version-check -r "$list" ||
            fail "pip could not install what $list names: see above"
        cp "$list" "$stamp"
    fi
done

# ---- build ----

export PATH="$PWD/.venv/bin:$PATH"
is_stale() {
    [ ! -e .venv/built ] ||
        [ -n "$(find src include python meson.build meson_options.txt pyproject.toml -type f \
            -newer .venv/built -print -quit)" ]
}

if is_stale; then
    say "building armillaria and installing it into .venv"
    mkdir -p build
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-build-isolation --no-deps \
        --force-reinstall --config-settings=build-dir=build/wheel \
        --config-settings=compile-args="-j$JOBS" . ||
        fail "the build failed: see above"
    touch .venv/built
fi
