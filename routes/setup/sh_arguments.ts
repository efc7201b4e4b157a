/** setup.sh: what it is told. */
import { script } from "./script_text.ts";

export const SH_USAGE = script`
# What it does: sets the registry of every package manager that is installed, in the files that they read; says what
# it changes; keeps a copy of each file first; and asks Sluice whether all is well. What is so already stays, so it
# can be run as often as you like. It needs a POSIX shell with awk and the like, and for asking curl (or wget).
#
#   sh setup.sh              set up what is installed, for whoever runs it
#   sh setup.sh --dry-run    say what that would change, and change nothing
#   sh setup.sh --verify     ask Sluice and the clients whether all is well, and change nothing
#   sh setup.sh --undo       put every file back as it was (with --dry-run: say what that would do)
#
#   --user NAME          the name that Sluice's log is to show
#   --login-name         for that, the name that you are logged in with
#   --token-file FILE    the token in that file (- is standard input); or SLUICE_TOKEN in the environment
#   --clients npm,pip    these only, whether they are installed or not
#   --all-users          for everybody on this machine, and those to come; as root
#   --no-verify          do not ask Sluice, neither before nor after
#
# It ends with 0 if all is well, 1 if something is not, 2 if it was called wrongly.
# Copies and notes for --undo are in ~/.sluice-setup (for everybody: /var/lib/sluice-setup).
`;

export const SH_ARGUMENTS = script`
say() { printf '%s\n' "$*"; }
# Says it, and goes on: the end is 1.
warn() {
  printf 'setup.sh: %s\n' "$*" >&2
  RESULT=1
}
stop() {
  printf 'setup.sh: %s\n' "$2" >&2
  exit "$1"
}
has() { command -v "$1" >/dev/null 2>&1; }

usage() { sed -n '2,/^[^#]/s/^# \{0,1\}//p' <"$0" 2>/dev/null || say "$SITE/-/setup.sh"; }

read_arguments() {
  ACTION=configure DRY=no VERIFY=yes EVERYBODY=no CLIENTS='' NAME='' LOGIN_NAME=no TOKEN_FILE=''
  while [ $# -gt 0 ]; do
    case $1 in
    --user=* | --clients=* | --token-file=*)
      option=$1
      shift
      set -- "\${option%%=*}" "\${option#*=}" "$@"
      ;;
    --user | --clients | --token-file)
      [ $# -ge 2 ] || stop 2 "$1 wants a value"
      case $1 in
      --user) NAME=$2 ;;
      --clients) CLIENTS=$2 ;;
      --token-file) TOKEN_FILE=$2 ;;
      esac
      shift 2
      ;;
    --login-name) LOGIN_NAME=yes && shift ;;
    --all-users) EVERYBODY=yes && shift ;;
    --dry-run) DRY=yes && shift ;;
    --no-verify) VERIFY=no && shift ;;
    --verify) ACTION=verify && shift ;;
    --undo) ACTION=undo && shift ;;
    -h | --help) usage && exit 0 ;;
    *) stop 2 "there is no option $1: --help lists them" ;;
    esac
  done
  read_clients
  read_token
}

read_clients() {
  CLIENTS=$(printf '%s' "$CLIENTS" | tr ',' ' ')
  for client in $CLIENTS; do
    case " $ALL_CLIENTS " in
    *" $client "*) ;;
    *) stop 2 "there is no client $client: they are $ALL_CLIENTS" ;;
    esac
  done
}

# Neither an argument nor the environment of what is started from here: both can be looked at by others.
read_token() {
  TOKEN=\${SLUICE_TOKEN:-}
  unset SLUICE_TOKEN
  case $TOKEN_FILE in
  '') ;;
  -) TOKEN=$(cat) ;;
  *) TOKEN=$(cat "$TOKEN_FILE") || stop 2 "cannot read the token in $TOKEN_FILE" ;;
  esac
  case $TOKEN in
  *[!A-Za-z0-9._~+/=-]*) stop 2 'that is no token: it has characters that no token has' ;;
  '') [ -z "$TOKEN_FILE" ] || stop 2 'the token is empty' ;;
  esac
}

# $BY is nobody, name or token; what the lines below are filled in with.
read_caller() {
  if [ -z "$NAME$TOKEN" ] && [ "$CALLERS" = named ] && [ "$ACTION" = configure ]; then LOGIN_NAME=yes; fi
  if [ "$LOGIN_NAME" = yes ] && [ -z "$NAME" ]; then NAME=$(id -un); fi
  case $NAME in
  [!A-Za-z0-9]* | *[!A-Za-z0-9._@+-]*) stop 2 "cannot write the name $NAME into files: use letters, digits and . _ @ + -" ;;
  esac
  BY=nobody
  [ -z "$NAME" ] || BY=name
  if [ -n "$TOKEN" ]; then
    BY=token
    NAME=\${NAME:-sluice}
  elif [ "$CALLERS" = token ] && [ "$ACTION" = configure ]; then
    stop 2 "organisation $ORGANISATION lets in callers with a token only: --token-file FILE, or SLUICE_TOKEN"
  fi
  NAME_IN_ADDRESS=$(printf '%s' "$NAME" | sed 's/@/%40/g; s/+/%2B/g')
  BASIC=$(printf '%s:' "$NAME" | base64_of)
}

base64_of() {
  if has base64; then base64 | tr -d '\r\n'; else openssl base64 -A; fi
}
`;
