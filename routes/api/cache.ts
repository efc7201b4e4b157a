/** What is cached: how much of it, whether it is sound, what is taken away and what is pinned. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import type { ArtifactStore } from "../../storage/artifacts/store.ts";
import type { CacheKeeper } from "../../storage/cache/keeper.ts";
import { PurgeBrokenError, purgeCache, type Purged } from "../../storage/cache/purge.ts";
import { type Reference, titleOf } from "../../storage/cache/references.ts";
import { verifyCache, type VerifyEvent } from "../../storage/cache/verify.ts";
import { StorageError } from "../../storage/errors.ts";
import type { Pin, Pins } from "../../storage/kv/pins.ts";
import type { Purges } from "../../storage/kv/purges.ts";
import type { Clock } from "../../storage/runtime.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { ApiError, notFound, wrongField } from "./error.ts";
import { type SelectionDeps, selectionOf } from "./purge_selection.ts";
import { type NamedPackage, namedPackage, purlOf } from "./purl_field.ts";
import { givenInstant, instant, instantText } from "./schemas.ts";

const AREA = "Cache";
const PROGRESS_MS = 250;
/** Records that an answer to a purge names. */
const MOST_NAMED = 10_000;

export interface CacheApiDeps extends SelectionDeps {
  readonly store: ArtifactStore;
  readonly cache: Pick<CacheKeeper, "look">;
  readonly pins: Pins;
  readonly purges: Pick<Purges, "tell">;
  readonly clock: Clock;
}

const usage = z.object({
  bytes: z.number().int().nullable(),
  blobs: z.number().int().nullable().meta({ description: "Files and documents" }),
  maxBytes: z.number().int().nullable().meta({ description: "null: no bound" }),
}).meta({ id: "CacheUsage" });

const purge = z.strictObject({
  what: z.string().max(1_024).optional().meta({
    description: "A purl (pkg:npm/left-pad, with @1.3.0 that release's files) or an ecosystem (npm)",
  }),
  all: z.boolean().default(false),
  before: givenInstant.optional().meta({
    description: "Only what upstream gave or confirmed before; not what is pinned or frozen",
  }),
  unusedSince: givenInstant.optional().meta({
    description: "Only what nobody has used since; not what is pinned or frozen",
  }),
  dryRun: z.boolean().default(false),
});
const purged = z.object({
  dryRun: z.boolean(),
  packages: z.number().int().meta({ description: "That something went of" }),
  documents: z.number().int().meta({ description: "Records of documents" }),
  files: z.number().int(),
  blobs: z.number().int(),
  bytes: z.number().int().meta({ description: "That are free then; what others point at too stays" }),
  items: z.array(z.object({
    purl: z.string().nullable().meta({ description: "null: a document that is no package's own" }),
    ecosystem: z.string(),
    name: z.string(),
    file: z.string().nullable().meta({ description: "null: its documents" }),
    bytes: z.number().int(),
  })).meta({ description: `What went, or would go: the first ${MOST_NAMED.toLocaleString("en")}` }),
  isCut: z.boolean().meta({ description: "There is more than the items say" }),
}).meta({ id: "Purged" });

const checked = { blobs: z.number().int(), bytes: z.number().int() };
const verifyLine = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("progress"), ...checked }),
  z.object({ kind: z.literal("wrong"), blob: z.string() }),
  z.object({ kind: z.literal("unreadable"), blob: z.string(), message: z.string() }),
  z.object({
    kind: z.literal("dangling"),
    ecosystem: z.string(),
    package: z.string(),
    file: z.string().nullable(),
    title: z.string(),
    target: z.string(),
    why: z.string(),
  }).meta({ description: "A record that points at nothing" }),
  z.object({ kind: z.literal("end"), ...checked, isSound: z.boolean() }).meta({
    description: "The last line",
  }),
  z.object({ kind: z.literal("failed"), ...checked, message: z.string() }).meta({
    description: "The last line where the storage failed",
  }),
]);

const purl = z.string().max(1_024).meta({ description: "pkg:npm/left-pad, or with @1.3.0 that release" });
const pin = z.object({
  purl: z.string(),
  ecosystem: z.string(),
  name: z.string(),
  version: z.string().nullable().meta({ description: "null: all of the package" }),
  reason: z.string(),
  owner: z.string(),
  at: instant,
}).meta({ id: "Pin" });

