/** The samples of every registered ecosystem, and the packages that the suite publishes with them. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { daysAgo } from "../fakes/sluice.ts";
import type { EcosystemSample, SampleModule, SamplePackage, SampleRelease } from "./sample.ts";

export interface Sampled {
  readonly ecosystem: Ecosystem;
  readonly sample: EcosystemSample;
}

/** Throws where an ecosystem's folder brings no samples: every one is tested. */
export async function loadSamples(): Promise<readonly Sampled[]> {
  const loaded = await Promise.all(ECOSYSTEMS.map(async (ecosystem) => {
    const { samples } = await import(`../../ecosystems/${ecosystem.id}/sample.ts`) as SampleModule;
    if (!samples?.length) throw new Error(`Cannot test "${ecosystem.id}": its sample.ts exports no samples`);
    return samples.map((sample) => ({ ecosystem, sample }));
  }));
  return loaded.flat();
}

/** Of every package, which release is what; the rules' rows in `policies.ts` go by it. */
export interface Published {
  /** 100, 60, 30 and 2 days old; undated (else old); a pre-release, 50 days old. */
  readonly plain: SamplePackage;
  /** From a trusted publisher, from nobody in particular, yanked, deprecated; of what the protocol has. */
  readonly marked: SamplePackage;
  /** Each with one release that is old and one that is 2 days old. */
  readonly odd: readonly SamplePackage[];
  readonly all: readonly SamplePackage[];
}

export function publishedOf(sample: EcosystemSample): Published {
  const { marks, stable, prerelease, names } = sample;
  const [plainName, markedName, ...oddNames] = names;
  const plain = pack(plainName, [
    { version: stable[0], publishedAt: daysAgo(100) },
    { version: stable[1], publishedAt: daysAgo(60) },
    { version: stable[2], publishedAt: daysAgo(30) },
    { version: stable[3], publishedAt: daysAgo(2) },
    { version: stable[4], publishedAt: marks.undated ? null : daysAgo(90) },
    { version: prerelease, publishedAt: daysAgo(50) },
  ]);
  const trusted = marks.trust ? { trust: "trusted-publisher" } as const : {};
  const marked = pack(markedName, [
    { version: stable[0], publishedAt: daysAgo(70), ...trusted },
    { version: stable[1], publishedAt: daysAgo(65), ...(marks.trust ? { trust: "none" } : {}) },
    { version: stable[2], publishedAt: daysAgo(40), ...trusted, ...(marks.yanked ? { yanked: true } : {}) },
    {
      version: stable[3],
      publishedAt: daysAgo(20),
      ...trusted,
      ...(marks.deprecated ? { deprecated: true } : {}),
    },
  ]);
  const odd = oddNames.map((name) =>
    pack(name, [
      { version: stable[0], publishedAt: daysAgo(100) },
      { version: stable[1], publishedAt: daysAgo(2) },
    ])
  );
  return { plain, marked, odd, all: [plain, marked, ...odd] };
}

function pack(name: string, releases: readonly SampleRelease[]): SamplePackage {
  return { name, releases };
}
