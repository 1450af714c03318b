# Sourced by every script before it does anything: -h and --help print the comment at its head and start nothing, and an
# option that is not named there is refused. With passes_on=pytest the others are pytest's (need_pytest_options),
# with own_help=1 the program that the script runs does all this.
# shellcheck shell=bash
usage() { sed -n '2,/^[^#]/{/^#/!d;s/^# \{0,1\}//p}' "$0"; }

is_own() { usage | grep -qE -e "(^|[^[:alnum:]-])$1([^[:alnum:]-]|\$)"; } # is_own OPTION

if [ -f "$0" ] && [ -z "${own_help:-}" ]; then
  for argument in "$@"; do
    case $argument in -h | --help) usage && exit ;; esac
  done
  for argument in "$@"; do
    [ "$argument" = -- ] && break
    case $argument in
    -[0-9]* | -) ;; # a number, or standard input
    -*)
      [ -z "${passes_on:-}" ] || continue
      if ! is_own "${argument%%=*}"; then
        printf '%s: unknown option %s\n\n' "${0##*/}" "$argument" >&2
        usage >&2
        exit 2
      fi
      ;;
    esac
  done
  unset argument
fi
