/** Filling the cache before anybody asks: what purls, lockfiles or the install log name, through policy and pipeline. */
import * as z from "zod";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { packageOf } from "../../ecosystems/_shared/lockfiles/list.ts";
import { readLockfile } from "../../ecosystems/_shared/lockfiles/read.ts";
import type { LockedPackage, SkippedEntry } from "../../ecosystems/_shared/lockfiles/types.ts";
import type { Prefetched, PrefetchOptions, Wish } from "../../ecosystems/_pipeline/prefetch_types.ts";
import { installed, type Wishes, wishesOf } from "../../ecosystems/_pipeline/prefetch_wishes.ts";
import { compileGlob } from "../../policy/glob.ts";
import { StorageError } from "../../storage/errors.ts";
import type { InstallQueries } from "../../storage/installs/query_types.ts";
import type { Clock } from "../../storage/runtime.ts";
import { type Call, type Endpoint, endpoint } from "./endpoint.ts";
import { wrongField } from "./error.ts";
import { givenInstant, instantText } from "./schemas.ts";

const MAX_BODY_BYTES = 32 * 2 ** 20;
const MAX_PURLS = 10_000;
const MAX_LOCKFILES = 20;
const MAX_PATTERNS = 100;

export interface PrefetchApiDeps {
  readonly ecosystems: readonly Ecosystem[];
  readonly queries: Pick<InstallQueries, "export">;
  readonly prefetch: (
    wishes: readonly Wish[],
    options: PrefetchOptions,
  ) => AsyncIterable<Prefetched | "wish-ended">;
  readonly clock: Clock;
}

const lockfile = z.strictObject({
  name: z.string().min(1, "the file's name or path").max(500, "at most 500 characters").meta({
    description: "The file's name or path, which says the format; else how it begins does",
  }),
  text: z.string(),
});
const wanted = z.strictObject({
  purls: z.array(z.string().max(1_024, "at most 1,024 characters")).max(MAX_PURLS, `at most ${MAX_PURLS}`)
    .default([]).meta({
      description: "pkg:npm/left-pad@1.3.0; without a version the newest that is allowed",
    }),
  lockfiles: z.array(lockfile).max(MAX_LOCKFILES, `at most ${MAX_LOCKFILES}`).default([]).meta({
    description:
      "Lockfiles of npm, pnpm, yarn, bun, pip, uv, poetry, pipenv and Cargo; CycloneDX, SPDX, lists",
  }),
  sinceLog: givenInstant.optional().meta({ description: "All that was installed from this instant on" }),
  files: z.array(z.string().min(1, "a pattern").max(200, "at most 200 characters"))
    .max(MAX_PATTERNS, `at most ${MAX_PATTERNS}`).default([])
    .meta({
      description: "Where a release has several files: only those that match one of these (`*`, `?`)",
    }),
  dryRun: z.boolean().default(false).meta({ description: "Looks and decides, and fetches no file" }),
});

type Wanted = z.output<typeof wanted>;

const count = z.number().int();
const sums = { kept: count, filled: count, wanted: count, refused: count, failed: count, bytes: count };
const line = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("plan"),
    releases: count,
    skipped: z.array(z.object({ where: z.string(), why: z.string() })).meta({
      description: "Entries that name nothing that can be fetched",
    }),
  }).meta({ description: "The first line" }),
  z.object({
    kind: z.literal("file"),
    purl: z.string(),
    filename: z.string().nullable().meta({ description: "null: it is about the whole release or package" }),
    outcome: z.enum(["kept", "filled", "wanted", "refused", "failed"]).meta({
      description: "kept: it was here; filled: it is now; wanted: it would be (dryRun)",
    }),
    bytes: count,
    message: z.string().nullable().meta({ description: "Why it was refused or failed" }),
    rule: z.string().nullable().meta({ description: "That refused it" }),
    where: z.string().meta({ description: "Where in the list or lockfile it stands" }),
  }),
  z.object({ kind: z.literal("progress") }).meta({ description: "One of the plan's releases is done" }),
  z.object({ kind: z.literal("end"), ...sums }).meta({ description: "The last line" }),
  z.object({ kind: z.literal("failed"), message: z.string(), ...sums }).meta({
    description: "The last line where the storage failed",
  }),
]);

