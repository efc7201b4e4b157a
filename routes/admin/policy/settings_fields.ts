/** Every setting of a policy in words: what it means, what holds without it, what each choice does. */
import type { Option } from "../ui.tsx";

export interface SettingField {
  /** Within the settings: `publisherDowngrade.window`. */
  readonly key: string;
  readonly label: string;
  readonly kind: "choice" | "duration" | "rules";
  readonly meaning: string;
  /** As it would be written. */
  readonly fallback: string;
  /** Of a choice; each says what it does. */
  readonly options: readonly Option[];
}

function choice(
  key: string,
  label: string,
  words: {
    readonly meaning: string;
    readonly fallback: string;
    readonly options: Readonly<Record<string, string>>;
  },
): SettingField {
  const options = Object.entries(words.options).map(([value, does]) => ({ value, label: does }));
  return { key, label, kind: "choice", meaning: words.meaning, fallback: words.fallback, options };
}

function duration(key: string, label: string, meaning: string, fallback: string): SettingField {
  return { key, label, kind: "duration", meaning, fallback, options: [] };
}

const SEVERITIES = {
  deny: "deny: it is refused",
  warn: "warn: it is let through with a warning",
  allow: "allow: it is let through",
} as const;

/** What can be set for the organisation and again for one ecosystem. */
export const RULE_FIELDS: readonly SettingField[] = [
  choice("enforcement", "Enforcement", {
    meaning: "Whether the rules hold.",
    fallback: "enforce",
    options: {
      enforce: "enforce: what a rule speaks against is refused",
      observe: "observe: all but the floor is let through, and the log says what would have happened",
    },
  }),
  {
    key: "observe",
    label: "Rules that only observe",
    kind: "rules",
    meaning: "What they find is shown in indexes, pages and the log, and does not count.",
    fallback: "none",
    options: [
      { value: "minimumAge", label: "minimumAge" },
      { value: "unknownAge", label: "unknownAge" },
      { value: "yanked", label: "yanked" },
      { value: "deprecated", label: "deprecated" },
      { value: "publisherDowngrade", label: "publisherDowngrade" },
    ],
  },
  duration(
    "minimumAge",
    "Minimum age",
    "A younger release is held: it is not offered, and its file is refused, until it is that old.",
    "10d",
  ),
  choice("unknownAge", "Unknown age", {
    meaning: "What happens to a release that nothing dates.",
    fallback: "first-seen",
    options: {
      "first-seen": "first-seen: it counts from its appearance; what was there before passes with a warning",
      strict: "strict: all of them count from first sight",
      deny: "deny: it is refused",
      allow: "allow: it is let through",
    },
  }),
  choice("yanked", "Yanked", {
    meaning: "What its publisher or the registry withdrew.",
    fallback: "deny",
    options: SEVERITIES,
  }),
  choice("deprecated", "Deprecated", {
    meaning: "What its publisher advises against.",
    fallback: "allow",
    options: SEVERITIES,
  }),
  choice("publisherDowngrade.verdict", "Publisher downgrade", {
    meaning:
      "A release published with less than an earlier one of its major version had (a trusted publisher, " +
      "then provenance, then neither): what a stolen token looks like.",
    fallback: "deny",
    options: SEVERITIES,
  }),
  duration(
    "publisherDowngrade.window",
    "Publisher downgrade: window",
    "How far back a release is compared with earlier ones.",
    "180d",
  ),
  choice("auditFixes.enabled", "Audit fixes", {
    meaning:
      "When a caller with a name runs an audit, the lowest release that mends an advisory may be younger " +
      "than the minimum age.",
    fallback: "true",
    options: { true: "on: such a fix is let through early", false: "off: a fix is as old as all else" },
  }),
  duration(
    "auditFixes.minimumAge",
    "Audit fixes: minimum age",
    "How old such a fix has to be all the same.",
    "24h",
  ),
  choice("artifacts", "Artifacts", {
    meaning: "Where files come from.",
    fallback: "proxy",
    options: {
      proxy: "proxy: through Sluice, which keeps and logs them",
      upstream: "upstream: links stay as they are, a file asked for here is decided and redirected",
    },
  }),
];

/** What there is for the organisation alone. */
export const ORGANISATION_FIELDS: readonly SettingField[] = [
  choice("callers", "Callers", {
    meaning: "Who is answered. Only a token keeps a caller from naming a laxer organisation.",
    fallback: "anyone",
    options: {
      anyone: "anyone: everybody is answered",
      named: "named: whoever gives no name is told 401",
      token: "token: whoever has no token is told 401",
    },
  }),
  choice("closed", "Closed", {
    meaning: "Whether the organisation answers at all.",
    fallback: "false",
    options: { false: "open: callers are answered", true: "closed: nobody is answered" },
  }),
  duration(
    "retention",
    "Retention",
    "How long the install log is kept; older records are deleted, and with them who had what.",
    "400d",
  ),
];