export function cacheEndpoints(deps: CacheApiDeps): readonly Endpoint[] {
  const common = { scope: "operate", whose: "instance", area: AREA } as const;
  return [
    endpoint({
      ...common,
      id: "cacheUsage",
      method: "GET",
      path: "/cache",
      summary: "How much is cached, of how much; what other processes did is joined each minute.",
      answer: usage,
      handle: async () => ({ body: await deps.cache.look() }),
    }),
    endpoint({
      ...common,
      id: "purgeCache",
      method: "POST",
      path: "/purge",
      summary: "Takes away what is cached; it is fetched anew when it is asked for. " +
        "Policies, tokens, the install log and first-seen times stay.",
      body: purge,
      answer: purged,
      handle: (call) => purgeAs(deps, call),
    }),
    endpoint({
      ...common,
      id: "verifyCache",
      method: "POST",
      path: "/cache/verify",
      summary: "Holds every file and document against its digest, and takes away what is wrong; " +
        "one event a line, as they come.",
      body: z.strictObject({ ecosystem: z.string().optional(), dryRun: z.boolean().default(false) }),
      line: verifyLine,
      contentTypes: ["application/x-ndjson"],
      handle: ({ body }) => {
        checkEcosystem(deps, body.ecosystem);
        return { ndjson: verified(deps, body) };
      },
    }),
    ...pinEndpoints(deps),
  ];
}

function pinEndpoints({ pins, ecosystems }: CacheApiDeps): readonly Endpoint[] {
  const common = { scope: "operate", whose: "instance", area: AREA } as const;
  async function pinned({ ecosystem, name, version }: NamedPackage): Promise<Pin | undefined> {
    return (await pins.list()).find((each) =>
      each.ecosystem === ecosystem.id && each.name === name && each.version === version
    );
  }
  const shown = (given: Pin) => {
    const ecosystem = ecosystems.find(({ id }) => id === given.ecosystem);
    const text = ecosystem === undefined ? given.name : purlOf({ ...given, ecosystem });
    return { ...given, purl: text, at: instantText(given.at) };
  };
  return [
    endpoint({
      ...common,
      id: "listPins",
      method: "GET",
      path: "/cache/pins",
      summary: "What is never evicted, beside what organisations have frozen.",
      answer: z.object({ pins: z.array(pin) }),
      handle: async () => ({ body: { pins: (await pins.list()).map(shown) } }),
    }),
    endpoint({
      ...common,
      id: "pin",
      method: "POST",
      path: "/cache/pin",
      summary:
        "Keeps what is cached of a package or a release, whatever is evicted; a pin that it has is replaced.",
      body: z.strictObject({ purl, reason: z.string().max(500, "at most 500 characters").default("") }),
      answer: pin,
      handle: async ({ body, principal, note }) => {
        const named = namedPackage(ecosystems, body.purl, "body.purl");
        const { ecosystem, name, version } = named;
        const before = await pinned(named);
        const made = await pins.add({
          ecosystem: ecosystem.id,
          name,
          version,
          reason: body.reason,
          owner: principal.user,
        });
        note({ subject: body.purl, before: toldPin(before), after: toldPin(made) });
        return { status: 201, body: shown(made) };
      },
    }),
    endpoint({
      ...common,
      id: "unpin",
      method: "POST",
      path: "/cache/unpin",
      summary: "Lets it be evicted again.",
      body: z.strictObject({ purl }),
      handle: async ({ body, note }) => {
        const named = namedPackage(ecosystems, body.purl, "body.purl");
        const { ecosystem, name, version } = named;
        note({ subject: body.purl, before: toldPin(await pinned(named)) });
        if (!await pins.remove({ ecosystem: ecosystem.id, name, version })) {
          throw notFound("no-such-pin", `${JSON.stringify(body.purl)} is not pinned`);
        }
        return { status: 204 };
      },
    }),
  ];
}

