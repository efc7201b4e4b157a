/** The contract between a protocol and the pipeline. Types only; an ecosystem is a frozen object of pure functions. */
import type {
  Decision,
  Decisions,
  Digest,
  EpochMs,
  PackageFacts,
  Reason,
  VersionScheme,
} from "../policy/types.ts";

/** One package, by its registry-exact name (`@acme/foo`, `JSONStream`). */
export interface PackageRef {
  readonly kind: "package";
  readonly name: string;
}

/** One document about many packages (a search's answer, `repodata.json`); `name` is its key. */
export interface CatalogueRef {
  readonly kind: "catalogue";
  readonly name: string;
}

export type Subject = PackageRef | CatalogueRef;

/** A request, admitted by the grammar in routes/target.ts, as the plugins see it. */
export interface ClientRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /**
   * The path below the ecosystem's mount, decoded exactly once. No segment is empty but the last (a trailing
   * slash); none is or contains a dot segment, a backslash, `;`, `%`, `#`, `?` or a control character. A `/`
   * inside a segment was `%2f`.
   */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  /** Lower-case names; only the headers that a protocol may read (see routes/client.ts). */
  readonly headers: Pick<ReadonlyMap<string, string>, "get">;
}

/** The one thing a request asks for. `variant` is the plugin's own word for the form of the answer. */
export type Ask =
  | IndexAsk
  | VersionAsk
  | ArtifactAsk
  | SidecarAsk
  | CatalogueAsk
  | LocalAsk
  | ForwardAsk
  | PublishAsk;

/** A package's index: packument, simple page, index file. */
export interface IndexAsk {
  readonly kind: "index";
  readonly subject: PackageRef;
  readonly variant: string;
  /** Documents that this form is rendered from beside those that hold the facts; absent ones have status 404. */
  readonly also?: readonly Source[];
}

/** One release's own document; `version` may be a tag, which `render` resolves among what is allowed. */
export interface VersionAsk {
  readonly kind: "version";
  readonly subject: PackageRef;
  readonly version: string;
  readonly variant: string;
  /** As for an index. */
  readonly also?: readonly Source[];
}

export interface ArtifactAsk {
  readonly kind: "artifact";
  readonly subject: PackageRef;
  readonly filename: string;
}

/** A document that belongs to a file or release and has its verdict: signature, provenance, `.metadata`. */
export interface SidecarAsk {
  readonly kind: "sidecar";
  readonly subject: PackageRef;
  /** Exactly one of the two is set. */
  readonly filename: string | null;
  readonly version: string | null;
  readonly source: Source;
  /**
   * It stands beside the file, wherever `locate` says that is, under the file's name and this suffix (`.metadata`);
   * the source's path is then empty, and what the facts say of its digests must be true of it.
   */
  readonly beside?: string;
}

/** A document about many packages, of which only what cached facts allow is shown. */
export interface CatalogueAsk {
  readonly kind: "catalogue";
  readonly subject: CatalogueRef;
  readonly variant: string;
}

/** Answered from here, without upstream: ping, whoami, config.json. */
export interface LocalAsk {
  readonly kind: "local";
  readonly variant: string;
}

/** Passed on to upstream within bounds and answered with what upstream says; no package's bytes. */
export interface ForwardAsk {
  readonly kind: "forward";
  readonly variant: string;
  readonly upstream: string;
  readonly method: "GET" | "POST";
  /** The path and query below upstream's root, built from what was parsed. */
  readonly path: string;
  /** Bound on the request's body once decompressed, and on upstream's answer. */
  readonly maxBytes: number;
}

export interface PublishAsk {
  readonly kind: "publish";
  readonly subject: PackageRef | null;
}

/** A document that upstream keeps. */
export interface Source {
  /** Unique among a subject's sources; part of the storage key: `packument`, `simple`, `legacy`. */
  readonly key: string;
  /** A key of `Ecosystem.upstreams`. */
  readonly upstream: string;
  /** Path and query below that upstream's root, no leading slash, already percent-encoded. */
  readonly path: string;
  readonly accept: string;
  readonly maxBytes: number;
  /** Required: 404 here means that there is no such package. Else it is a document with status 404. */
  readonly required: boolean;
  /** What its body must be; anything else (an HTML sign-in page with status 200) is a failure, not a document. */
  readonly expects: "json" | "html" | "json-or-html" | "lines" | "any";
  /** It belongs to the upstream, not to a package (Cargo's `config.json`): loaded once for all of them. */
  readonly shared?: boolean;
  /** Its path is below an address that another document names, not below the upstream's root. */
  readonly below?: NamedRoot;
  /** What its bytes must be; of anything else nothing is kept, and it is an IntegrityError. */
  readonly digests?: readonly Digest[];
  /**
   * Throws SyntaxError where it cannot be read, before it is kept. For what no `read` has seen by then (`shared`,
   * `also`, catalogues): an error with status 200 must not take the place of a copy that can be read.
   */
  readonly check?: (document: UpstreamDocument) => void;
}

