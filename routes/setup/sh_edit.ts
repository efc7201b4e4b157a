/** setup.sh: how lines come into a file, and out of it again. */
import { script } from "./script_text.ts";

export const SH_EDIT = script`
# Lines of ours stand between two marks, below the lines that they took the place of:
#   # sluice begin ID
#   # sluice was: registry=https://registry.example/
#   registry=...
#   # sluice end ID
# shellcheck disable=SC2016 # these are awk's
MARKS='
  function block_end(i,   j, name) {
    if (index(text[i], "# sluice begin ") != 1) return 0
    name = substr(text[i], 16)
    if (id != "" && name != id) return 0
    for (j = i + 1; j <= n; j++) if (text[j] == "# sluice end " name) return j
    return 0
  }
  # Out with what was put here before, back with what it took the place of.
  function strip(   i, last) {
    for (i = 1; i <= n; i++) {
      last = block_end(i)
      if (last == 0) kept[++m] = text[i]
      else place = m + 1
      while (last > 0 && ++i < last) if (index(text[i], "# sluice was: ") == 1) kept[++m] = substr(text[i], 15)
    }
  }
  { if ($0 ~ /\r$/) { crlf = "\r"; sub(/\r$/, "") } text[++n] = $0 }
'
# shellcheck disable=SC2016
STRIP="$MARKS"'
  END { id = ""; strip(); for (i = 1; i <= m; i++) print kept[i] crlf }
'
# Ends with 3 where the file says the same in a form that it does not know how to change.
# shellcheck disable=SC2016
EDIT="$MARKS"'
  function trim(s) { sub(/^[ \t]+/, "", s); sub(/[ \t]+$/, "", s); return s }
  function plain(s) { gsub(/["\047 \t]/, "", s); return s }
  function squeeze(s) { s = trim(s); sub(/[ \t]*=[ \t]*/, "=", s); return s }
  # "[a.b]", "[[a]]"; empty for what is no header.
  function header_of(line) {
    if (syntax != "toml" && syntax != "ini") return ""
    line = trim(line)
    if (substr(line, 1, 1) != "[") return ""
    sub(/[ \t]*[#;].*$/, "", line)
    return plain(line)
  }
  # What a line sets; empty for a comment, a header and anything else.
  function key_of(line,   at, words) {
    line = trim(line)
    if (line == "" || index("#;[", substr(line, 1, 1)) > 0) return ""
    if (syntax == "yarnrc") { split(line, words, /[ \t]+/); return plain(words[1]) }
    if (syntax == "netrc") { split(line, words, /[ \t]+/); return words[1] == "machine" ? words[2] : "" }
    at = match(line, syntax == "yaml" ? "[:]" : syntax == "ini" ? "[=:]" : "[=]")
    if (at == 0 || syntax == "shell") return ""
    line = plain(substr(line, 1, at - 1))
    if (syntax == "ini") { line = tolower(line); gsub(/_/, "-", line) }
    return line
  }
  # It belongs to the line before.
  function continues(line) {
    if (syntax == "yaml") return line ~ /^[ \t]+[^ \t]/ || line ~ /^- /
    return syntax == "ini" && line ~ /^[ \t]+[^ \t#;]/
  }
  # The same table, written with dots, inline or as a table below: two of it would be an error.
  function is_elsewhere(   i, name, full, key) {
    if (syntax != "toml" || substr(section, 1, 1) == "[") return 0
    for (i = 1; i <= m; i++) {
      if (header_of(kept[i]) != "") {
        name = header_of(kept[i]); gsub(/[][]/, "", name)
        for (key in wanted) if (index(name ".", section "." key ".") == 1) return 1
      } else if (key_of(kept[i]) != "" && name != section) {
        full = (name == "" ? "" : name ".") key_of(kept[i]) "."
        if (index(full, section ".") == 1 || index(section ".", full) == 1) return 1
      }
    }
    return 0
  }
  END {
    id = ENVIRON["ID"]; syntax = ENVIRON["SYNTAX"]; section = ENVIRON["SECTION"]
    count = split(ENVIRON["OURS"], ours, "\n")
    for (i = 1; i <= count; i++) {
      if (key_of(ours[i]) != "") wanted[key_of(ours[i])] = 1
      same[squeeze(ours[i])] = 1
    }
    strip()
    if (is_elsewhere()) exit 3
    is_array = substr(section, 1, 1) == "["
    first = 1; last = m; at = m + 1; header = ""
    if (syntax == "netrc") at = 1
    if (section != "") {
      header = "[" section "]"
      for (i = 1; i <= m && header_of(kept[i]) != plain(header); i++) continue
      first = last = i
      if (is_array) at = i
      else if (i <= m) {
        header = ""; at = first = i + 1
        for (last = i; last < m && header_of(kept[last + 1]) == "";) last++
      }
    }
    # It stays where it was put before.
    if (place > 0 && (section == "" || header != "")) at = place
    for (i = first; i <= last && i <= m && !is_array; i++) {
      if (!(key_of(kept[i]) in wanted)) continue
      if (syntax == "netrc" && kept[i] !~ /[ \t]password[ \t]/) exit 3
      if (taken == 0) at = i
      taken = 1
      while (1) {
        gone[i] = 1
        if (!(squeeze(kept[i]) in same)) was[++old] = kept[i]
        if (i >= last || !continues(kept[i + 1])) break
        i++
      }
    }
    for (i = 1; i <= m + 1; i++) {
      if (i == at) {
        print "# sluice begin " id crlf
        for (j = 1; j <= old; j++) print "# sluice was: " was[j] crlf
        if (header != "") print header crlf
        for (j = 1; j <= count; j++) print ours[j] crlf
        print "# sluice end " id crlf
      }
      if (i <= m && !(i in gone)) print kept[i] crlf
    }
    if (old > 0) print key_of(was[1]) >ENVIRON["REPLACED"]
  }
'
`;
