/** setup.ps1: how lines come into a file, and out of it again. The same rules as setup.sh has, in sh_edit.ts. */
import { script } from "./script_text.ts";

export const PS1_EDIT = script`
# Lines of ours stand between two marks, below the lines that they took the place of:
#   # sluice begin ID
#   # sluice was: registry=https://registry.example/
#   registry=...
#   # sluice end ID

function Split-Lines([string] $Text) {
  $lines = New-Object 'System.Collections.Generic.List[string]'
  if ($Text -cne '') { $lines.AddRange([string[]] [regex]::Split($Text, '\r?\n')) }
  if ($lines.Count -gt 0 -and $lines[$lines.Count - 1] -ceq '') { $lines.RemoveAt($lines.Count - 1) }
  return , $lines
}

# In the manner of the text that was there: a file for Windows keeps its line ends.
function Join-Lines($Lines, [string] $Like) {
  $end = [string] [char] 10
  if ($Like.Contains([string] [char] 13 + [char] 10)) { $end = [string] [char] 13 + [char] 10 }
  $text = New-Object System.Text.StringBuilder
  foreach ($line in $Lines) { [void] $text.Append($line).Append($end) }
  return $text.ToString()
}

# -1: no block of that name begins there. An empty id is any.
function Find-BlockEnd($Lines, [int] $At, [string] $Id) {
  $begin = '# sluice begin '
  if (-not $Lines[$At].StartsWith($begin, [StringComparison]::Ordinal)) { return -1 }
  $name = $Lines[$At].Substring($begin.Length)
  if ($Id -cne '' -and $name -cne $Id) { return -1 }
  for ($index = $At + 1; $index -lt $Lines.Count; $index++) {
    if ($Lines[$index] -ceq ('# sluice end ' + $name)) { return $index }
  }
  return -1
}

# Out with what was put there before, back with what it took the place of. Place: where it was; -1: nowhere.
function Remove-Block($Lines, [string] $Id) {
  $kept = New-Object 'System.Collections.Generic.List[string]'
  $was = '# sluice was: '
  $place = -1
  for ($index = 0; $index -lt $Lines.Count; $index++) {
    $last = Find-BlockEnd $Lines $index $Id
    if ($last -lt 0) {
      $kept.Add($Lines[$index])
      continue
    }
    $place = $kept.Count
    for ($index = $index + 1; $index -lt $last; $index++) {
      if ($Lines[$index].StartsWith($was, [StringComparison]::Ordinal)) { $kept.Add($Lines[$index].Substring($was.Length)) }
    }
  }
  return @{ Lines = $kept; Place = $place }
}

function Get-Plain([string] $Text) { return $Text -replace '["''\s]', '' }
function Get-Squeezed([string] $Text) { return ([regex] '\s*=\s*').Replace($Text.Trim(), '=', 1) }

# '[a.b]', '[[a]]'; empty for what is no header.
function Get-Header([string] $Line, [string] $Syntax) {
  if (($Syntax -cne 'toml' -and $Syntax -cne 'ini') -or -not $Line.Trim().StartsWith('[')) { return '' }
  return Get-Plain ($Line.Trim() -replace '\s*[#;].*$', '')
}

# What a line sets; empty for a comment, a header and anything else.
function Get-Key([string] $Line, [string] $Syntax) {
  $text = $Line.Trim()
  if ($text -ceq '' -or $text -cmatch '\A[#;\[]') { return '' }
  $words = @($text -split '\s+')
  if ($Syntax -ceq 'yarnrc') { return Get-Plain $words[0] }
  if ($Syntax -ceq 'netrc') {
    if ($words[0] -ceq 'machine' -and $words.Count -gt 1) { return $words[1] }
    return ''
  }
  $separator = '='
  if ($Syntax -ceq 'yaml') { $separator = ':' }
  if ($Syntax -ceq 'ini') { $separator = '[=:]' }
  $found = [regex]::Match($text, $separator)
  if (-not $found.Success) { return '' }
  $key = Get-Plain $text.Substring(0, $found.Index)
  if ($Syntax -ceq 'ini') { $key = $key.ToLowerInvariant().Replace('_', '-') }
  return $key
}

# It belongs to the line before.
function Test-Continues([string] $Line, [string] $Syntax) {
  if ($Syntax -ceq 'yaml') { return $Line -cmatch '\A[ \t]+\S' -or $Line.StartsWith('- ') }
  return $Syntax -ceq 'ini' -and $Line -cmatch '\A[ \t]+[^ \t#;]'
}

# The same table, written with dots, inline or as a table below: two of it would be an error.
function Test-Elsewhere($Lines, [string] $Syntax, [string] $Section, $Keys) {
  if ($Syntax -cne 'toml' -or $Section.StartsWith('[')) { return $false }
  $table = ''
  foreach ($line in $Lines) {
    $header = Get-Header $line $Syntax
    $key = Get-Key $line $Syntax
    if ($header -cne '') {
      $table = $header -replace '[\[\]]', ''
      foreach ($each in $Keys) {
        if (($table + '.').StartsWith($Section + '.' + $each + '.', [StringComparison]::Ordinal)) { return $true }
      }
    } elseif ($key -cne '' -and $table -cne $Section) {
      $full = $key + '.'
      if ($table -cne '') { $full = $table + '.' + $full }
      $own = $Section + '.'
      if ($full.StartsWith($own, [StringComparison]::Ordinal)) { return $true }
      if ($own.StartsWith($full, [StringComparison]::Ordinal)) { return $true }
    }
  }
  return $false
}

# Text: with our lines in place of what set the same; null where the file says it in a form that is not changed here.
# Replaced: the first key of another that went; empty if none did.
function Edit-Text([string] $Text, [string] $Syntax, [string] $Id, [string] $Section, [string[]] $Ours) {
  $keys = @($Ours | ForEach-Object { Get-Key $_ $Syntax } | Where-Object { $_ -cne '' })
  $same = @($Ours | ForEach-Object { Get-Squeezed $_ })
  $stripped = Remove-Block (Split-Lines $Text) $Id
  $kept = $stripped.Lines
  if (Test-Elsewhere $kept $Syntax $Section $keys) { return @{ Text = $null; Replaced = '' } }
  $isArray = $Section.StartsWith('[')
  $first = 0
  $last = $kept.Count - 1
  $at = $kept.Count
  if ($Syntax -ceq 'netrc') { $at = 0 }
  $header = ''
  if ($Section -cne '') {
    $header = '[' + $Section + ']'
    $found = 0
    while ($found -lt $kept.Count -and (Get-Header $kept[$found] $Syntax) -cne (Get-Plain $header)) { $found++ }
    $first = $found
    $last = $found - 1
    if ($isArray) {
      $at = $found
    } elseif ($found -lt $kept.Count) {
      $header = ''
      $first = $found + 1
      $at = $first
      $last = $found
      while ($last + 1 -lt $kept.Count -and (Get-Header $kept[$last + 1] $Syntax) -ceq '') { $last++ }
    }
  }
  # It stays where it was put before.
  if ($stripped.Place -ge 0 -and ($Section -ceq '' -or $header -cne '')) { $at = $stripped.Place }
  $gone = @{}
  $was = New-Object 'System.Collections.Generic.List[string]'
  $isTaken = $false
  for ($index = $first; $index -le $last; $index++) {
    if ($keys -cnotcontains (Get-Key $kept[$index] $Syntax)) { continue }
    if ($Syntax -ceq 'netrc' -and $kept[$index] -cnotmatch '\spassword\s') { return @{ Text = $null; Replaced = '' } }
    if (-not $isTaken) { $at = $index }
    $isTaken = $true
    while ($true) {
      $gone[$index] = $true
      if ($same -cnotcontains (Get-Squeezed $kept[$index])) { $was.Add($kept[$index]) }
      if ($index -ge $last -or -not (Test-Continues $kept[$index + 1] $Syntax)) { break }
      $index++
    }
  }
  $lines = New-Object 'System.Collections.Generic.List[string]'
  for ($index = 0; $index -le $kept.Count; $index++) {
    if ($index -eq $at) {
      $lines.Add('# sluice begin ' + $Id)
      foreach ($line in $was) { $lines.Add('# sluice was: ' + $line) }
      if ($header -cne '') { $lines.Add($header) }
      foreach ($line in $Ours) { $lines.Add($line) }
      $lines.Add('# sluice end ' + $Id)
    }
    if ($index -lt $kept.Count -and -not $gone.ContainsKey($index)) { $lines.Add($kept[$index]) }
  }
  $replaced = ''
  if ($was.Count -gt 0) { $replaced = Get-Key $was[0] $Syntax }
  return @{ Text = (Join-Lines $lines $Text); Replaced = $replaced }
}
`;