/** A root that upstream names itself (the `api` of Cargo's `config.json`). */
export interface NamedRoot {
  /** Of the same upstream, and `shared`. */
  readonly document: Source;
  /**
   * With trailing slash, on the upstream's own origin or one of its allowed hosts; null: there is none, and what is
   * below it is absent. Throws SyntaxError → 502.
   */
  readonly root: (document: UpstreamDocument) => string | null;
}

/** A raw document as upstream said it. The body is shared: never written to. */
export interface UpstreamDocument {
  readonly key: string;
  readonly status: 200 | 404;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly fetchedAt: EpochMs;
  /** Absolute address it was read from, after redirects; relative links resolve against it. */
  readonly url: string;
}

/** What `read` found of one package. `layout` is the plugin's own JSON (offsets and the like), for `render`. */
export interface Reading {
  readonly facts: PackageFacts;
  readonly layout: unknown;
}

/** What `render` works with. */
export interface Material {
  readonly documents: readonly UpstreamDocument[];
  /** Of the package asked for; null for a catalogue. */
  readonly reading: Reading | null;
  /** The decisions on the package asked for, or (catalogue) on one that cached facts are known of; else null. */
  decisions(name: string): Decisions | null;
  /** Catalogue: the cached facts behind `decisions(name)`, so that what is offered can be listed. */
  readonly facts?: (name: string) => PackageFacts | null;
  readonly now: EpochMs;
  /** One short sentence, with a link, for a client's own notice channel; null where nothing was withheld. */
  readonly notice: (withheld: readonly string[]) => string;
}

export interface Rendered {
  readonly status: number;
  readonly contentType: string;
  /** Further headers, lower-case names (`vary`, `npm-notice`). Values pass the header gate. */
  readonly headers: Readonly<Record<string, string>>;
  /** In order; the pipeline may pause between two pieces. A piece may be written over once the next is asked for. */
  readonly body: Iterable<Uint8Array>;
  /** How many releases or files were withheld; known once the body was read to its end. */
  readonly withheld: () => number;
}

/** Addresses that go into what is served; built from the configured base address, never from Host. */
export interface Links {
  /** Where this ecosystem is mounted for this organisation, no trailing slash: `https://sluice.example/o/acme/npm`. */
  readonly base: string;
  /** This organisation lets nobody in without a name or token, so clients must send one with every request. */
  readonly authRequired: boolean;
  /** `upstream`: file links stay as upstream wrote them (the policy's `artifacts: upstream`). */
  readonly artifacts: "proxy" | "upstream";
}

export interface ArtifactLocation {
  readonly upstream: string;
  /** Absolute, or a path below the upstream's root. */
  readonly url: string;
  readonly digests: readonly Digest[];
  readonly sizeBytes: number | null;
  readonly contentType: string;
  readonly maxBytes: number;
}

/** Who asks; resolved once and passed on. */
export interface Caller {
  readonly organisation: string;
  /** Well-formed, at most 128 characters; null: none was given. */
  readonly user: string | null;
  /** A token says so; absent: it is what somebody calls themselves. */
  readonly isVerified?: true;
  /** The peer's address. */
  readonly address: string;
  readonly client: Client;
}

export interface Client {
  /** `npm`, `pnpm`, `yarn`, `bun`, `deno`, `pip`, `uv`, `cargo`, …; the first product of the user agent, lower-case; `""` if none. */
  readonly name: string;
  readonly version: string;
  /** What the client says it is doing (`npm-command`: `install`, `audit`, `ci`); null: it does not say. */
  readonly command: string | null;
}

/** Why something was refused or withheld, in words and fields; made by policy/explain.ts and the pipeline. */
export interface Explanation {
  readonly ecosystem: string;
  readonly purl: string;
  readonly name: string;
  readonly version: string;
  readonly filename: string | null;
  readonly decision: Decision;
  /** The reason that counts most. */
  readonly reason: Reason;
  /** One sentence: package, version, rule, since when, until when, what is allowed instead. ASCII. */
  readonly sentence: string;
  readonly since: EpochMs | null;
  readonly until: EpochMs | null;
  readonly newestAllowed: string | null;
  readonly decisionId: string;
  /** Absolute: `/-/why/{purl}?decision=…`. */
  readonly link: string;
  /** Absolute and readable as it stands: `/-/why/{purl}/held-by-minimumAge-until-2026-12-01`. */
  readonly speakingLink: string;
}