export function prefetchEndpoints(deps: PrefetchApiDeps): readonly Endpoint[] {
  return [
    endpoint({
      id: "prefetch",
      method: "POST",
      path: "/prefetch",
      scope: "operate",
      whose: "address",
      area: "Cache",
      summary:
        "Fetches what is named before anybody asks, as far as the organisation's policy lets it through; " +
        "answers a line for each file as it is there, and what it came to in the last one.",
      body: wanted,
      line,
      contentTypes: ["application/x-ndjson"],
      maxBytes: MAX_BODY_BYTES,
      handle: async (call) => {
        const wishes = await wishesIn(deps, call);
        call.note({ after: asked(call.body) });
        return { ndjson: told(deps, call, wishes) };
      },
    }),
  ];
}

/** WARNING: lockfiles may hold credentials in addresses: the audit trail has their names alone. */
function asked({ purls, lockfiles, files, sinceLog }: Wanted) {
  const list = (each: readonly string[]) => each.length === 0 ? null : each;
  return {
    purls: list(purls),
    files: list(files),
    lockfiles: list(lockfiles.map(({ name }) => name)),
    "of the log since": sinceLog === undefined ? null : instantText(sinceLog),
  };
}

async function wishesIn(deps: PrefetchApiDeps, { body, organisation }: Call<unknown, unknown, Wanted>) {
  if (body.purls.length === 0 && body.lockfiles.length === 0 && body.sinceLog === undefined) {
    throw wrongField("body", "Say what is wanted: purls, lockfiles or sinceLog");
  }
  if (body.sinceLog !== undefined && body.sinceLog > deps.clock()) {
    throw wrongField("body.sinceLog", "This instant is in the future");
  }
  const purls = body.purls.map((text, index) => purlIn(deps, text, `body.purls.${index}`));
  const read = body.lockfiles.map((file, index) => lockfileIn(file, `body.lockfiles.${index}`));
  const log = body.sinceLog === undefined ? [] : await Array.fromAsync(
    installed(deps.ecosystems, deps.queries.export({ organisation: organisation.id, since: body.sinceLog })),
  );
  const { wishes, skipped } = wishesOf(deps.ecosystems, [
    ...purls,
    ...read.flatMap(({ packages }) => packages),
    ...log,
  ]);
  return { wishes, skipped: [...read.flatMap((each) => each.skipped), ...skipped] };
}

/** Throws ApiError: whoever writes a purl of another ecosystem is told so. */
function purlIn({ ecosystems }: PrefetchApiDeps, text: string, field: string): LockedPackage {
  const found = reading(field, () => packageOf(text, text));
  if (ecosystems.some(({ purlType }) => purlType === found.type)) return found;
  const known = ecosystems.map(({ purlType }) => `pkg:${purlType}/`).join(", ");
  throw wrongField(field, `${JSON.stringify(text)} is of no ecosystem here: expected ${known}`);
}

function lockfileIn({ name, text }: z.output<typeof lockfile>, field: string) {
  const { packages, skipped } = reading(field, () => readLockfile(name, text));
  const within = <T extends SkippedEntry | LockedPackage>(entry: T): T => ({
    ...entry,
    where: `${name}, ${entry.where}`,
  });
  return { packages: packages.map(within), skipped: skipped.map(within) };
}

function reading<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyntaxError) throw wrongField(field, error.message);
    throw error;
  }
}

/** Ended early, nothing more is begun; what was fetched by then stays, and the next time it is passed over. */
async function* told(
  deps: PrefetchApiDeps,
  { organisation, site, principal, body }: Call<unknown, unknown, Wanted>,
  { wishes, skipped }: Wishes,
): AsyncGenerator<unknown> {
  const stop = new AbortController();
  const sum = { kept: 0, filled: 0, wanted: 0, refused: 0, failed: 0, bytes: 0 };
  const patterns = body.files.map((pattern) => compileGlob(pattern, { crossesSlash: true }));
  const isWanted = (filename: string) => patterns.some((pattern) => pattern.matches(filename));
  yield { kind: "plan", releases: wishes.length, skipped };
  try {
    const events = deps.prefetch(wishes, {
      organisation,
      site,
      asker: `api ${principal.id}`,
      isDryRun: body.dryRun,
      signal: stop.signal,
      ...(patterns.length === 0 ? {} : { wantsFile: isWanted }),
    });
    for await (const event of events) {
      if (event === "wish-ended") {
        yield { kind: "progress" };
        continue;
      }
      sum[event.outcome]++;
      if (event.outcome === "filled" || event.outcome === "wanted") sum.bytes += event.bytes;
      yield { kind: "file", ...event };
    }
    yield { kind: "end", ...sum };
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    yield { kind: "failed", message: error.message, ...sum };
  } finally {
    stop.abort();
  }
}
