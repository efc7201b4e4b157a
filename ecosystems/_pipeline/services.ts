/** What the pipeline works with; made once by `createServices`, shared by every request. */
import type { EpochMs, PackageFacts, Waiver } from "../../policy/types.ts";
import type { NewAlert } from "../../storage/alerts.ts";
import type { AskedPackages } from "../../storage/asked.ts";
import type { ArtifactStore, BlobKey } from "../../storage/artifacts/store.ts";
import type { Fills } from "../../storage/fill.ts";
import type { InstallLog } from "../../storage/installs/log.ts";
import type { DecisionRecords } from "../../storage/kv/decisions.ts";
import type { TagHistory } from "../../storage/kv/tag_history.ts";
import type {
  DocumentRecord,
  FileRecord,
  Files,
  FirstSeenTimes,
  PackageKey,
  PackageRecord,
  Packages,
} from "../../storage/kv/packages.ts";
import type { Lifetimes, OfUpstream } from "../../storage/lifetimes.ts";
import { type ByteCache, createByteCache } from "../../storage/memory.ts";
import type { Metrics } from "../../storage/metrics.ts";
import type { Once } from "../../storage/once.ts";
import type { Background, Clock, Log, Timers } from "../../storage/runtime.ts";
import { type Coalescer, createCoalescer } from "../../storage/upstream/coalesce.ts";
import { createSlots, type Slots } from "../../storage/slots.ts";
import type { UpstreamClient, Upstreams } from "../../storage/upstream/upstream.ts";
import { type ByteBudget, createByteBudget } from "./byte_budget.ts";
import { type CallerNames, createCallerNames } from "./caller_names.ts";
import { createInUse, type InUse } from "./in_use.ts";
import { createRecentBodies, type RecentBodies } from "./recent.ts";
import { createInstants, type Instants } from "./instants.ts";
import { createTally, type Tally } from "./tally.ts";
import type { Ecosystem, UpstreamDocument } from "../ecosystem.ts";
import type { Copy } from "../outcome.ts";
import type { MirrorOnly } from "../mirrors.ts";
import type { LoadResult } from "./load.ts";
import type { MemoEntry } from "./memo.ts";
import { createVerdictCache, type VerdictCache } from "./verdicts.ts";

/** Bounds in bytes on what is kept in memory. */
export interface MemoryBounds {
  readonly memoBytes: number;
  readonly factsBytes: number;
  readonly artifactBytes: number;
  /** Raw documents that are being read or rendered at once; those above it wait. */
  readonly workBytes: number;
  /** One document of an upstream; a larger one is refused. */
  readonly documentBytes: number;
}

/** Audit grants: versions that one caller may have for a while (storage/kv/grants.ts). */
export interface Grants {
  put(grant: {
    readonly organisation: string;
    readonly user: string;
    readonly ecosystem: string;
    readonly name: string;
    readonly versions: readonly string[];
    readonly until: EpochMs;
  }): Promise<void>;
  get(query: {
    readonly organisation: string;
    readonly user: string;
    readonly ecosystem: string;
    readonly name: string;
  }): Promise<readonly string[]>;
}

/** Something was refused, or would have been; sent to the organisation's webhooks, never in the way of the answer. */
export interface RefusalEvent {
  readonly event: "refused" | "observed";
  readonly organisation: string;
  readonly user: string | null;
  readonly address: string;
  readonly client: string;
  readonly ecosystem: string;
  readonly package: string;
  readonly version: string;
  readonly file: string;
  readonly rule: string;
  readonly sentence: string;
  readonly until: EpochMs | null;
  readonly link: string;
  readonly decisionId: string;
  readonly at: EpochMs;
}