/** A refused artifact in the form in which this client shows it. */
export type Refusal =
  | {
    readonly kind: "body";
    readonly status: 403;
    readonly contentType: string;
    readonly body: string;
    readonly headers: Readonly<Record<string, string>>;
  }
  | {
    readonly kind: "redirect";
    readonly status: 302;
    readonly location: string;
    readonly headers: Readonly<Record<string, string>>;
  };

/** Any other error in the client's own form. */
export interface Failure {
  readonly status: number;
  /** Stable, for programs: `no-such-package`, `upstream-failed`. */
  readonly code: string;
  readonly message: string;
}

/** An advisory found in an audit's answer. */
export interface Advisory {
  readonly name: string;
  readonly id: string;
  readonly url: string;
  affects(version: string): boolean;
}

/** How a forwarded request is made and its answer read; only for ecosystems with `forward` asks. */
export interface Forwarding {
  /** The body for upstream: decompressed, without the packages that `isPrivate` names. Throws SyntaxError → 400. */
  request(
    ask: ForwardAsk,
    body: Uint8Array,
    isPrivate: (name: string) => boolean,
  ): { readonly body: Uint8Array; readonly contentType: string; readonly names: readonly string[] };
  /** The advisories that an answer holds; empty where this ask has none. Throws SyntaxError → 502. */
  advisories(ask: ForwardAsk, answer: Uint8Array): readonly Advisory[];
}

/** Names of releases that move (npm's dist-tags). */
export interface Tags {
  /** As the documents have them. */
  of(reading: Reading): readonly (readonly [tag: string, version: string])[];
  /** What was read as if the documents had these. */
  put(reading: Reading, tags: readonly (readonly [tag: string, version: string])[]): Reading;
  /** What was read as if these were all the versions, in their order: each tag moves to one of them, or is gone. */
  among(reading: Reading, versions: readonly string[]): Reading;
}

/** By what whoever runs a client is known to Sluice: by nothing, by the name they give, by a token. */
export type SetupBy = "nobody" | "name" | "token";

/**
 * Whom a client is set up for. In what comes of it these stand for what is not known yet: `{user}` (as it is),
 * `{user:url}` (percent-encoded), `{basic}` (base64 of the name and a colon), `{token}`.
 */
export interface SetupCaller {
  readonly by: SetupBy;
  /** The organisation lets nobody in otherwise, so that the client is asked for it. */
  readonly isAsked: boolean;
}

/** How lines are written, and found again: `key=value`, below `[section]` or not, `key: value`, `key value`. */
export type SetupSyntax = "npmrc" | "ini" | "toml" | "yaml" | "yarnrc" | "netrc";

/** A file that a client reads. Paths have `/` everywhere. */
export interface SetupFile {
  /** Below a person's home. */
  readonly home: string;
  readonly macos?: string;
  /** On macOS instead of `home`, where its folder is there already. */
  readonly macosIfThere?: string;
  /** Below `%USERPROFILE%`. */
  readonly windows?: string;
  /** Read instead of `home` where it is there: what the client called it once. */
  readonly older?: string;
  /** An environment variable that says where `prefix` of `home` is instead; an empty prefix is the home itself. */
  readonly moved?: { readonly variable: string; readonly prefix: string };
  /** For everybody on a machine, and those to come: whole paths (on Windows below `%ProgramData%`), or what prints one. */
  readonly system?:
    | { readonly unix: string; readonly macos: string; readonly windows: string }
    | { readonly printedBy: readonly string[] };
  readonly syntax: SetupSyntax;
}

/** Lines of one file that belong together. */
export interface Setting {
  /** Unique among all ecosystems: clients that share a file share its settings. */
  readonly id: string;
  readonly file: SetupFile;
  /** `registries.sluice`; `[index]`: one more of TOML's arrays of tables, before the others. Absent: at the top. */
  readonly section?: string;
  /** As the file has them; what had their keys goes. No line holds a quote that is not the syntax's own. */
  readonly lines: readonly string[];
  /**
   * Keys that lead past Sluice all the same, where the file has them, or `[[index]]`: a second of these. They stay, and
   * that is said.
   */
  readonly past?: readonly string[];
  /** It holds who somebody is: only in files that nobody else can read, never in one for everybody. */
  readonly isSecret?: true;
}

