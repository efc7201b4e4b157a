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
  readonly files: readonly {
    readonly name: string;
    readonly cached: { readonly sizeBytes: number; readonly digest: string } | null;
  }[];
}

export interface Package extends Row {
  readonly newestAllowed: string | null;
  readonly firstSeenAt: string | null;
  readonly checkedAt: string;
  readonly releases: readonly Release[];
  readonly usedBy:
    | readonly {
      readonly user: string | null;
      readonly versions: readonly string[];
      readonly installs: number;
      readonly last: string;
    }[]
    | null;
  readonly next: string | null;
}

export interface Frozen {
  readonly purl: string;
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
