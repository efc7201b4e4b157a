/** setup.sh: which file it is, what comes into it, and the copy that is kept of it. */
import { script } from "./script_text.ts";

export const SH_FILES = script`
# at FILE [older=...] [macos=...] [macos_if_there=...] [moved=VARIABLE:PREFIX] [system=...] [system_macos=...]: the file that
# the next lines are for. FILE is below the home; where $PLACE is system it is the one for everybody, if there is one.
at() {
  file=$1 older='' moved='' system='' system_macos=''
  shift
  for word in "$@"; do
    case $word in
    older=*) older=\${word#*=} ;;
    moved=*) moved=\${word#*=} ;;
    system=*) system=\${word#*=} ;;
    system_macos=*) system_macos=\${word#*=} ;;
    macos=*) [ "$SYSTEM" != Darwin ] || file=\${word#*=} ;;
    macos_if_there=*)
      if [ "$SYSTEM" = Darwin ] && [ -d "$(dirname "$HOME/\${word#*=}")" ]; then file=\${word#*=}; fi
      ;;
    esac
  done
  if [ "$PLACE" = system ]; then
    FILE=$system
    if [ "$SYSTEM" = Darwin ] && [ -n "$system_macos" ]; then FILE=$system_macos; fi
    return 0
  fi
  FILE=$(moved_to "$file" "$moved")
  if [ -n "$older" ] && [ -e "$(moved_to "$older" "$moved")" ]; then FILE=$(moved_to "$older" "$moved"); fi
}

moved_to() {
  where='' prefix=\${2#*:}
  [ -z "$2" ] || eval 'where=\${'"\${2%%:*}"':-}'
  # A place that is another's here (macOS has its own) is not moved.
  case $1 in "$prefix"*) ;; *) where='' ;; esac
  if [ -z "$where" ]; then
    printf '%s' "$HOME/$1"
  elif [ -z "$prefix" ]; then
    printf '%s' "$where/$1"
  else
    printf '%s' "$where\${1#"$prefix"}"
  fi
}

# at_printed COMMAND...: for everybody, the file is the one that this prints.
at_printed() {
  [ "$PLACE" = system ] || return 0
  has "$1" || return 0
  FILE=$(quietly "$@" | tail -n 1)
  case $FILE in /*) ;; *) FILE='' ;; esac
}

# put SYNTAX ID SECTION LINE...: into $FILE, in place of what set the same.
put() {
  SECRET=no
  put_lines "$@"
}
# The same for who somebody is: in nobody's file but their own.
put_secret() {
  [ "$PLACE" = home ] || return 0
  SECRET=yes
  put_lines "$@"
}

put_lines() {
  [ -n "$FILE" ] || return 0
  syntax=$1 id=$2 section=$3
  shift 3
  case $DONE in
  *"|$id $FILE|"*)
    say "  $(shown "$FILE"): as above"
    return 0
    ;;
  esac
  DONE="$DONE|$id $FILE|"
  ours=$(printf '%s\n' "$@")
  old=$FILE
  [ -e "$FILE" ] || old=/dev/null
  : >"$TEMPORARY/replaced"
  SYNTAX=$syntax ID=$id SECTION=$section OURS=$ours REPLACED=$TEMPORARY/replaced \
    awk "$EDIT" "$old" >"$TEMPORARY/new"
  case $? in
  0) ;;
  3)
    warn "$(shown "$FILE") sets this in a form that is not changed here: put in yourself: $(printf '%s' "$ours" | masked)"
    return 0
    ;;
  *)
    warn "cannot read $(shown "$FILE"): nothing was changed in it"
    return 0
    ;;
  esac
  if cmp -s "$old" "$TEMPORARY/new" && ! is_open "$FILE"; then
    say "  $(shown "$FILE"): is so already"
    return 0
  fi
  instead=$(cat "$TEMPORARY/replaced")
  if [ "$DRY" = yes ]; then
    say "  $(shown "$FILE"): would get"
  elif write_file "$TEMPORARY/new"; then
    say "  $(shown "$FILE"): now has"
  else
    warn "cannot write $(shown "$FILE")"
    return 0
  fi
  [ -z "$section" ] || say "    [$section]"
  printf '%s\n' "$ours" | masked | sed 's/^/    /'
  [ -z "$instead" ] || say "    in place of another $instead"
}

# beware KEY...: what leads past Sluice all the same stays, and is said. Of [[tables]] one is ours.
beware() {
  if [ -z "$FILE" ] || [ ! -e "$FILE" ]; then return 0; fi
  for key in "$@"; do
    case $key in
    \[*) [ "$(grep -cxF "$key" "$FILE")" -gt 1 ] || continue ;;
    *) grep -iq "^[[:space:]]*$(printf '%s' "$key" | sed 's/-/[-_]/g')[[:space:]]*[=:]" "$FILE" || continue ;;
    esac
    say "  $(shown "$FILE"): beware: another $key of it is asked beside Sluice, and stays"
  done
}

# put_environment NAME LINE: for every shell, from its next start.
put_environment() {
  profiles >"$TEMPORARY/profiles"
  while IFS= read -r FILE; do
    SECRET=no
    put_lines shell "environment-$1" '' "$2"
  done <"$TEMPORARY/profiles"
}

profiles() {
  if [ "$PLACE" = home ]; then
    printf '%s\n' "$HOME/.profile"
    for file in .bash_profile .bash_login .bashrc; do
      if [ -e "$HOME/$file" ]; then printf '%s\n' "$HOME/$file"; fi
    done
    if has zsh; then printf '%s\n' "\${ZDOTDIR:-$HOME}/.zshenv"; fi
  elif [ "$SYSTEM" = Darwin ]; then
    printf '%s\n' /etc/profile /etc/zshenv
  else
    printf '%s\n' /etc/profile.d/sluice.sh
  fi
}

shown() {
  case $1 in
  "$HOME"/*) printf '%s/%s' '~' "\${1#"$HOME"/}" ;;
  *) printf '%s' "$1" ;;
  esac
}

# A token is never printed.
masked() {
  HIDDEN=$TOKEN awk '{
    hidden = ENVIRON["HIDDEN"]
    while (hidden != "" && (at = index($0, hidden)) > 0) $0 = substr($0, 1, at - 1) "****" substr($0, at + length(hidden))
    print
  }'
}

# It is to hold who somebody is, and others may read it.
is_open() {
  if [ "$SECRET" = no ] || [ ! -e "$1" ]; then return 1; fi
  [ -n "$(find -H "$1" \( -perm -040 -o -perm -004 -o -perm -020 -o -perm -002 \) 2>/dev/null)" ]
}

# A copy comes first. What is written goes into the file that is there, so that links and owners stay.
write_file() {
  make_folder "$(dirname "$STATE")" && { [ -d "$STATE" ] || mkdir -m 700 "$STATE"; } || return 1
  entry=$(entry_of "$FILE")
  if [ -z "$entry" ]; then
    number=1
    while [ -e "$STATE/$number" ]; do number=$((number + 1)); done
    entry=$STATE/$number
    mkdir "$entry" && printf '%s\n' "$FILE" >"$entry/file" || return 1
    if [ -e "$FILE" ]; then cp -p "$FILE" "$entry/copy" || return 1; fi
  elif [ "$(sum_of "$FILE")" != "$(cat "$entry/sum")" ]; then
    : >"$entry/changed"
  fi
  make_folder "$(dirname "$FILE")" || return 1
  if [ "$SECRET" = yes ]; then
    if [ -e "$FILE" ]; then chmod go= "$FILE"; else (umask 077 && : >"$FILE"); fi || return 1
  fi
  cat "$1" >"$FILE" && sum_of "$FILE" >"$entry/sum"
}

make_folder() {
  [ ! -d "$1" ] || return 0
  make_folder "$(dirname "$1")" || return 1
  mkdir "$1" || return 1
  [ ! -d "$STATE" ] || printf '%s\n' "$1" >>"$STATE/folders"
}

entry_of() {
  for entry in "$STATE"/[0-9]*; do
    if [ -e "$entry/file" ] && [ "$(cat "$entry/file")" = "$1" ]; then
      printf '%s' "$entry"
      return 0
    fi
  done
}

# Empty for a file that is not there.
sum_of() {
  [ -e "$1" ] || return 0
  if has cksum; then cksum <"$1"; else md5sum <"$1"; fi
}
`;
