/** The audit trail in KV: each entry once among all and once among its organisation's, by rising ids. */
import type { EpochMs } from "../../policy/types.ts";
import type { AuditEntry, AuditQuery, AuditTrail, NewAuditEntry } from "../audit_trail.ts";
import { StorageError } from "../errors.ts";
import type { Clock } from "../runtime.ts";
import { type AuditLines, dropLines, firstLines, packLines, readLines, writeLines } from "./audit_lines.ts";
import { attempt } from "./call.ts";
import { boundedText } from "./held_entries.ts";
import { keys } from "./keys.ts";

interface AuditRecord {
  readonly v: 1;
  /** Its `changes` are the first of them where `lines` is there. */
  readonly entry: Omit<AuditEntry, "changesLeftOut"> & { readonly changesLeftOut?: number };
  /** Where all of them are; absent: they are here. */
  readonly lines?: AuditLines;
}

/** Of a name or subject; a purl of the API's is shorter. */
const MAX_TEXT = 2_000;
const ATTEMPTS = 5;

/** Several may share the store. */
export function createAuditTrail(kv: Deno.Kv, { clock }: { readonly clock: Clock }): AuditTrail {
  let last = { at: 0 as EpochMs, count: 0 };

  /** Sorts by time; of one millisecond, in the order in which this process wrote. */
  function idAt(at: EpochMs): string {
    last = { at, count: at === last.at ? last.count + 1 : 0 };
    const parts = [at, last.count].map((number) => Math.max(0, number).toString(36));
    return `${parts[0]!.padStart(9, "0")}-${parts[1]!.padStart(4, "0")}-${crypto.randomUUID().slice(0, 8)}`;
  }

  async function append(given: NewAuditEntry): Promise<void> {
    const at = clock();
    const changes = firstLines(given.changes);
    const changesLeftOut = given.changes.length - changes.length;
    const packed = changesLeftOut === 0 ? null : await packLines(given.changes);
    for (let i = 0; i < ATTEMPTS; i++) {
      const entry = {
        ...given,
        id: idAt(at),
        at,
        user: boundedText(given.user, MAX_TEXT),
        subject: boundedText(given.subject, MAX_TEXT),
        changes,
        changesLeftOut,
      };
      const record: AuditRecord = { v: 1, entry, ...(packed === null ? {} : { lines: packed.lines }) };
      const among = [keys.auditEntry(null, entry.id), keys.auditEntry({ of: given.organisation }, entry.id)];
      const atomic = kv.atomic();
      // What is there is never written over.
      for (const key of among) atomic.check({ key, versionstamp: null }).set(key, record);
      if (packed !== null) await writeLines(kv, atomic, entry.id, packed);
      if ((await attempt("write down what was changed", () => atomic.commit())).ok) return;
      if (packed !== null) await dropLines(kv, entry.id, packed);
    }
    throw new StorageError("Cannot write down what was changed: others were always faster");
  }

  async function list({ organisation, limit, before = null }: AuditQuery): Promise<readonly AuditEntry[]> {
    const whose = placeOf(organisation);
    const prefix = keys.auditTrail(whose);
    const selector = before === null ? { prefix } : { prefix, end: keys.auditEntry(whose, before) };
    return await attempt("read the audit trail", async () => {
      const found: AuditEntry[] = [];
      for await (const { value } of kv.list<AuditRecord>(selector, { limit, reverse: true })) {
        found.push({ changesLeftOut: 0, ...value.entry });
      }
      return found;
    });
  }

  async function get(id: string, { organisation }: Pick<AuditQuery, "organisation">) {
    const key = keys.auditEntry(placeOf(organisation), id);
    const { value } = await attempt("read the audit trail", () => kv.get<AuditRecord>(key));
    if (value === null) return null;
    const changes = value.lines === undefined ? value.entry.changes : await readLines(kv, id, value.lines);
    return { ...value.entry, changes, changesLeftOut: 0 };
  }
  return { append, list, get };
}

function placeOf(organisation: string | null | undefined): { readonly of: string | null } | null {
  return organisation === undefined ? null : { of: organisation };
}
