# Shared set-up of the scripts: a virtual environment beside the checkout, system packages where we may install them.
# shellcheck shell=bash
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/help.sh"
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
venv=${SECC_VENV:-$root/.venv}

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }

# Nothing that a script starts outlives it. A shell that waits for a program in the foreground reacts to a signal when that
# program ends, so what takes long is started by `run`.
ending=()
at_exit() { ending+=("$1"); } # at_exit COMMAND: once everything that was started has ended
end_all() {
  local status=$? pids pid command left
  trap - EXIT
  trap '' TERM INT HUP
  mapfile -t pids < <(descendants $$)
  # Ctrl-C reaches every program of the terminal: each may end in its own way first.
  [ "$status" = 130 ] && wait_for_end 5 "${pids[@]}"
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait_for_end 5 "${pids[@]}"
  for pid in "${pids[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  for command in "${ending[@]}"; do eval "$command"; done
  exit "$status"
}
descendants() { # the processes below PID, but not the one that asks
  local pid
  for pid in $(cat "/proc/$1/task/"*/children 2>/dev/null || true); do
    [ "$pid" = "$BASHPID" ] && continue
    descendants "$pid"
    printf '%s\n' "$pid"
  done
}
wait_for_end() { # wait_for_end SECONDS PID...
  local tenths=$(($1 * 10)) pid
  shift
  for pid in "$@"; do
    while [ "$tenths" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
      sleep 0.1
      tenths=$((tenths - 1))
    done
  done
}
if [ -f "$0" ]; then
  trap end_all EXIT
  # Without an input, as a job may be started: what runs gets one that is empty.
  { : <&0; } 2>/dev/null || exec </dev/null
  trap 'exit 143' TERM
  trap 'exit 130' INT
  trap 'exit 129' HUP
fi

# run COMMAND...: in the background and waited for, with the terminal's input and Ctrl-C of a program in the foreground.
run() {
  (
    trap - EXIT TERM INT HUP
    if declare -F "$1" >/dev/null; then "$@"; else exec "$@"; fi
  ) <&0 &
  wait $!
}

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

# need_pytest_options ARGUMENTS...: have pytest refuse what it does not know before anything else is done.
need_pytest_options() {
  local argument
  for argument in "$@"; do
    case $argument in -*) "$venv/bin/python" -m pytest --markers "$@" >/dev/null || exit 2; return ;; esac
  done
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
  local made
  # What tests need has all that the demo needs.
  for made in "$stamp" "$venv/.made-for-test"; do
    [ "$made" = "$stamp" ] || [ "$extras" = demo ] || continue
    if [ -x "$venv/bin/python" ] && [ "$(cat "$made" 2>/dev/null || true)" = "$want" ]; then return; fi
  done
  local python
  python=$(find_python)
  say "making the Python environment in ${venv#"$root"/} (once)"
  if ! "$python" -m venv "$venv"; then
    need_packages python3-venv
    "$python" -m venv "$venv"
  fi
  run "$venv/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt -e ".[$extras]"
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
