/** setup.sh: one home after the other, and where it starts. */
import { script } from "./script_text.ts";

export const SH_EVERYBODY = script`
# Package managers that a login shell would find, and root or a device-management tool does not.
add_places() {
  for place in /usr/local/bin /opt/homebrew/bin /home/linuxbrew/.linuxbrew/bin "$HOME/.local/bin" "$HOME/.cargo/bin" \
    "$HOME/.bun/bin" "$HOME/.deno/bin" "$HOME/.volta/bin" "$HOME/.local/share/pnpm" "$HOME/Library/pnpm" \
    "$HOME/.pyenv/shims" "$HOME"/.nvm/versions/node/*/bin; do
    case ":$PATH:" in
    *":$place:"*) ;;
    *) if [ -d "$place" ]; then PATH=$PATH:$place; fi ;;
    esac
  done
  export PATH
}

wants() {
  case " $CLIENTS " in
  '  ') is_installed "$1" ;;
  *" $1 "*) ;;
  *) return 1 ;;
  esac
}

# Its version begins with that; nothing is fetched to find out.
is_version() { case $(quietly "$1" --version) in "$2"*) ;; *) return 1 ;; esac }

configure() {
  found=no
  for client in $ALL_CLIENTS; do
    if wants "$client"; then
      found=yes
      set_up "$client"
    fi
  done
  if [ "$found" = no ]; then say "None of these is installed: $ALL_CLIENTS"; fi
}

# For who runs it.
for_one() {
  PLACE=home STATE=$HOME/.sluice-setup DONE='|'
  case $ACTION in
  undo) undo ;;
  verify)
    is_there
    verify
    ;;
  configure)
    if [ "$VERIFY" = yes ]; then is_there; fi
    configure
    if [ "$VERIFY" = yes ] && [ "$DRY" = no ]; then verify; fi
    ;;
  esac
}

# For everybody: what clients read for the whole machine, then each home, as the one whose home it is.
for_everybody() {
  [ "$(id -u)" = 0 ] || stop 2 '--all-users is for root'
  [ -f "$0" ] || stop 2 "--all-users runs the script once for each home: save it first, as a file"
  if [ "$ACTION" = configure ] && [ "$VERIFY" = yes ]; then is_there; fi
  say 'For the whole machine'
  PLACE=system STATE=/var/lib/sluice-setup DONE='|'
  case $ACTION in
  undo) undo ;;
  configure) for_the_machine ;;
  esac
  chmod 755 "$TEMPORARY"
  cp "$0" "$TEMPORARY/setup.sh" && chmod 644 "$TEMPORARY/setup.sh"
  homes >"$TEMPORARY/homes"
  while IFS=: read -r who home; do
    [ -d "$home" ] || continue
    say ''
    say "For $who"
    for_somebody "$who" "$home" || RESULT=1
  done <"$TEMPORARY/homes"
}

# A name of one's own is nothing for everybody.
for_the_machine() {
  if [ "$LOGIN_NAME" = yes ]; then
    say '  nothing: each home has its own name'
  else
    configure
  fi
}

for_somebody() {
  who=$1 home=$2
  set -- --clients "$(printf '%s' "$CLIENTS" | tr ' ' ',')"
  if [ "$ACTION" != configure ]; then set -- "$@" "--$ACTION"; fi
  if [ "$DRY" = yes ]; then set -- "$@" --dry-run; fi
  if [ "$VERIFY" = no ]; then set -- "$@" --no-verify; fi
  if [ "$LOGIN_NAME" = yes ]; then set -- "$@" --login-name; elif [ -n "$NAME" ]; then set -- "$@" --user "$NAME"; fi
  if [ -n "$TOKEN" ]; then set -- "$@" --token-file -; fi
  printf '%s' "$TOKEN" | as "$who" env -i PATH="$PATH" HOME="$home" USER="$who" LOGNAME="$who" sh "$TEMPORARY/setup.sh" "$@"
}

# as WHO COMMAND...
as() {
  somebody=$1
  shift
  if [ "$somebody" = root ]; then
    "$@"
  elif has runuser; then
    runuser -u "$somebody" -- "$@"
  elif has sudo; then
    sudo -n -u "$somebody" -- "$@"
  else
    # shellcheck disable=SC2016 # for the shell that su starts
    su -s /bin/sh "$somebody" -c '"$0" "$@"' "$@"
  fi
}

# NAME:HOME of root and of every person.
homes() {
  if [ "$SYSTEM" = Darwin ]; then
    dscl . -list /Users UniqueID | awk '$2 >= 501 || $2 == 0 { print $1 }' | while read -r who; do
      printf '%s:%s\n' "$who" "$(dscl . -read "/Users/$who" NFSHomeDirectory | sed -n 's/^NFSHomeDirectory: //p')"
    done
  else
    { if has getent; then getent passwd; else cat /etc/passwd; fi; } |
      awk -F: '($3 == 0 || ($3 >= 1000 && $3 < 60000)) && $7 !~ /(nologin|false)$/ { print $1 ":" $6 }' | sort -u
  fi
}

main() {
  RESULT=0 SYSTEM=$(uname -s)
  umask 022
  read_arguments "$@"
  [ -d "\${HOME:-}" ] || stop 2 "there is no home: HOME is \${HOME:-empty}"
  TEMPORARY=$(mktemp -d) || stop 1 'cannot make a folder for what is in the works'
  trap 'rm -rf "$TEMPORARY"' EXIT
  trap 'exit 1' HUP INT TERM
  add_places
  read_caller
  if [ "$EVERYBODY" = yes ]; then for_everybody; else for_one; fi
  exit "$RESULT"
}

main "$@"
`;