export interface ServiceOptions {
  readonly ecosystems: readonly Ecosystem[];
  readonly packages: Packages;
  readonly files: Files;
  readonly decisions: DecisionRecords;
  readonly tagHistory: TagHistory;
  readonly artifacts: ArtifactStore;
  /** Something of a blob is served: it is evicted later than others. No I/O. */
  readonly used: (blob: BlobKey) => void;
  readonly fills: Fills;
  /** Equal work is done once across processes. */
  readonly once: Once;
  readonly upstreams: Upstreams;
  readonly upstream: UpstreamClient;
  readonly installs: InstallLog;
  readonly grants: Grants;
  /** Turns a served audit fix into the organisation's waiver. */
  readonly addWaiver: (organisation: string, waiver: Waiver) => Promise<void>;
  /** A file was served thanks to a waiver. No I/O. */
  readonly waiverUsed: (organisation: string, waiver: string) => void;
  /** An organisation was answered about a package; `occasion` stands for the two. No I/O. */
  readonly asked: AskedPackages["note"];
  readonly refused: (event: RefusalEvent) => void;
  /** Something that whoever runs this should know; never in the way of the answer. */
  readonly alerted: (alert: NewAlert) => void;
  readonly metrics: Pick<Metrics, "decided">;
  /** Unique, rising with time. */
  readonly newRecordId: () => string;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  readonly background: Background;
  /** What holds for the upstream that a record names. */
  readonly lifetimes: (of: OfUpstream) => Lifetimes;
  readonly memory: MemoryBounds;
  /** What of an ecosystem is served where it is a mirror alone; null: all of it. */
  readonly mirrorOnly: (ecosystem: string) => MirrorOnly | null;
}

/** A package as this process knows it: its record, its facts decoded, and when its files were first seen. */
export interface Known {
  readonly key: PackageKey;
  readonly record: PackageRecord;
  readonly versionstamp: string;
  readonly facts: PackageFacts;
  readonly firstSeen: FirstSeenTimes | null;
  readonly layout: KeptLayout;
  /** The record's age, for what is said of it. */
  readonly copy: Copy;
  /** Changes whenever documents or facts do. */
  readonly revision: string;
  readonly sizeBytes: number;
}

/** What `read` made for `render`, beside the facts once it was wanted: an artifact's ask never reads it. */
export interface KeptLayout {
  /** undefined: not read yet. */
  value: unknown;
}

export interface Services extends ServiceOptions {
  /** Somebody has come: what takes long makes way for them (`timers.arrivals`). */
  readonly arrived: () => void;
  readonly known: ByteCache<Known>;
  readonly verdictCache: VerdictCache;
  readonly memo: ByteCache<MemoEntry>;
  /** What is kept for requests as of past instants. */
  readonly instants: Instants;
  /** Names that upstream said do not exist, and until when that is believed. */
  readonly absent: ByteCache<EpochMs>;
  /** Copies that upstream failed to confirm, and when. */
  readonly failing: ByteCache<EpochMs>;
  /** Records of documents that hold no package's facts. */
  readonly sides: ByteCache<PackageRecord>;
  readonly sideLoads: Coalescer<DocumentRecord>;
  /** What searches were answered, for when upstream is away. */
  readonly searches: ByteCache<UpstreamDocument>;
  /** Decisions whose record this process has written. */
  readonly keptDecisions: ByteCache<true>;
  readonly fileRecords: ByteCache<FileRecord>;
  /** Artifacts that are small or often asked for, verified, by blob key. */
  readonly hot: ByteCache<Uint8Array>;
  readonly hotReads: Coalescer<Uint8Array | "damaged" | null>;
  /** Larger artifacts that were asked for, by blob key. */
  readonly hotAsks: Tally;
  /** Answers that are packed smaller in the background: one at a time. */
  readonly packing: Slots;
  readonly inUse: InUse;
  /** Equal work at the same time is done once: loading a package, refreshing it, rendering it. */
  readonly loads: Coalescer<LoadResult>;
  readonly refreshes: Coalescer<unknown>;
  readonly renders: Coalescer<MemoEntry | null>;
  readonly recent: RecentBodies;
  readonly work: ByteBudget;
  /** Large documents that are fetched and read at once; the others wait. */
  readonly large: Slots;
  /** Of these, those that fill a good part of the memory: one at a time. */
  readonly huge: Slots;
  /** What one address may ask for that does not exist. */
  readonly absences: Tally;
  readonly callerNames: CallerNames;
  /** Ranges of one file by one caller count once. */
  readonly ranges: Tally;
}

