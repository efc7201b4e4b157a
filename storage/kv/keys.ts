/** Every key in KV: whoever keeps something there takes its key from here. */
import { keyPart } from "./key_part.ts";

/** A package's place in KV. Its scope is no part of it: an upstream has one. */
export interface PackageAddress {
  readonly ecosystem: string;
  readonly upstreamId: string;
  readonly subject: string;
  readonly name: string;
}

/** Every key outside of `["installs", …]`, which storage/installs/keys.ts owns. */
export const keys = {
  schema: (): Deno.KvKey => ["schema"],
  /** How far the last restore came. Its versionstamp is what every read and write is held against (fence.ts). */
  restore: (): Deno.KvKey => ["restore"],
  /** When whoever restores was last heard of. */
  restoreBeat: (): Deno.KvKey => ["restore", "beat"],
  /** Its versionstamp changes with every change of any policy, floor or waiver. */
  stamp: (): Deno.KvKey => ["stamp"],
  /** Its versionstamp changes when an organisation is created or deleted. */
  organisationsStamp: (): Deno.KvKey => ["organisations_stamp"],

  packages: (ecosystem?: string): Deno.KvKey =>
    ecosystem === undefined ? ["packages"] : ["packages", keyPart(ecosystem)],
  package: (at: PackageAddress): Deno.KvKey => ["packages", ...packageParts(at)],
  firstSeen: (
    at: { readonly ecosystem: string; readonly scope: string; readonly name: string },
  ): Deno.KvKey => [
    "first_seen",
    keyPart(at.ecosystem),
    keyPart(at.scope),
    keyPart(at.name),
  ],
  /** Outlives a purge, as first-seen times do. */
  tagHistory: (
    at: { readonly ecosystem: string; readonly scope: string; readonly name: string },
  ): Deno.KvKey => ["tag_history", keyPart(at.ecosystem), keyPart(at.scope), keyPart(at.name)],
  files: (ecosystem?: string): Deno.KvKey =>
    ecosystem === undefined ? ["files"] : ["files", keyPart(ecosystem)],
  filesOf: (at: PackageAddress): Deno.KvKey => ["files", ...packageParts(at)],
  file: (
    at: PackageAddress,
    filename: string,
  ): Deno.KvKey => ["files", ...packageParts(at), keyPart(filename)],

  /** Parts of a value that is too large for one; beneath the key of the record that points at them. */
  partsOf: (owner: Deno.KvKey): Deno.KvKey => ["parts", ...owner],
  part: (owner: Deno.KvKey, id: string, index: number): Deno.KvKey => ["parts", ...owner, id, index],

  organisations: (): Deno.KvKey => ["organisations"],
  organisation: (id: string): Deno.KvKey => ["organisations", id],
  /** `life` is random and new with each creation: what a deleted namesake left behind is never met again. */
  policyRevisions: (id: string, life: string): Deno.KvKey => ["policy_revisions", id, life],
  policyRevision: (id: string, life: string, n: number): Deno.KvKey => ["policy_revisions", id, life, n],
  waiverCount: (id: string, life: string): Deno.KvKey => ["waiver_counts", id, life],
  waivers: (id: string, life?: string): Deno.KvKey =>
    life === undefined ? ["waivers", id] : ["waivers", id, life],
  waiver: (id: string, life: string, waiver: string): Deno.KvKey => ["waivers", id, life, keyPart(waiver)],
  /** Of waivers that were granted, how they ended or will; for a while. */
  waiversPast: (id: string, life: string): Deno.KvKey => ["waivers_past", id, life],
  waiverPast: (id: string, life: string, waiver: string): Deno.KvKey => [
    "waivers_past",
    id,
    life,
    keyPart(waiver),
  ],
  /** What waivers were asked for, by time. */
  waiverRequests: (id: string, life: string, state?: "open" | "answered"): Deno.KvKey =>
    state === undefined ? ["waiver_requests", id, life] : ["waiver_requests", id, life, state],
  waiverRequest: (id: string, life: string, state: "open" | "answered", request: string): Deno.KvKey => [
    "waiver_requests",
    id,
    life,
    state,
    keyPart(request),
  ],
  /** The same, by package. */
  waiverRequestsOf: (
    id: string,
    life: string,
    of: { readonly ecosystem: string; readonly name: string },
  ): Deno.KvKey => ["waiver_requests_of", id, life, keyPart(of.ecosystem), keyPart(of.name)],
  waiverRequestOf: (
    id: string,
    life: string,
    of: { readonly ecosystem: string; readonly name: string; readonly id: string },
  ): Deno.KvKey => ["waiver_requests_of", id, life, keyPart(of.ecosystem), keyPart(of.name), keyPart(of.id)],
  waiverUses: (id?: string): Deno.KvKey => id === undefined ? ["waiver_uses"] : ["waiver_uses", id],
  waiverUse: (id: string, waiver: string, what: "count" | "last"): Deno.KvKey => [
    "waiver_uses",
    id,
    keyPart(waiver),
    what,
  ],
  /** How far the digests of blobs were looked at in the background. */
  sampled: (): Deno.KvKey => ["sampled"],
  /** How much is cached. */
  cacheTally: (): Deno.KvKey => ["cache_tally"],
  /** Its versionstamp changes with every purge: what servers have in memory is looked for again. */
  purged: (): Deno.KvKey => ["purged"],
  /** When blobs were last used, by the first two hex digits of their digests. */
  blobUses: (): Deno.KvKey => ["blob_uses"],
  blobUse: (shard: string): Deno.KvKey => ["blob_uses", shard],
  /** What is never evicted. */
  pins: (): Deno.KvKey => ["pins"],
  pin: (ecosystem: string, name: string, version: string): Deno.KvKey => [
    "pins",
    keyPart(ecosystem),
    keyPart(name),
    keyPart(version),
  ],
  freezeCount: (id: string, life: string): Deno.KvKey => ["freeze_counts", id, life],
  freezes: (id: string, life: string): Deno.KvKey => ["freezes", id, life],
  freeze: (id: string, life: string, freeze: string): Deno.KvKey => ["freezes", id, life, keyPart(freeze)],
  /** Named instants of an organisation's. */
  snapshotCount: (id: string, life: string): Deno.KvKey => ["snapshot_counts", id, life],
  snapshots: (id: string, life: string): Deno.KvKey => ["snapshots", id, life],
  snapshot: (id: string, life: string, name: string): Deno.KvKey => ["snapshots", id, life, keyPart(name)],
  /** Who has which role; of every organisation, of one, of one trait. */
  memberRules: (id?: string, life?: string): Deno.KvKey =>
    id === undefined || life === undefined ? ["member_rules"] : ["member_rules", id, life],
  memberRule: (id: string, life: string, trait: string): Deno.KvKey => [
    "member_rules",
    id,
    life,
    keyPart(trait),
  ],
  memberRuleCount: (id: string, life: string): Deno.KvKey => ["member_rule_counts", id, life],
  floor: (): Deno.KvKey => ["floor"],
  floorRevisions: (): Deno.KvKey => ["floor_revisions"],
  floorRevision: (n: number): Deno.KvKey => ["floor_revisions", n],

  decision: (organisation: string, id: string): Deno.KvKey => ["decisions", organisation, keyPart(id)],
  grants: (organisation: string, user: string): Deno.KvKey => ["grants", organisation, keyPart(user)],
  grant: (organisation: string, user: string, ecosystem: string, name: string): Deno.KvKey => [
    "grants",
    organisation,
    keyPart(user),
    keyPart(ecosystem),
    keyPart(name),
  ],

  /** null: everybody's. */
  auditTrail: (whose: { readonly of: string | null } | null): Deno.KvKey =>
    whose === null ? ["audit_trail", "all"] : ["audit_trail", "of", whose.of ?? ""],
  auditEntry: (whose: { readonly of: string | null } | null, id: string): Deno.KvKey => [
    ...keys.auditTrail(whose),
    id,
  ],
  /** Sorts behind the entries, so that whoever copies all in order has the lines of every entry that they copied. */
  auditLines: (id: string, part: number): Deno.KvKey => ["audit_trail", "whole", id, part],

  tokens: (): Deno.KvKey => ["tokens"],
  token: (id: string): Deno.KvKey => ["tokens", id],
  tokenUses: (): Deno.KvKey => ["token_uses"],
  tokenUse: (id: string): Deno.KvKey => ["token_uses", id],

  /** Of everybody, or of the one that the first half of a session's id names. */
  sessions: (member?: string): Deno.KvKey => member === undefined ? ["sessions"] : ["sessions", member],
  session: (member: string, session: string): Deno.KvKey => ["sessions", member, session],
  /** Who signed in lately. */
  visitors: (): Deno.KvKey => ["visitors"],
  visitor: (member: string): Deno.KvKey => ["visitors", member],

  leases: (): Deno.KvKey => ["leases"],
  lease: (name: string): Deno.KvKey => ["leases", keyPart(name)],
  job: (id: string): Deno.KvKey => ["jobs", "job", id],
  jobsDue: (): Deno.KvKey => ["jobs", "due"],
  jobDue: (at: number, id: string): Deno.KvKey => ["jobs", "due", at, id],
  jobName: (kind: string, key: string): Deno.KvKey => ["jobs", "name", keyPart(kind), keyPart(key)],
  deadJobs: (): Deno.KvKey => ["jobs", "dead"],
  deadJob: (id: string): Deno.KvKey => ["jobs", "dead", id],
  /** Which packages an organisation asked for lately. */
  askedPackages: (id: string, life: string): Deno.KvKey => ["asked_packages", id, life],
  /** Packages that are asked for, and (by upstream, then time) when each is refreshed next. */
  packagesInUse: (): Deno.KvKey => ["packages_in_use"],
  packageInUse: (at: PackageAddress): Deno.KvKey => ["packages_in_use", ...packageParts(at)],
  refreshesDue: (upstreamId: string): Deno.KvKey => ["refreshes_due", keyPart(upstreamId)],
  refreshDue: (upstreamId: string, at: number, place: PackageAddress): Deno.KvKey => [
    "refreshes_due",
    keyPart(upstreamId),
    at,
    ...packageParts(place),
  ],
  counters: (): Deno.KvKey => ["counters"],
  counter: (day: string, ecosystem: string, name: string): Deno.KvKey => ["counters", day, ecosystem, name],
  alerts: (kind?: string): Deno.KvKey => kind === undefined ? ["alerts"] : ["alerts", kind],
  alert: (kind: string, subject: string): Deno.KvKey => ["alerts", kind, keyPart(subject)],
  /** What each process says of itself each minute. */
  processes: (): Deno.KvKey => ["processes"],
  process: (instance: string): Deno.KvKey => ["processes", keyPart(instance)],
  /** Written and read to see that KV can be. */
  readiness: (instance: string): Deno.KvKey => ["readiness", keyPart(instance)],
  /** Without a webhook: the prefix of all of an organisation's. */
  webhookDeliveries: (organisation: string, webhook?: string): Deno.KvKey =>
    webhook === undefined
      ? ["webhook_deliveries", organisation]
      : ["webhook_deliveries", organisation, keyPart(webhook)],
  webhookBudget: (organisation: string, hour: number): Deno.KvKey => ["webhook_budgets", organisation, hour],
} as const;

function packageParts(at: PackageAddress): string[] {
  return [keyPart(at.ecosystem), keyPart(at.upstreamId), keyPart(at.subject), keyPart(at.name)];
}

/** What storage/installs/ builds its keys under; nobody else writes there. */
export const installKeys: Deno.KvKey = ["installs"];
