/** How the API shows what is known of one package: its releases, and what somebody wrote of it. */
import * as z from "zod";
import type { Inspected, InspectedWaiver } from "../../ecosystems/pipeline.ts";
import type { Override } from "../../policy/documents.ts";
import type { Digest, Freeze } from "../../policy/types.ts";
import type { FileRecord } from "../../storage/kv/packages.ts";
import { instant, instantText } from "./schemas.ts";

/** One release of an answer. */
export const release = z.object({
  version: z.string(),
  purl: z.string(),
  publishedAt: instant.nullable(),
  firstSeenAt: instant.nullable().meta({ description: "By this Sluice" }),
  verdict: z.enum(["allow", "warn", "hold", "deny"]),
  rule: z.string().nullable(),
  reason: z.string().nullable(),
  maturesAt: instant.nullable().meta({ description: "When time alone will let it through" }),
  waivers: z.array(z.object({
    id: z.string(),
    until: instant,
    endsMature: z.boolean(),
    owner: z.string().meta({ description: "Who granted it" }),
    reason: z.string(),
    lifts: z.array(z.object({ rule: z.string(), reason: z.string() })).meta({
      description: "What would stand against the release without it",
    }),
  })).meta({ description: "Those that lift something of it" }),
  publisher: z.string().nullable().meta({ description: "As the registry names them" }),
  files: z.array(z.object({
    name: z.string(),
    digests: z.array(z.string()).meta({ description: "As the index states them: sha256:HEX" }),
    cached: z.object({ sizeBytes: z.number(), digest: z.string(), since: instant }).nullable(),
  })),
});

/** What somebody wrote of a package. */
export const listEntry = z.object({
  id: z.string(),
  effect: z.enum(["allow", "deny"]),
  package: z.string().meta({ description: "As it was written; may have `*` and `?`" }),
  version: z.string().nullable().meta({ description: "null: every version, or those in range" }),
  range: z.string().nullable().meta({ description: "A VERS range" }),
  lifts: z.array(z.string()).nullable(),
  reason: z.string().nullable(),
  owner: z.string().nullable(),
  until: instant.nullable().meta({ description: "It may have ended" }),
  isFloor: z.boolean().meta({ description: "The instance's, which nothing lifts" }),
});
export const freeze = z.object({
  at: instant,
  reason: z.string().nullable(),
  owner: z.string().nullable(),
  until: instant.nullable(),
});

/** `isFloor`: it is the instance's. */
export function entryOf(override: Override, isFloor: boolean): z.input<typeof listEntry> {
  const { id, effect, type, name, version, range, lifts, reason, owner, until } = override;
  return {
    ...{ id, effect, version, range, reason, owner, isFloor },
    package: `${type}/${name}`,
    lifts: lifts === null ? null : [...lifts],
    until: instantText(until),
  };
}

/** `files`: those that are cached, by name. */
export function releaseOf(each: Inspected["releases"][number], files: ReadonlyMap<string, FileRecord>) {
  return {
    ...each,
    publishedAt: instantText(each.publishedAt),
    firstSeenAt: instantText(each.firstSeenAt),
    maturesAt: instantText(each.maturesAt),
    waivers: each.waivers.map(waiverOf),
    files: each.files.map(({ filename, digests }) => ({
      name: filename,
      digests: digests.map(digestText),
      cached: keptOf(files.get(filename)),
    })),
  };
}

function waiverOf({ waiver, lifted }: InspectedWaiver) {
  const { id, until, endsMature = false, owner, reason } = waiver;
  const lifts = lifted.map(({ rule, message }) => ({ rule, reason: message }));
  return { id, until: instantText(until), endsMature, owner, reason, lifts };
}

function digestText({ algorithm, hex }: Digest): string {
  return `${algorithm}:${hex}`;
}

export function freezeOf({ at, reason, owner, until }: Freeze) {
  return { at: instantText(at), reason, owner, until: instantText(until) };
}

function keptOf(file: FileRecord | undefined) {
  if (file === undefined) return null;
  const digest = `sha256:${file.blob.split("/").at(-1)}`;
  return { sizeBytes: file.sizeBytes, digest, since: instantText(file.filledAt) };
}