async function purgeAs(deps: CacheApiDeps, { body }: Call<unknown, unknown, z.output<typeof purge>>) {
  const { kv, store, purges } = deps;
  const { dryRun, all } = body;
  const matches = await selectionOf(deps, body);
  const isWhole = all && body.before === undefined && body.unusedSince === undefined;
  const gone = createGone(deps.ecosystems);
  try {
    const done = await purgeCache({
      kv,
      store,
      matches,
      unreferenced: isWhole,
      dryRun,
      onGone: gone.note,
    });
    if (!dryRun) await purges.tell();
    return { body: { dryRun, ...done, ...gone.shown() } };
  } catch (error) {
    if (!(error instanceof PurgeBrokenError)) throw error;
    // What broke the purge may break this, too: the one that is repeated tells it.
    await purges.tell().catch(() => {});
    throw new ApiError(503, "purge-broken", brokenText(error.done), {
      retryAfterSeconds: 5,
      extra: { done: error.done },
    });
  }
}

/** For the audit trail, where the package is the subject. */
function toldPin(given: Pin | undefined) {
  return given === undefined ? {} : { pinned: true, reason: given.reason === "" ? null : given.reason };
}

/** What a purge takes, by name; bounded. */
function createGone(ecosystems: readonly Ecosystem[]) {
  const items: Gone[] = [];
  let count = 0;
  return {
    note(reference: Reference): void {
      if (++count > MOST_NAMED) return;
      const { key, ecosystem: id, name, filename: file, pointers } = reference;
      const ecosystem = ecosystems.find((each) => each.id === id);
      const isPackage = key[3] === "package" && ecosystem !== undefined;
      items.push({
        purl: isPackage ? purlOf({ ecosystem, name, version: null }) : null,
        ecosystem: id,
        name,
        file,
        bytes: pointers.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      });
    },
    /** A package's documents, then its files. */
    shown: () => ({ items: items.toSorted(inOrder), isCut: count > items.length }),
  };
}

interface Gone {
  readonly purl: string | null;
  readonly ecosystem: string;
  readonly name: string;
  readonly file: string | null;
  readonly bytes: number;
}

function inOrder(one: Gone, other: Gone): number {
  const [a, b] = [one, other].map(({ ecosystem, name, file }) => `${ecosystem}\n${name}\n${file ?? ""}`);
  return a! < b! ? -1 : a! > b! ? 1 : 0;
}

function brokenText({ documents, files, blobs, bytes }: Purged): string {
  return `The storage failed half-way: ${documents} records of documents and ${files} files are gone, ` +
    `with ${blobs} blobs of ${bytes} bytes. The same purge again does the rest`;
}

function checkEcosystem({ ecosystems }: CacheApiDeps, given: string | undefined): void {
  const known = ecosystems.map(({ id }) => id);
  if (given === undefined || known.includes(given)) return;
  throw wrongField("body.ecosystem", `${JSON.stringify(given)} is no ecosystem: ${known.join(", ")}`);
}

/** Ends with a line of kind `end`, or of kind `failed` where the storage did. */
async function* verified(
  { kv, store, clock }: CacheApiDeps,
  { ecosystem, dryRun }: { readonly ecosystem?: string | undefined; readonly dryRun: boolean },
): AsyncGenerator<unknown> {
  let checked = { blobs: 0, bytes: 0 };
  let isSound = true;
  let toldAt = -Infinity;
  try {
    for await (const event of verifyCache({ kv, store, dryRun, ...(ecosystem ? { ecosystem } : {}) })) {
      if (event.kind !== "progress") {
        isSound = false;
        yield shownEvent(event);
        continue;
      }
      checked = event.checked;
      if (Math.abs(clock() - toldAt) < PROGRESS_MS) continue;
      toldAt = clock();
      yield { kind: "progress", ...checked };
    }
    yield { kind: "end", ...checked, isSound };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    yield { kind: "failed", ...checked, message: error.message };
  }
}

function shownEvent(event: Exclude<VerifyEvent, { readonly kind: "progress" }>): unknown {
  if (event.kind !== "dangling") return event;
  const { reference, target, why } = event.dangling;
  const { ecosystem, name, filename } = reference;
  return {
    kind: "dangling",
    ecosystem,
    package: name,
    file: filename,
    title: titleOf(reference),
    target,
    why,
  };
}
