/** What prefetch is asked for and answers. */
import type { Decisions, PackageFacts } from "../../policy/types.ts";
import type { OrganisationView } from "../../storage/organisations.ts";
import type { LockedFile } from "../_shared/lockfiles/types.ts";
import type { Ecosystem } from "../ecosystem.ts";

/** One release that is wanted. */
export interface Wish {
  readonly ecosystem: Ecosystem;
  /** Canonical. */
  readonly name: string;
  /** `newest`: the newest that is let through; `index`: no file, only what is known of the package. */
  readonly versions:
    | { readonly exact: string }
    | "newest"
    | "index"
    | ((facts: PackageFacts, decisions: Decisions) => readonly string[]);
  /** null: all of the release's. */
  readonly files: readonly LockedFile[] | null;
  /** All of the release's, beside those. */
  readonly isWhole?: boolean;
  /** Where it stands in what it was read from. */
  readonly where: string;
}

export interface PrefetchOptions {
  readonly organisation: OrganisationView;
  /** What precedes `/-/…`, for links in sentences. */
  readonly site: string;
  /** Whose questions for what does not exist are counted. */
  readonly asker: string;
  /** Indexes are fetched, since nothing can be decided without them; files are not. */
  readonly isDryRun: boolean;
  /** It fills the mirror: an ecosystem that is a mirror alone refuses it nothing. */
  readonly forMirror?: boolean;
  /** Asked where a release has several files; not given: all of them. */
  readonly wantsFile?: (filename: string) => boolean;
  /** Nothing more is begun. */
  readonly signal?: AbortSignal;
}

/**
 * `kept`: it was here; `filled`: it is here now; `wanted`: it would be fetched (dry run); `refused`: by the policy;
 * `failed`: it could not be had.
 */
export type PrefetchOutcome = "kept" | "filled" | "wanted" | "refused" | "failed";

/** What became of one file, or of a release or package that came to no file. */
export interface Prefetched {
  readonly purl: string;
  /** null: it is about the whole. */
  readonly filename: string | null;
  readonly outcome: PrefetchOutcome;
  readonly bytes: number;
  /** Why it was refused or failed; null: it was not. */
  readonly message: string | null;
  /** That refused it. */
  readonly rule: string | null;
  readonly where: string;
}
