/** Policies, and which of the published releases each withholds. */
import type { Sampled } from "./samples.ts";
import { type Published, publishedOf } from "./samples.ts";

export interface PolicyRow {
  /** Also the organisation's id. */
  readonly id: string;
  readonly policy: Readonly<Record<string, unknown>>;
  /** `name version` of what is withheld. */
  readonly withheld: ReadonlySet<string>;
  /** Rows that show all that this one shows. */
  readonly within: readonly string[];
  /** Asked for in more ways, and of the packages with odd names too. */
  readonly isThorough: boolean;
}

export function policyRows(sampled: Sampled): readonly PolicyRow[] {
  const { ecosystem, sample } = sampled;
  const published = publishedOf(sample);
  const { plain, marked, odd } = published;
  const { stable, prerelease, marks } = sample;
  const all = releasesOf(published);
  const plainIs = (...versions: readonly string[]) => versions.map((version) => `${plain.name} ${version}`);
  const young = [...plainIs(stable[3]), ...odd.map(({ name }) => `${name} ${stable[1]}`)];
  const undated = marks.undated ? plainIs(stable[4]) : [];
  const downgraded = marks.trust ? [`${marked.name} ${stable[1]}`] : [];
  const yanked = marks.yanked ? [`${marked.name} ${stable[2]}`] : [];
  const deprecated = marks.deprecated ? [`${marked.name} ${stable[3]}`] : [];
  const usual = [...young, ...downgraded, ...yanked];
  const between = `>=${encodeURIComponent(stable[1])}|<${encodeURIComponent(stable[2])}`;
  const row = (
    id: string,
    policy: PolicyRow["policy"],
    withheld: readonly string[],
    within: readonly string[] = ["usual"],
  ): PolicyRow => ({
    id,
    policy,
    withheld: new Set(withheld),
    within: [...within, "observing"],
    isThorough: id === "usual" || id === "ranged" || id === "observing",
  });
  return [
    row("usual", {}, usual, ["young", "lenient"]),
    row("exact", { block: [`${ecosystem.id}/${plain.name}==${stable[0]}`] }, [
      ...usual,
      ...plainIs(stable[0]),
    ]),
    row("globbed", { block: [`${ecosystem.id}/${plain.name.slice(0, -2)}*`] }, [
      ...usual,
      ...all.filter((release) => release.startsWith(plain.name)),
    ], ["usual", "exact", "ranged"]),
    row("ranged", rangedPolicy(sampled, between), [
      ...usual,
      ...plainIs(stable[1]),
    ]),
    row("young", { minimumAge: "0s" }, [...downgraded, ...yanked], []),
    row("older", { minimumAge: "55d" }, [
      ...usual,
      ...plainIs(stable[2], prerelease),
      `${marked.name} ${stable[2]}`,
      `${marked.name} ${stable[3]}`,
    ]),
    row("strict", { unknownAge: "strict" }, [...usual, ...undated], ["usual", "undated"]),
    row("undated", { unknownAge: "deny" }, [...usual, ...undated], ["usual", "strict"]),
    row("lenient", { yanked: "allow", publisherDowngrade: "allow" }, young, []),
    row("advised", { deprecated: "deny" }, [...usual, ...deprecated]),
    row(
      "allowing",
      { block: [`${ecosystem.id}/*`], allow: [`${ecosystem.id}/${plain.name}==${stable[3]}`] },
      [
        ...all.filter((release) => release !== plainIs(stable[3])[0]),
      ],
      [],
    ),
    row("observing", { enforcement: "observe", block: [`${ecosystem.id}/*`] }, [], []),
  ];
}

/** Bounds in an order that no ecosystem has: such a policy cannot be resolved. */
export function unreadablePolicy({ sample, ...rest }: Sampled): PolicyRow["policy"] {
  const [older, newer] = sample.stable;
  return rangedPolicy({ sample, ...rest }, `>=${encodeURIComponent(newer)}|<${encodeURIComponent(older)}`);
}

/** A denial of a range of the plain package's versions. */
export function rangedPolicy({ ecosystem, sample }: Sampled, constraints: string): PolicyRow["policy"] {
  const purl = `pkg:${ecosystem.purlType}/${sample.names[0]}`;
  return { overrides: [{ effect: "deny", purl, range: `vers:${ecosystem.purlType}/${constraints}` }] };
}

export function releasesOf({ all }: Published): readonly string[] {
  return all.flatMap(({ name, releases }) => releases.map(({ version }) => `${name} ${version}`));
}
