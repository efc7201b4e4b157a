/** setup.ps1: what it is told. */
import { script } from "./script_text.ts";

export const PS1_USAGE = script`
# What it does: sets the registry of every package manager that is installed, in the files that they read; says what
# it changes; keeps a copy of each file first; and asks Sluice whether all is well. What is so already stays, so it
# can be run as often as you like. It needs Windows PowerShell 5.1 or PowerShell 7.
#
#   powershell -ExecutionPolicy Bypass -File setup.ps1            set up what is installed, for whoever runs it
#   powershell -ExecutionPolicy Bypass -File setup.ps1 -DryRun    say what that would change, and change nothing
#   powershell -ExecutionPolicy Bypass -File setup.ps1 -Verify    ask Sluice and the clients, and change nothing
#   powershell -ExecutionPolicy Bypass -File setup.ps1 -Undo      put every file back as it was
#
#   -User NAME          the name that Sluice's log is to show
#   -LoginName          for that, the name that you are logged in with
#   -TokenFile FILE     the token in that file (- is standard input); or SLUICE_TOKEN in the environment
#   -Clients npm,pip    these only, whether they are installed or not
#   -AllUsers           for everybody on this machine, and those to come; as an administrator
#   -NoVerify           do not ask Sluice, neither before nor after
#
# It ends with 0 if all is well, 1 if something is not, 2 if it was called wrongly.
# Copies and notes for -Undo are in .sluice-setup of the home (for everybody: in %ProgramData%).

[CmdletBinding()]
param(
  [string] $User = '',
  [switch] $LoginName,
  [string] $TokenFile = '',
  [string[]] $Clients = @(),
  [switch] $AllUsers,
  [switch] $DryRun,
  [switch] $Undo,
  [switch] $Verify,
  [switch] $NoVerify
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
`;

export const PS1_ARGUMENTS = script`
$Result = 0

function Say([string] $Text) { Write-Host $Text }

# Says it, and goes on: the end is 1.
function Warn([string] $Text) {
  [Console]::Error.WriteLine('setup.ps1: ' + $Text)
  $script:Result = 1
}

function Stop-With([int] $Code, [string] $Text) {
  [Console]::Error.WriteLine('setup.ps1: ' + $Text)
  exit $Code
}

# -File gives a list as one text with commas.
$Wanted = @()
foreach ($each in $Clients) { $Wanted += @($each -split ',' | Where-Object { $_ -ne '' }) }
foreach ($each in $Wanted) {
  if ($AllClients -cnotcontains $each) {
    Stop-With 2 ('there is no client ' + $each + ': they are ' + ($AllClients -join ' '))
  }
}

# Not an argument: those can be looked at by others.
$Token = ''
if ($env:SLUICE_TOKEN) { $Token = [string] $env:SLUICE_TOKEN }
$env:SLUICE_TOKEN = $null
if ($TokenFile -ceq '-') {
  $Token = [Console]::In.ReadToEnd().Trim()
} elseif ($TokenFile -cne '') {
  if (-not (Test-Path -LiteralPath $TokenFile -PathType Leaf)) {
    Stop-With 2 ('cannot read the token in ' + $TokenFile)
  }
  $Token = [IO.File]::ReadAllText((Resolve-Path -LiteralPath $TokenFile).ProviderPath).Trim()
}
if ($TokenFile -cne '' -and $Token -ceq '') { Stop-With 2 'the token is empty' }
if ($Token -cnotmatch '\A[A-Za-z0-9._~+/=-]*\z') {
  Stop-With 2 'that is no token: it has characters that no token has'
}

$Action = 'configure'
if ($Verify) { $Action = 'verify' }
if ($Undo) { $Action = 'undo' }
$ByLogin = [bool] $LoginName
if ($User -ceq '' -and $Token -ceq '' -and $Callers -ceq 'named' -and $Action -ceq 'configure') { $ByLogin = $true }

$NamePattern = '\A[A-Za-z0-9][A-Za-z0-9._@+-]*\z'

# $By is nobody, name or token; the others are what the lines below are filled in with.
function Set-Caller([string] $Given) {
  if ($Given -cne '' -and $Given -cnotmatch $NamePattern) {
    Stop-With 2 ('cannot write the name ' + $Given + ' into files: use letters, digits and . _ @ + -')
  }
  $script:Name = $Given
  $script:By = 'nobody'
  if ($Given -cne '') { $script:By = 'name' }
  if ($Token -cne '') {
    $script:By = 'token'
    if ($Given -ceq '') { $script:Name = 'sluice' }
  } elseif ($Callers -ceq 'token' -and $Action -ceq 'configure') {
    Stop-With 2 ('organisation ' + $Organisation + ' lets in callers with a token only: -TokenFile FILE, or SLUICE_TOKEN')
  }
  $script:NameInAddress = [Uri]::EscapeDataString($script:Name)
  $script:Basic = [Convert]::ToBase64String([Text.Encoding]::ASCII.GetBytes($script:Name + ':'))
}
`;
