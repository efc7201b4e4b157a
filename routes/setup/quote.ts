/** Text as a literal of a shell. WARNING: what comes from configuration goes into scripts through these alone. */

/** POSIX sh: nothing between single quotes means anything. Throws TypeError for what no line of a script can hold. */
export function quoteSh(text: string): string {
  return `'${oneLine(text).replaceAll("'", `'\\''`)}'`;
}

/** PowerShell: as sh, with a doubled quote; it takes the typographic quotes for the same. */
export function quotePowerShell(text: string): string {
  return `'${oneLine(text).replaceAll(/['\u2018-\u201b]/g, "$&$&")}'`;
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f\u0085\u2028\u2029]/;

function oneLine(text: string): string {
  if (CONTROL.test(text)) {
    throw new TypeError(`Cannot write ${JSON.stringify(text)} into a script: not one line`);
  }
  return text;
}
