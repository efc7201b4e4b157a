/** From a call that was done to its entry in the audit trail. */
import { describeChanges } from "../../policy/changes.ts";
import type { NewAuditEntry } from "../../storage/audit_trail.ts";
import type { AuditNote, Call, Endpoint } from "./endpoint.ts";

/** What was only tried out changed nothing. */
export function isDryRun({ body, query }: Call): boolean {
  return [body, query].some((each) => isFields(each) && each.dryRun === true);
}

export function auditEntryOf(options: {
  readonly endpoint: Pick<Endpoint, "id" | "whose">;
  readonly call: Call;
  readonly from: string;
  /** The organisation on whose page it was done; null: on none. */
  readonly pageOf: string | null;
  /** What the endpoint itself says; null: nothing. */
  readonly note: AuditNote | null;
}): NewAuditEntry {
  const { endpoint, call, from, pageOf, note } = options;
  const { principal } = call;
  const params = isFields(call.params) ? call.params : {};
  const named = typeof params.organisation === "string" ? params.organisation : pageOf;
  const whose = endpoint.whose === "instance" ? named : call.organisation.id;
  return {
    organisation: note?.organisation === undefined ? whose : note.organisation,
    user: principal.user,
    principal: principal.id,
    from,
    action: endpoint.id,
    subject: note?.subject ?? subjectOf(call),
    changes: note === null
      ? describeChanges({}, isFields(call.body) ? call.body : {})
      : describeChanges(note.before ?? {}, note.after ?? {}),
  };
}

/** What the call names itself: a purl, an id. */
function subjectOf({ params, body, query }: Call): string {
  const named = [params, body, query].filter(isFields).flatMap((fields) =>
    ["purl", "what", "id", "name", "user"].flatMap((name) =>
      typeof fields[name] === "string" ? [fields[name]] : []
    )
  );
  return named[0] ?? "";
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
