/** setup.ps1: which file it is, the copy that is kept of it, and how it comes back. */
import { script } from "./script_text.ts";

export const PS1_FILES = script`
$Utf8 = New-Object System.Text.UTF8Encoding $false

function Join-Path-Below([string] $Folder, [string] $Below) {
  return [IO.Path]::Combine($Folder, $Below.Replace('/', [string] [IO.Path]::DirectorySeparatorChar))
}

# The file that the next lines are for: below the home, or, where $Place is system, the one for everybody.
function Use-File([string] $Path, [string] $Older = '', [string] $Moved = '', [string] $System = '') {
  $script:File = ''
  if ($Place -ceq 'system') {
    if ($System -cne '') { $script:File = Join-Path-Below $env:ProgramData $System }
    return
  }
  $script:File = Get-Moved $Path $Moved
  if ($Older -cne '' -and (Test-Path -LiteralPath (Get-Moved $Older $Moved))) { $script:File = Get-Moved $Older $Moved }
}

function Get-Moved([string] $Path, [string] $Moved) {
  $variable, $prefix = $Moved -split ':', 2
  $where = ''
  # The environment is that of whoever runs this, and nobody else's.
  if ($Moved -cne '' -and $UserHome -ceq $OwnHome) { $where = [string] [Environment]::GetEnvironmentVariable($variable) }
  if ($where -ceq '') { return Join-Path-Below $UserHome $Path }
  if ($prefix -ceq '') { return Join-Path-Below $where $Path }
  return $where + $Path.Substring($prefix.Length).Replace('/', [string] [IO.Path]::DirectorySeparatorChar)
}

# For everybody, the file is the one that this prints.
function Use-PrintedFile([string] $Program, [string[]] $Arguments) {
  if ($Place -cne 'system' -or -not (Test-Program $Program)) { return }
  $printed = (Invoke-Quietly $Program $Arguments).Text
  if ([IO.Path]::IsPathRooted($printed)) { $script:File = $printed }
}

# Into $File, in place of what set the same. -Secret: it holds who somebody is, and goes into nobody's file but theirs.
function Set-Lines([string] $Syntax, [string] $Id, [string] $Section, [string[]] $Ours, [switch] $Secret) {
  if ($File -ceq '' -or ($Secret -and $Place -ceq 'system')) { return }
  $shown = Get-Shown $File
  $mark = $Id + ' ' + $File
  if ($Done.Contains($mark)) {
    Say ('  ' + $shown + ': as above')
    return
  }
  [void] $Done.Add($mark)
  $old = ''
  $isThere = Test-Path -LiteralPath $File -PathType Leaf
  try {
    if ($isThere) { $old = [IO.File]::ReadAllText($File) }
    $edited = Edit-Text $old $Syntax $Id $Section $Ours
    if ($null -eq $edited.Text) {
      Warn ($shown + ' sets this in a form that is not changed here: put in yourself: ' + (Get-Masked ($Ours -join ' ')))
      return
    }
    if ($isThere -and $edited.Text -ceq $old) {
      Say ('  ' + $shown + ': is so already')
      return
    }
    if ($DryRun) {
      Say ('  ' + $shown + ': would get')
    } else {
      Write-Kept $File $edited.Text
      Say ('  ' + $shown + ': now has')
    }
  } catch {
    Warn ('cannot change ' + $shown + ': ' + $_.Exception.Message)
    return
  }
  if ($Section -cne '') { Say ('    [' + $Section + ']') }
  foreach ($line in $Ours) { Say ('    ' + (Get-Masked $line)) }
  if ($edited.Replaced -cne '') { Say ('    in place of another ' + $edited.Replaced) }
}

# What leads past Sluice all the same stays, and is said. Of [[tables]] one is ours.
function Show-Past([string[]] $Keys) {
  if ($File -ceq '' -or -not (Test-Path -LiteralPath $File -PathType Leaf)) { return }
  $lines = Split-Lines ([IO.File]::ReadAllText($File))
  foreach ($key in $Keys) {
    $allowed = 0
    if ($key.StartsWith('[')) { $allowed = 1 }
    $found = @($lines | Where-Object { $_.Trim() -ceq $key -or (Get-Key $_ 'ini') -ceq $key })
    if ($found.Count -gt $allowed) {
      Say ('  ' + (Get-Shown $File) + ': beware: another ' + $key + ' of it is asked beside Sluice, and stays')
    }
  }
}

function Get-Shown([string] $Path) {
  if ($Path.StartsWith($UserHome + [IO.Path]::DirectorySeparatorChar, [StringComparison]::OrdinalIgnoreCase)) {
    return '~' + $Path.Substring($UserHome.Length)
  }
  return $Path
}

# A token is never printed.
function Get-Masked([string] $Text) {
  if ($Token -ceq '') { return $Text }
  return $Text.Replace($Token, '****')
}

# A copy comes first. Through a link in somebody else's home nothing is written.
function Write-Kept([string] $Path, [string] $Text) {
  if ($UserHome -cne $OwnHome -or $Place -ceq 'system') { Assert-NoLink $Path }
  $entry = New-Entry 'file' $Path
  if (-not (Test-Path -LiteralPath (Join-Path $entry 'sum'))) {
    if (Test-Path -LiteralPath $Path) { [IO.File]::Copy($Path, (Join-Path $entry 'copy')) }
  } elseif (-not (Test-Path -LiteralPath $Path) -or (Get-Sum $Path) -cne [IO.File]::ReadAllText((Join-Path $entry 'sum'))) {
    [IO.File]::WriteAllText((Join-Path $entry 'changed'), '')
  }
  New-Folder ([IO.Path]::GetDirectoryName($Path))
  [IO.File]::WriteAllText($Path, $Text, $Utf8)
  [IO.File]::WriteAllText((Join-Path $entry 'sum'), (Get-Sum $Path))
}

function Assert-NoLink([string] $Path) {
  $each = $Path
  while ($each) {
    if (Test-Path -LiteralPath $each) {
      $attributes = (Get-Item -LiteralPath $each -Force).Attributes
      if (($attributes -band [IO.FileAttributes]::ReparsePoint) -ne 0) { throw ($each + ' is a link') }
    }
    $each = [IO.Path]::GetDirectoryName($each)
  }
}

# The folder of notes on one file or variable: the one that is there, or a new one.
function New-Entry([string] $Kind, [string] $What) {
  $entry = Find-Entry $Kind $What
  if ($null -ne $entry) { return $entry }
  if (-not (Test-Path -LiteralPath $State)) { [void] [IO.Directory]::CreateDirectory($State) }
  $number = 1
  while (Test-Path -LiteralPath (Join-Path $State ([string] $number))) { $number++ }
  $entry = Join-Path $State ([string] $number)
  [void] [IO.Directory]::CreateDirectory($entry)
  [IO.File]::WriteAllText((Join-Path $entry $Kind), $What, $Utf8)
  return $entry
}

function Find-Entry([string] $Kind, [string] $What) {
  foreach ($entry in (Get-Entries)) {
    $note = Join-Path $entry $Kind
    if ((Test-Path -LiteralPath $note) -and [IO.File]::ReadAllText($note) -ceq $What) { return $entry }
  }
  return $null
}

function Get-Entries {
  if (-not (Test-Path -LiteralPath $State)) { return @() }
  return @(Get-ChildItem -LiteralPath $State -Directory -Force | ForEach-Object { $_.FullName })
}

function New-Folder([string] $Folder) {
  if (Test-Path -LiteralPath $Folder -PathType Container) { return }
  New-Folder ([IO.Path]::GetDirectoryName($Folder))
  [void] [IO.Directory]::CreateDirectory($Folder)
  [IO.File]::AppendAllText((Join-Path $State 'folders'), $Folder + [char] 10, $Utf8)
}

function Get-Sum([string] $Path) {
  $sha = [Security.Cryptography.SHA256]::Create()
  try { return [BitConverter]::ToString($sha.ComputeHash([IO.File]::ReadAllBytes($Path))) } finally { $sha.Dispose() }
}

# For every program, from its next start: of this user, or of the machine.
function Set-EnvironmentVariable([string] $Variable, [string] $Value) {
  if ($Place -cne 'system' -and $UserHome -cne $OwnHome) {
    Say ('  ' + $Variable + ' of the environment: is set when they run this themselves')
    return
  }
  $target = 'User'
  if ($Place -ceq 'system') { $target = 'Machine' }
  $old = [Environment]::GetEnvironmentVariable($Variable, $target)
  if ($old -ceq $Value) {
    Say ('  ' + $Variable + ' of the environment: is so already')
    return
  }
  $verb = 'would be'
  if (-not $DryRun) {
    try {
      $entry = New-Entry 'variable' $Variable
      $isNew = -not (Test-Path -LiteralPath (Join-Path $entry 'sum'))
      if ($isNew -and $null -ne $old) { [IO.File]::WriteAllText((Join-Path $entry 'copy'), $old, $Utf8) }
      [Environment]::SetEnvironmentVariable($Variable, $Value, $target)
      [IO.File]::WriteAllText((Join-Path $entry 'sum'), $Value, $Utf8)
      $verb = 'now is'
    } catch {
      Warn ('cannot set ' + $Variable + ' of the environment: ' + $_.Exception.Message)
      return
    }
  }
  Say ('  ' + $Variable + ' of the environment ' + $verb)
  Say ('    ' + $Value)
  if ($null -ne $old) { Say '    in place of another' }
}
`;
