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
        PBR_VERSION=0.0.1
        export PBR_VERSION
    fi
}

# make_venv DIR STAMP PIP-ARGUMENT...: an environment in DIR with what pip is
# asked for. Nothing is done where that was done before for the same STAMP.
make_venv() {
    dir=$1
    stamp="$1 $2"
    shift 2
    if [ -x "$dir/bin/python" ] && "$dir/bin/python" -c '' 2>/dev/null &&
            [ "$(cat "$dir/stamp" 2>/dev/null)" = "$stamp" ]; then
        return
    fi
    python=$(find_python) || exit 1
    echo "${0##*/}: installing into ${dir#"$root/"}" \
        "(about a minute, once; see install.log there)" >&2
    log=$dir/install.log
    mkdir -p "$dir" || fail "cannot make $dir"
    if ! "$python" -m venv --clear "$dir" >"$dir.log" 2>&1; then
        tail -n 5 "$dir.log" >&2
        fail "$python -m venv $dir failed"
    fi
    mv "$dir.log" "$log"
    if ! "$dir/bin/python" -m pip install --disable-pip-version-check \
            "$@" >>"$log" 2>&1; then
        grep -i error "$log" | tail -n 5 >&2
        fail "the installation failed; the whole story is in $log"
    fi
    echo "$stamp" >"$dir/stamp"
}
