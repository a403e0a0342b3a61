# SPDX-License-Identifier: Apache-2.0
# Makes virtual environments for the commands of this directory, which source
# this file.
# shellcheck shell=sh

# The top of the tree; $0 is the command.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# The interpreter in $PYTHON, or the first suitable one of the PATH.
find_python() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if "$python" -c 'import sys, ensurepip, venv
sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$python"
            return
        fi
    done
    fail 'no Python >= 3.11 with venv was found; install one (on Debian:' \
        'python3 and python3-venv) or name it in PYTHON'
}

# pbr takes the version from git; without git, or outside a repository, it has
# to be told one. (An sdist carries its own in PKG-INFO.)
set_version() {
    if [ -z "${PBR_VERSION:-}" ] && [ ! -e "$root/PKG-INFO" ] &&
            ! git -C "$root" rev-parse --verify -q HEAD >/dev/null 2>&1; then
        PBR_VERSION=1.0.0
        export PBR_VERSION
    fi
}

# install_packages DIR PACKAGE...: into the environment in DIR, by uv, in a
# third of pip's time; by pip where uv cannot be had or fails, for it knows
# nothing of pip.conf. Then no uv is left behind.
install_packages() {
    bin=$1/bin
    shift
    if "$bin/python" -m pip install --disable-pip-version-check 'uv>=0.9' &&
            "$bin/uv" pip install --python "$bin/python" "$@"; then
        return
    fi
    echo 'uv failed; pip takes over'
    "$bin/python" -m pip uninstall --disable-pip-version-check --yes uv || :
    "$bin/python" -m pip install --disable-pip-version-check "$@"
}

# make_venv DIR STAMP PACKAGE...: an environment in DIR with these packages.
# Nothing is done where that was done before for the same STAMP.
make_venv() {
    mkdir -p "${1%/*}"
    # Two of the tests' environments may want it at once.
    if command -v flock >/dev/null; then
        (flock 9 && make_it "$@") 9>"$1.lock"
    else
        make_it "$@"
    fi
}

make_it() {
    dir=$1
    stamp="$1 $2"
    shift 2
    if [ -x "$dir/bin/python" ] && "$dir/bin/python" -c '' 2>/dev/null &&
            [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    python=$(find_python) || exit 1
    echo "${0##*/}: installing into ${dir#"$root/"}" \
        "(once; see install.log there)" >&2
    log=$dir/install.log
    mkdir -p "$dir" || fail "cannot make $dir"
    if ! "$python" -m venv --clear "$dir" >"$dir.log" 2>&1; then
        tail -n 5 "$dir.log" >&2
        fail "$python -m venv $dir failed"
    fi
    mv "$dir.log" "$log"
    if ! install_packages "$dir" "$@" >>"$log" 2>&1; then
        grep -i error "$log" | tail -n 5 >&2
        fail "the installation failed; the whole story is in $log"
    fi
    echo "$stamp" >"$dir/stamp"
}