/** How one client is pointed here, for people to copy and for scripts to do. */
export interface ClientSetup {
  /** In addresses and arguments: `yarn4`. */
  readonly id: string;
  /** For people: `yarn 4`. */
  readonly client: string;
  /** The shell line that points it here, for nobody in particular; one of several ways. */
  readonly line: string;
  /** It is installed where one of these can be run. */
  readonly programs: readonly string[];
  /** What `--version` begins with, where another client has the same program. */
  readonly version?: string;
  settings(caller: SetupCaller): readonly Setting[];
  /** What it reads from the environment alone; no secret. */
  environment?(caller: SetupCaller): Readonly<Record<string, string>>;
  /** Shell lines that keep the name or token in place of the settings that are secret. */
  login?(caller: SetupCaller): readonly string[];
  /** Where it keeps a token best, in one or two sentences. */
  readonly keeps: string;
  /** What else there is to know; null: nothing. */
  note?(caller: SetupCaller): string | null;
  /** It has no setting for all projects: `line` is for each of them. */
  readonly isPerProject?: true;
  /** `prints`: what it takes for its registry, and the command that tells; `asks`: one that asks Sluice by it. */
  check?(): { readonly prints?: SetupAnswer; readonly asks?: readonly string[] };
}

export interface SetupAnswer {
  readonly command: readonly string[];
  /** Exactly, but for a user's name in the address. */
  readonly answer: string;
}

export interface Ecosystem {
  /** The mount and the key: `npm`. */
  readonly id: string;
  readonly title: string;
  readonly purlType: string;
  /** Key → default root, with trailing slash. A plugin names a key, never a host. */
  readonly upstreams: Readonly<Record<string, string>>;
  /** By the same keys: hosts that the default's documents may link to beside its own; nothing for a configured one. */
  readonly allowedHosts?: Readonly<Record<string, readonly string[]>>;
  /**
   * The name that subjects have, for any spelling that this registry takes for the same package; for names that
   * people write: overrides that allow, why pages, queries. Absent: a name is exact as it stands.
   */
  canonicalName?(name: string): string;
  /** Whether a package could be called so, in any spelling that this registry takes. Never throws. */
  isName(name: string): boolean;
  readonly versions: VersionScheme;
  /**
   * `allowed`: its clients may have a token in their address, since they cannot send headers and write no address
   * into a lockfile. Else the sentence that names the right way.
   */
  readonly pathTokens: "allowed" | { readonly refused: string };
  /** How its clients introduce themselves; tells two ecosystems apart that are both mounted at the root of a host. */
  readonly clients: readonly string[];
  /** How each client is pointed here; `base` is where this is mounted for an organisation, no trailing slash. */
  setup(base: string): readonly ClientSetup[];
  /** null: 404, upstream untouched. Never throws. */
  parse(request: ClientRequest): Ask | null;
  /** What a client asks at the root of the host because it lost its prefix; null where that cannot happen. */
  parseAtRoot?(request: ClientRequest): ArtifactAsk | null;
  /** The documents that hold the facts, given those already there: asked again until it answers none. */
  sources(subject: Subject, documents: readonly UpstreamDocument[]): readonly Source[];
  /** `undefined` is a point at which the pipeline may pause. Throws SyntaxError → 502. */
  read(subject: Subject, documents: readonly UpstreamDocument[]): Iterable<Reading | undefined>;
  /** The packages a catalogue mentions; the pipeline looks for their cached facts. */
  mentions?(ask: CatalogueAsk, documents: readonly UpstreamDocument[]): readonly string[];
  /**
   * Whether what a version ask names, and is no version in the facts, is something else (a tag), without opening a
   * document; without it every such ask is rendered.
   */
  names?(ask: VersionAsk, reading: Reading): boolean;
  /** null: 404 (an unknown version or tag). */
  render(ask: IndexAsk | VersionAsk | CatalogueAsk, material: Material, links: Links): Rendered | null;
  /** An answer without upstream. */
  local(ask: LocalAsk, caller: Caller, links: Links): Rendered;
  locate(ask: ArtifactAsk, facts: PackageFacts): ArtifactLocation | null;
  /** What its clients ask for beside a file that they install; absent: nothing. */
  sidecars?(ask: ArtifactAsk, facts: PackageFacts): readonly SidecarAsk[];
  refuse(ask: Ask, explanation: Explanation, client: Client): Refusal;
  /**
   * Where every release is withheld: true where this client is better told by a refusal of the index than by an
   * index without releases, of which it says that the package may be unpublished.
   */
  tellsByRefusal?(ask: IndexAsk, client: Client): boolean;
  /**
   * Whether a 401 asks this client for credentials by WWW-Authenticate (RFC 9110 §11.6.1); absent: all of them. false
   * for one that would then keep the reason to itself.
   */
  challenges?(client: Client): boolean;
  /** What a package says it is, in its own words, for searches; null: its documents do not say. Never throws. */
  about?(documents: readonly UpstreamDocument[], reading: Reading): string | null;
  /** Any other error as this client understands it. */
  fail(failure: Failure, client: Client): { readonly contentType: string; readonly body: string };
  readonly forwarding?: Forwarding;
  /** Absent: this protocol has none, and what is newest follows the versions. */
  readonly tags?: Tags;
}