const ABSENT_ENTRY_BYTES = 256;
const ABSENT_BYTES = 4 * 2 ** 20;
const FILE_RECORD_BYTES = 600;
const FILE_RECORDS_BYTES = 16 * 2 ** 20;
const SIDES_BYTES = 4 * 2 ** 20;
const SEARCHES_BYTES = 8 * 2 ** 20;
const ABSENCES_PER_ADDRESS = 2_000;
const ABSENCE_WINDOW_MS = 10 * 60_000;
/** What a large document takes while it is fetched, decoded and read. */
const LARGE_DOCUMENT_BYTES = 48 * 2 ** 20;
const LARGE_DOCUMENTS_WAITING = 1_000;
const NEW_NAMES_PER_ADDRESS = 5_000;
const RANGE_WINDOW_MS = 10 * 60_000;
const HOT_WINDOW_MS = 10 * 60_000;

/** From here on documents are fetched, read or rendered one at a time, beside what is merely large. */
const HUGE_BYTES = 24 * 2 ** 20;

export function isHuge(sizeBytes: number): boolean {
  return sizeBytes > HUGE_BYTES;
}

/** Everything the pipeline keeps in memory is made here, bounded in bytes. */
export function createServices(options: ServiceOptions): Services {
  const { memory, clock } = options;
  let arrivals = 0;
  return {
    ...options,
    timers: { ...options.timers, arrivals: () => arrivals },
    arrived: () => void arrivals++,
    known: createByteCache<Known>({
      maxBytes: memory.factsBytes,
      // Packages of ten thousand releases and more exist: not kept, each of their files would cost them all again.
      largestBytes: memory.factsBytes,
      sizeOf: (known) => known.sizeBytes,
    }),
    verdictCache: createVerdictCache(memory.factsBytes),
    memo: createByteCache<MemoEntry>({
      maxBytes: memory.memoBytes,
      // The largest are those that cost the most to render again.
      largestBytes: memory.memoBytes * 0.75,
      sizeOf: (entry) => entry.sizeBytes,
    }),
    instants: createInstants({ ...memory, clock }),
    absent: createByteCache<EpochMs>({ maxBytes: ABSENT_BYTES, sizeOf: () => ABSENT_ENTRY_BYTES }),
    failing: createByteCache<EpochMs>({ maxBytes: ABSENT_BYTES, sizeOf: () => ABSENT_ENTRY_BYTES }),
    sides: createByteCache<PackageRecord>({ maxBytes: SIDES_BYTES, sizeOf: () => FILE_RECORD_BYTES }),
    sideLoads: createCoalescer<DocumentRecord>(),
    searches: createByteCache<UpstreamDocument>({
      maxBytes: SEARCHES_BYTES,
      sizeOf: (document) => document.body.byteLength,
    }),
    keptDecisions: createByteCache<true>({ maxBytes: ABSENT_BYTES, sizeOf: () => ABSENT_ENTRY_BYTES }),
    fileRecords: createByteCache<FileRecord>({
      maxBytes: FILE_RECORDS_BYTES,
      sizeOf: () => FILE_RECORD_BYTES,
    }),
    hot: createByteCache<Uint8Array>({ maxBytes: memory.artifactBytes, sizeOf: (bytes) => bytes.byteLength }),
    hotReads: createCoalescer<Uint8Array | "damaged" | null>(),
    hotAsks: createTally({ clock, windowMs: HOT_WINDOW_MS, limit: 1, maxKeys: 10_000 }),
    packing: createSlots({ maxConcurrent: 1, maxWaiting: Infinity }),
    inUse: createInUse(),
    loads: createCoalescer<LoadResult>(),
    refreshes: createCoalescer<unknown>(),
    renders: createCoalescer<MemoEntry | null>(),
    recent: createRecentBodies(),
    work: createByteBudget(memory.workBytes),
    large: createSlots({
      maxConcurrent: Math.max(1, Math.floor(memory.workBytes / LARGE_DOCUMENT_BYTES)),
      maxWaiting: LARGE_DOCUMENTS_WAITING,
    }),
    huge: createSlots({ maxConcurrent: 1, maxWaiting: LARGE_DOCUMENTS_WAITING }),
    absences: createTally({
      clock,
      windowMs: ABSENCE_WINDOW_MS,
      limit: ABSENCES_PER_ADDRESS,
      maxKeys: 10_000,
    }),
    callerNames: createCallerNames({ clock, limit: NEW_NAMES_PER_ADDRESS }),
    ranges: createTally({ clock, windowMs: RANGE_WINDOW_MS, limit: 1, maxKeys: 10_000 }),
  };
}
