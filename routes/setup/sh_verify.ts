/** setup.sh: asking Sluice, and the clients. */
import { script } from "./script_text.ts";

export const SH_VERIFY = script`
# Answers with nothing but what it prints, and leaves nothing in the home.
quietly() {
  (
    cd "$TEMPORARY" || exit 1
    export XDG_CACHE_HOME="$TEMPORARY/cache" XDG_STATE_HOME="$TEMPORARY/state" XDG_DATA_HOME="$TEMPORARY/data"
    export npm_config_cache="$TEMPORARY/npm" npm_config_logs_max=0 npm_config_update_notifier=false
    export YARN_GLOBAL_FOLDER="$TEMPORARY/yarn" YARN_ENABLE_TELEMETRY=0 YARN_CACHE_FOLDER="$TEMPORARY/yarn1"
    export COREPACK_ENABLE_NETWORK=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PDM_CHECK_UPDATE=false
    export PNPM_HOME="$TEMPORARY/pnpm" NO_COLOR=1 CI=1
    "$@" </dev/null 2>"$TEMPORARY/why"
  )
}

# The status of an answer; 000 if there is none. The token goes by standard input, where nobody sees it.
status_of() {
  if has curl; then
    credentials | curl -sS -o /dev/null -w '%{http_code}' --max-time 30 -K - "$1" 2>"$TEMPORARY/why" || :
  elif has wget; then
    if wget -q -T 30 -O /dev/null "$1" 2>"$TEMPORARY/why"; then printf 200; else printf 000; fi
  else
    say 'there is neither curl nor wget' >"$TEMPORARY/why"
    printf 000
  fi
}

credentials() {
  case $BY in
  name) printf 'user = "%s:"\n' "$NAME" ;;
  token) printf 'header = "Authorization: Bearer %s"\n' "$TOKEN" ;;
  esac
}

is_there() {
  answer=$(status_of "$SITE/-/health")
  [ "$answer" = 200 ] || stop 1 "Sluice does not answer at $SITE/-/health ($answer $(tail -n 1 "$TEMPORARY/why")): nothing was changed; with --no-verify it is not asked"
  say "Sluice answers at $SITE/"
}

# Whether whoever this is may read, by a page that needs no package.
is_let_in() {
  has curl || return 0
  answer=$(status_of "$SITE/-/stats")
  case $answer:$BY in
  200:nobody) say 'It lets you in.' ;;
  200:name) say "It lets you in as $NAME." ;;
  200:token) say 'It knows the token.' ;;
  401:nobody) say 'It asks for a name or token: with --user or --token-file, that is tried too.' ;;
  *) warn "Sluice does not let you in ($answer): curl $SITE/-/stats says why" ;;
  esac
}

verify() {
  is_let_in
  for client in $ALL_CLIENTS; do
    if wants "$client"; then check_client "$client"; fi
  done
}

# prints ADDRESS COMMAND...: what a client takes for its registry, but for a name in the address.
prints() {
  expected=$1
  shift
  has "$1" || return 0
  said=$(quietly "$@" | sed 's#://[^/@]*@#://#' | tail -n 1)
  if [ "$said" = "$expected" ]; then
    say "  $*: $said"
  else
    warn "$* says $said, and not $expected: another file or the environment says otherwise"
  fi
}

# asks COMMAND...: it asks Sluice in its own way.
asks() {
  has "$1" || return 0
  if quietly "$@" >/dev/null; then
    say "  $*: answered"
  else
    warn "$* does not get through: $(masked <"$TEMPORARY/why" | tail -n 3)"
  fi
}
`;
