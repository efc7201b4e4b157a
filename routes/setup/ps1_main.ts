/** setup.ps1: asking Sluice and the clients, one home after the other, and where it starts. */
import { script } from "./script_text.ts";

export const PS1_MAIN = script`
function Test-Program([string] $Program) {
  return $null -ne (Get-Command -Name $Program -CommandType Application -ErrorAction SilentlyContinue)
}

# What it prints last; nothing of it is shown, and nothing is fetched for it.
function Invoke-Quietly([string] $Program, [string[]] $Arguments) {
  $path = @(Get-Command -Name $Program -CommandType Application)[0].Source
  $ErrorActionPreference = 'Continue'
  $env:COREPACK_ENABLE_NETWORK = '0'
  $env:PIP_DISABLE_PIP_VERSION_CHECK = '1'
  $env:npm_config_update_notifier = 'false'
  Push-Location -LiteralPath ([IO.Path]::GetTempPath())
  try {
    $said = @(& $path @Arguments 2>$null)
    $code = $LASTEXITCODE
  } finally {
    Pop-Location
  }
  $text = ''
  if ($said.Count -gt 0) { $text = ([string] $said[$said.Count - 1]).Trim() }
  return @{ Text = $text; Code = $code }
}

function Test-Version([string] $Program, [string] $Version) {
  return (Invoke-Quietly $Program @('--version')).Text.StartsWith($Version, [StringComparison]::Ordinal)
}

function Test-Wanted([string] $Client) {
  if ($Wanted.Count -gt 0) { return $Wanted -ccontains $Client }
  return Test-Installed $Client
}

# The status of an answer; 0 if there is none.
function Get-Status([string] $Address) {
  $headers = @{}
  if ($By -ceq 'name') { $headers['Authorization'] = 'Basic ' + $Basic }
  if ($By -ceq 'token') { $headers['Authorization'] = 'Bearer ' + $Token }
  try {
    return [int] (Invoke-WebRequest -UseBasicParsing -Uri $Address -Headers $headers -TimeoutSec 30).StatusCode
  } catch {
    $script:Why = $_.Exception.Message
    $response = $null
    if ($_.Exception.PSObject.Properties['Response']) { $response = $_.Exception.Response }
    if ($null -eq $response) { return 0 }
    return [int] $response.StatusCode
  }
}

function Assert-There {
  $script:Why = ''
  $status = Get-Status ($Site + '/-/health')
  if ($status -ne 200) {
    Stop-With 1 ('Sluice does not answer at ' + $Site + '/-/health (' + $status + ' ' + $Why +
      '): nothing was changed; with -NoVerify it is not asked')
  }
  Say ('Sluice answers at ' + $Site + '/')
}

# Whether whoever this is may read, by a page that needs no package.
function Test-LetIn {
  $status = Get-Status ($Site + '/-/stats')
  if ($status -eq 200 -and $By -ceq 'nobody') { Say 'It lets you in.' }
  elseif ($status -eq 200 -and $By -ceq 'name') { Say ('It lets you in as ' + $Name + '.') }
  elseif ($status -eq 200) { Say 'It knows the token.' }
  elseif ($status -eq 401 -and $By -ceq 'nobody') {
    Say 'It asks for a name or token: with -User or -TokenFile, that is tried too.'
  } else {
    Warn ('Sluice does not let you in (' + $status + '): ' + $Site + '/-/stats says why')
  }
}

# What a client takes for its registry, but for a name in the address.
function Test-Prints([string] $Answer, [string] $Program, [string[]] $Arguments) {
  if (-not (Test-Program $Program)) { return }
  $command = $Program + ' ' + ($Arguments -join ' ')
  $said = (Invoke-Quietly $Program $Arguments).Text -replace '://[^/@]*@', '://'
  if ($said -ceq $Answer) {
    Say ('  ' + $command + ': ' + $said)
  } else {
    Warn ($command + ' says ' + $said + ', and not ' + $Answer + ': another file or the environment says otherwise')
  }
}

# It asks Sluice in its own way.
function Test-Asks([string] $Program, [string[]] $Arguments) {
  if (-not (Test-Program $Program)) { return }
  $command = $Program + ' ' + ($Arguments -join ' ')
  if ((Invoke-Quietly $Program $Arguments).Code -eq 0) {
    Say ('  ' + $command + ': answered')
  } else {
    Warn ($command + ' does not get through')
  }
}

function Test-All {
  Test-LetIn
  foreach ($client in $AllClients) { if (Test-Wanted $client) { Test-Client $client } }
}

function Set-All {
  $found = $false
  foreach ($client in $AllClients) {
    if (-not (Test-Wanted $client)) { continue }
    $found = $true
    Set-Client $client
  }
  if (-not $found) { Say ('None of these is installed: ' + ($AllClients -join ' ')) }
}

function Use-Place([string] $Kind, [string] $Folder) {
  $script:Place = $Kind
  $script:UserHome = $Folder
  $script:State = Join-Path $Folder '.sluice-setup'
  if ($Kind -ceq 'system') { $script:State = Join-Path $env:ProgramData 'sluice-setup' }
  $script:Done = New-Object 'System.Collections.Generic.HashSet[string]'
}

function Invoke-Here {
  switch ($Action) {
    'undo' { Undo-All }
    'configure' { Set-All }
  }
}

# For everybody: what clients read for the whole machine, then each home.
function Invoke-Everybody {
  $me = New-Object Security.Principal.WindowsPrincipal ([Security.Principal.WindowsIdentity]::GetCurrent())
  if (-not $me.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    Stop-With 2 '-AllUsers is for an administrator'
  }
  Say 'For the whole machine'
  Use-Place 'system' $OwnHome
  # A name of one's own is nothing for everybody.
  if ($ByLogin -and $Action -ceq 'configure') { Say '  nothing: each home has its own name' } else { Invoke-Here }
  foreach ($account in @(Get-CimInstance -ClassName Win32_UserProfile | Where-Object { -not $_.Special })) {
    if (-not (Test-Path -LiteralPath $account.LocalPath -PathType Container)) { continue }
    $who = Split-Path -Leaf $account.LocalPath
    Say ''
    Say ('For ' + $who)
    if ($ByLogin -and $who -cnotmatch $NamePattern) {
      Warn ('cannot write the name ' + $who + ' into files: nothing was changed for them')
      continue
    }
    if ($ByLogin -and $Action -ceq 'configure') { Set-Caller $who }
    Use-Place 'home' $account.LocalPath
    Invoke-Here
  }
}

[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
$OwnHome = [string] $env:USERPROFILE
if ($OwnHome -ceq '') { Stop-With 2 ('there is no USERPROFILE: for macOS and Linux there is ' + $Site + '/-/setup.sh') }
$given = $User
if ($ByLogin -and $given -ceq '') { $given = [string] $env:USERNAME }
Set-Caller $given
Use-Place 'home' $OwnHome
if ($Action -ceq 'verify' -or ($Action -ceq 'configure' -and -not $NoVerify)) { Assert-There }
if ($Action -cne 'verify') {
  if ($AllUsers) { Invoke-Everybody } else { Invoke-Here }
}
Use-Place 'home' $OwnHome
if ($ByLogin) { Set-Caller ([string] $env:USERNAME) }
if ($Action -ceq 'verify' -or ($Action -ceq 'configure' -and -not $NoVerify -and -not $DryRun)) { Test-All }
exit $Result
`;
