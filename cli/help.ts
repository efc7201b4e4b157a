/** `--help`, `--version`, and the example of the README: all from the one table of settings. */
import { describeSettings, type Setting, upstreamNames } from "./settings.ts";
import { VERSION } from "./version.ts";

/** What to print instead of starting; null: start. */
export function informational(args: readonly string[], ecosystems: readonly string[]): string | null {
  if (args.includes("--help") || args.includes("-h")) return helpText(ecosystems);
  return args.includes("--version") ? `sluice ${VERSION}\n` : null;
}

/** All settings under all their names. */
export function helpText(ecosystems: readonly string[]): string {
  const lines = describeSettings().flatMap((setting) => [
    `  ${[setting.flag && `${setting.flag} ${setting.placeholder}`, setting.env].filter(Boolean).join(", ")}`,
    `      ${setting.meaning}${defaultText(setting)}`,
  ]);
  const upstreams = ecosystems.flatMap((ecosystem) => {
    const { flag, env, token, allowedHosts } = upstreamNames(ecosystem);
    return [
      `  ${flag} URL, ${env}`,
      `      The root of ${ecosystem}'s registry. ${token} (or _FILE): a bearer token for it;`,
      `      ${allowedHosts}: further hosts that its documents may link to.`,
    ];
  });
  return [
    `sluice ${VERSION}: a policy-enforcing caching proxy for package registries`,
    "",
    "Usage: deno task start [flags]",
    "",
    "Flags count over the environment, the environment over the file. Secrets may be given as a file: NAME_FILE.",
    "",
    "  --config PATH, SLUICE_CONFIG",
    "      A YAML or JSON file with the same settings (metadataTtl for --metadata-ttl) and `upstreams`.",
    ...lines,
    ...upstreams,
    "  --help, --version",
    "",
  ].join("\n");
}

function defaultText({ default: value, defaultNote, secret }: Setting): string {
  if (secret === true) return "";
  if (value === null) return defaultNote === undefined ? "" : ` Default: ${defaultNote}.`;
  return ` Default: ${value}${defaultNote === undefined ? "" : ` (or ${defaultNote})`}.`;
}

/** The settings as a table in Markdown; the README shows it, and a test keeps the two the same. */
export function settingsTable(ecosystems: readonly string[]): string {
  const rows = describeSettings().map((setting) => {
    const { key, flag, env, secret, meaning } = setting;
    const variable = env === null ? "" : `\`${env}\`${secret === true ? " (or `_FILE`)" : ""}`;
    const value = setting.default === null ? setting.defaultNote ?? "" : `\`${setting.default}\``;
    return [flag === null ? "" : `\`${flag}\``, variable, `\`${key}\``, value, meaning];
  });
  const upstreams = ecosystems.flatMap((ecosystem) => {
    const { flag, env, token, allowedHosts } = upstreamNames(ecosystem);
    return [
      [`\`${flag}\``, `\`${env}\``, "", "", `The root of ${ecosystem}'s registry.`],
      ["", `\`${token}\` (or \`_FILE\`)`, "", "", "A bearer token for it."],
      ["", `\`${allowedHosts}\``, "", "", "Further hosts that its documents may link to."],
    ];
  });
  const config = ["`--config`", "`SLUICE_CONFIG`", "", "", "The file, YAML or JSON."];
  return [["flag", "environment", "in the file", "default", "meaning"], ["---", "---", "---", "---", "---"]]
    .concat([config], rows, upstreams)
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`)
    .join("");
}

/** A configuration file that says what holds without one; the README shows it. */
export function exampleConfig(): string {
  return describeSettings()
    .filter((setting) => setting.default !== null)
    .map((setting) => `${setting.key}: ${setting.default} # ${setting.meaning}\n`)
    .join("");
}
