/** What the API answers of packages, as far as the pages show it; and where a package's page is. */
import type { CallProblem, PageContext } from "../page.ts";

export interface Row {
  readonly ecosystem: string;
  readonly package: string;
  readonly purl: string;
  readonly description: string | null;
}

export interface Release {
  readonly version: string;
  readonly purl: string;
  readonly publishedAt: string | null;
  readonly firstSeenAt: string | null;
  readonly publisher: string | null;
  readonly verdict: "allow" | "warn" | "hold" | "deny";
  readonly rule: string | null;
  readonly reason: string | null;
  readonly maturesAt: string | null;
  readonly waivers: readonly {
    readonly id: string;
    readonly until: string;
    readonly endsMature: boolean;
    readonly owner: string;
    readonly reason: string;
    readonly lifts: readonly { readonly rule: string; readonly reason: string }[];
  }[];
  readonly files: readonly {
    readonly name: string;
    readonly digests: readonly string[];
    readonly cached: { readonly sizeBytes: number; readonly digest: string; readonly since: string } | null;
  }[];
}

export interface Package extends Row {
  readonly newestAllowed: string | null;
  readonly firstSeenAt: string | null;
  /** null: nothing is cached of it. */
  readonly checkedAt: string | null;
  readonly releases: readonly Release[];
  readonly usedBy:
    | readonly {
      readonly user: string | null;
      readonly versions: readonly string[];
      readonly installs: number;
      readonly last: string;
    }[]
    | null;
  readonly entries: readonly Entry[] | null;
  readonly frozen: Frozen | null;
  readonly next: string | null;
}

/** What somebody wrote of it into the policy's lists or the floor. */
export interface Entry {
  readonly id: string;
  readonly effect: "allow" | "deny";
  readonly package: string;
  readonly version: string | null;
  readonly range: string | null;
  readonly reason: string | null;
  readonly owner: string | null;
  readonly until: string | null;
  readonly isFloor: boolean;
}

export interface Frozen {
  readonly at: string;
  readonly reason: string | null;
  readonly owner: string | null;
  readonly until: string | null;
}

export interface Came {
  readonly form: URLSearchParams;
  readonly problem: CallProblem;
}

/** Among these pages, by its parts: a purl's own escapes are taken off once. */
export function packageAddress(context: PageContext, purl: string): string {
  return context.path(["packages", ...purl.split("/").map(decodeURIComponent)]);
}
