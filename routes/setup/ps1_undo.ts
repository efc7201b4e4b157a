/** setup.ps1: how everything comes back. */
import { script } from "./script_text.ts";

export const PS1_UNDO = script`
function Undo-All {
  if (-not (Test-Path -LiteralPath $State)) {
    Say ('There is nothing to undo: ' + (Get-Shown $State) + ' is not there.')
    return
  }
  foreach ($entry in @(Get-Entries)) {
    try {
      if (Test-Path -LiteralPath (Join-Path $entry 'variable')) { Undo-Variable $entry } else { Undo-File $entry }
    } catch {
      Warn ('cannot put back what ' + $entry + ' is a copy of: ' + $_.Exception.Message)
    }
  }
  if ($DryRun) { return }
  $folders = Join-Path $State 'folders'
  if (Test-Path -LiteralPath $folders) {
    $made = Split-Lines ([IO.File]::ReadAllText($folders))
    foreach ($folder in @($made | Sort-Object -Descending)) {
      # Empty ones only.
      try { [IO.Directory]::Delete($folder) } catch { continue }
    }
  }
  if (@(Get-Entries).Count -gt 0) {
    Say ('What could not be put back is kept in ' + (Get-Shown $State) + '.')
    return
  }
  [IO.Directory]::Delete($State, $true)
}

# A file that nobody touched since is put back to the byte; of one that somebody changed, our lines alone go.
function Undo-File([string] $Entry) {
  $path = [IO.File]::ReadAllText((Join-Path $Entry 'file'))
  $copy = Join-Path $Entry 'copy'
  $hasCopy = Test-Path -LiteralPath $copy
  $shown = Get-Shown $path
  if ($UserHome -cne $OwnHome -or $Place -ceq 'system') { Assert-NoLink $path }
  if (-not (Test-Path -LiteralPath $path)) {
    if ($hasCopy) { Warn ($shown + ' was removed since: its copy was ' + (Get-Shown $copy)) }
    elseif (-not $DryRun) { [IO.Directory]::Delete($Entry, $true) }
    return
  }
  $isChanged = (Test-Path -LiteralPath (Join-Path $Entry 'changed')) -or
    ((Get-Sum $path) -cne [IO.File]::ReadAllText((Join-Path $Entry 'sum')))
  if ($isChanged) {
    Undo-Changed $Entry $path $hasCopy
    return
  }
  if ($DryRun) {
    if ($hasCopy) { Say ($shown + ': comes back') } else { Say ($shown + ': goes') }
    return
  }
  if ($hasCopy) { [IO.File]::Copy($copy, $path, $true) } else { [IO.File]::Delete($path) }
  [IO.Directory]::Delete($Entry, $true)
  if ($hasCopy) { Say ($shown + ': is as it was') } else { Say ($shown + ': is gone: it was made by this script') }
}

function Undo-Changed([string] $Entry, [string] $Path, [bool] $HasCopy) {
  $shown = Get-Shown $Path
  $old = [IO.File]::ReadAllText($Path)
  $text = Join-Lines (Remove-Block (Split-Lines $old) '').Lines $old
  if ($text -ceq $old) {
    Warn ($shown + ' was changed since, and the marks around our lines are gone: it stays as it is')
    if ($HasCopy) { Say ('  before this script it was ' + (Get-Shown (Join-Path $Entry 'copy'))) }
    return
  }
  if ($DryRun) {
    Say ($shown + ': was changed since; our lines would go, the rest stays')
    return
  }
  if ($text -ceq '' -and -not $HasCopy) { [IO.File]::Delete($Path) } else { [IO.File]::WriteAllText($Path, $text, $Utf8) }
  [IO.Directory]::Delete($Entry, $true)
  Say ($shown + ': was changed since; our lines are gone, the rest stays')
}

function Undo-Variable([string] $Entry) {
  $variable = [IO.File]::ReadAllText((Join-Path $Entry 'variable'))
  $target = 'User'
  if ($Place -ceq 'system') { $target = 'Machine' }
  if ([Environment]::GetEnvironmentVariable($variable, $target) -cne [IO.File]::ReadAllText((Join-Path $Entry 'sum'))) {
    Warn ($variable + ' of the environment was changed since: it stays as it is')
    return
  }
  if ($DryRun) {
    Say ($variable + ' of the environment: comes back')
    return
  }
  $old = $null
  if (Test-Path -LiteralPath (Join-Path $Entry 'copy')) { $old = [IO.File]::ReadAllText((Join-Path $Entry 'copy')) }
  [Environment]::SetEnvironmentVariable($variable, $old, $target)
  [IO.Directory]::Delete($Entry, $true)
  Say ($variable + ' of the environment: is as it was')
}
`;
