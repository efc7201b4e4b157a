/** setup.sh: how everything comes back. */
import { script } from "./script_text.ts";

export const SH_UNDO = script`
undo() {
  if [ ! -d "$STATE" ]; then
    say "There is nothing to undo: $(shown "$STATE") is not there."
    return 0
  fi
  for entry in "$STATE"/[0-9]*; do
    if [ -e "$entry/file" ]; then undo_file "$entry"; fi
  done
  [ "$DRY" = no ] || return 0
  if [ -e "$STATE/folders" ]; then
    sort -r "$STATE/folders" | while IFS= read -r folder; do rmdir "$folder" 2>/dev/null || :; done
  fi
  for entry in "$STATE"/[0-9]*; do
    if [ -e "$entry/file" ]; then
      say "What could not be put back is kept in $(shown "$STATE")."
      return 0
    fi
  done
  rm -rf "$STATE"
}

# A file that nobody touched since is put back to the byte; of one that somebody changed, our lines alone go.
undo_file() {
  FILE=$(cat "$1/file")
  what='goes' past='is gone: it was made by this script'
  if [ -e "$1/copy" ]; then what='comes back' past='is as it was'; fi
  if [ ! -e "$FILE" ]; then
    [ ! -e "$1/copy" ] || warn "$(shown "$FILE") was removed since: its copy was $(shown "$1/copy")"
    if [ "$DRY" = no ] && [ ! -e "$1/copy" ]; then rm -rf "$1"; fi
  elif [ ! -e "$1/changed" ] && [ "$(sum_of "$FILE")" = "$(cat "$1/sum")" ]; then
    if [ "$DRY" = yes ]; then
      say "$(shown "$FILE"): $what"
    elif put_back "$1"; then
      rm -rf "$1"
      say "$(shown "$FILE"): $past"
    else
      warn "cannot write $(shown "$FILE"): its copy is $(shown "$1/copy")"
    fi
  else
    undo_changed "$1"
  fi
}

put_back() {
  if [ -e "$1/copy" ]; then cp -p "$1/copy" "$FILE"; else rm -f "$FILE"; fi
}

undo_changed() {
  awk "$STRIP" "$FILE" >"$TEMPORARY/new" || return 0
  if cmp -s "$FILE" "$TEMPORARY/new"; then
    warn "$(shown "$FILE") was changed since, and the marks around our lines are gone: it stays as it is"
    [ ! -e "$1/copy" ] || say "  before this script it was $(shown "$1/copy")"
  elif [ "$DRY" = yes ]; then
    say "$(shown "$FILE"): was changed since; our lines would go, the rest stays"
  elif cat "$TEMPORARY/new" >"$FILE"; then
    if [ ! -s "$FILE" ] && [ ! -e "$1/copy" ]; then rm -f "$FILE"; fi
    rm -rf "$1"
    say "$(shown "$FILE"): was changed since; our lines are gone, the rest stays"
  else
    warn "cannot write $(shown "$FILE")"
  fi
}
`;
