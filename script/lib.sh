# Shared set-up of the scripts: a virtual environment beside the checkout, system packages where we may install them.
# shellcheck shell=bash
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
venv=${SECC_VENV:-$root/.venv}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null 2>&1 || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  say "Python 3.11 or newer is needed: apt-get install python3 python3-venv"
  exit 1
}

# all_pythons: print one interpreter of each supported version that the machine has, on PATH or in pyenv.
all_pythons() {
  local version candidate
  for version in 3.11 3.12 3.13; do
    for candidate in "python$version" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$version".*/bin/python; do
      if "$candidate" -c "import sys; sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
        printf '%s\n' "$candidate"
        break
      fi
    done
  done
}

# need_venv EXTRAS: make the environment again when what it is made of changes; tools are of the series in constraints.txt.
need_venv() {
  local extras=$1 stamp want
  stamp=$venv/.made-for-$extras
  want=$(sha256sum setup.cfg pyproject.toml constraints.txt | sha256sum | cut -d' ' -f1)
  if [ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null || true)" = "$want" ]; then return; fi
  local python
  python=$(find_python)
  say "making the Python environment in ${venv#"$root"/} (once)"
  if ! "$python" -m venv "$venv"; then
    need_packages python3-venv
    "$python" -m venv "$venv"
  fi
  "$venv/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[$extras]"
  printf '%s' "$want" >"$stamp"
}

# need_packages PACKAGE...: install Debian packages where we are root, otherwise say exactly what is missing.
need_packages() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing ${missing[*]}"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >/tmp/secc-apt.log 2>&1 ||
      { apt-get update -q >/tmp/secc-apt.log 2>&1 &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" >>/tmp/secc-apt.log 2>&1; } ||
      { tail -n 5 /tmp/secc-apt.log >&2; say "could not install ${missing[*]}"; return 1; }
  else
    say "missing: sudo apt-get install ${missing[*]}"
    return 1
  fi
}
