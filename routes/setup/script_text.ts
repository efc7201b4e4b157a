/** Text of a script as it stands: backslashes are kept, and `\${` is the shell's own `${`. Takes no values. */
export function script(text: TemplateStringsArray): string {
  return text.raw.join("").replaceAll("\\${", "${").replace(/^\n/, "");
}
