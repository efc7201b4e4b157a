/**
 * What an ecosystem's folder brings for the contract suite: `sample.ts`, which exports `samples`. It says how
 * packages are published into a fake upstream of that protocol, how each form of answer is asked for, and what a
 * client would take from it. The suite knows nothing else of a protocol.
 */
import type { Ask } from "../../ecosystems/ecosystem.ts";
import type { TrustLevel } from "../../policy/types.ts";

export interface SampleRelease {
  readonly version: string;
  /** ISO 8601; null: upstream says nothing of when. */
  readonly publishedAt: string | null;
  readonly yanked?: boolean;
  readonly deprecated?: boolean;
  readonly trust?: TrustLevel;
}

/** A package to publish; a mark that the protocol does not have (`SampleMarks`) is never set. */
export interface SamplePackage {
  readonly name: string;
  /** In ascending order of version. */
  readonly releases: readonly SampleRelease[];
}

/** What this protocol's documents can say of a release. */
export interface SampleMarks {
  readonly undated: boolean;
  readonly yanked: boolean;
  readonly deprecated: boolean;
  readonly trust: boolean;
}

/** One answer of the fake upstream. */
export interface SampleAnswer {
  /** Path and query below the upstream's root, encoded as on the wire, with a leading slash. */
  readonly target: string;
  /** Default: GET. */
  readonly method?: "GET" | "POST";
  readonly contentType: string;
  readonly body: Uint8Array;
  /** Set where the body is a file of a release. No two files have the same bytes. */
  readonly file?: SampleFile;
}

export interface SampleFile {
  readonly package: string;
  readonly version: string;
  readonly filename: string;
}

/** One request that a client makes. */
export interface SampleAsk {
  /** For messages; tells the forms of one kind apart: `index abbreviated`. */
  readonly title: string;
  /** What `parse` must make of it. */
  readonly kind: Ask["kind"];
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the ecosystem's mount, encoded, without leading slash. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** null: it concerns no one package. */
  readonly package: string | null;
  /** Of one release or file only; else null. */
  readonly version: string | null;
  readonly filename: string | null;
  /** An index that lists every release that is offered (a list of tags does not). */
  readonly complete: boolean;
}

/** A release, or one file of it, that a client would choose from what an answer says. */
export interface SampleOffer {
  readonly package: string;
  readonly version: string;
  /** Where the client would fetch it, absolute; null: this answer does not say. */
  readonly url: string | null;
  /** null where `url` is. */
  readonly filename: string | null;
}

export interface EcosystemSample {
  /** The id of the ecosystem it speaks for. */
  readonly ecosystem: string;
  /** Tells an ecosystem's samples apart: `npm`, `pypi, HTML only`. */
  readonly title: string;
  readonly marks: SampleMarks;
  /** Stable, ascending, of one release line. */
  readonly stable: readonly [string, string, string, string, string];
  /** A pre-release above them all. */
  readonly prerelease: string;
  /** Strictly ascending, with whatever the protocol's order is known for. */
  readonly ascending: readonly string[];
  /** Four at least, legal; two plain ones that do not begin alike, then odd ones. */
  readonly names: readonly [string, string, string, string, ...string[]];
  /** All that an upstream at `root` (with trailing slash) answers where exactly these are published. */
  publish(packages: readonly SamplePackage[], root: string): readonly SampleAnswer[];
  /** Every form of every kind of ask that the protocol knows, for these packages. */
  asks(packages: readonly SamplePackage[]): readonly SampleAsk[];
  /**
   * What a client would choose from an answer with status 200; empty for those of another kind than index,
   * version and catalogue. `mount` is the address that the ask's path was below, no trailing slash.
   */
  offers(ask: SampleAsk, body: string, mount: string): readonly SampleOffer[];
}

/** What `sample.ts` exports. */
export interface SampleModule {
  readonly samples: readonly EcosystemSample[];
}
