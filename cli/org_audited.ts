/** The `org` commands on the data folder, each change written down in the audit trail as the API would. */
import { redactChange, redactPolicy } from "../policy/config.ts";
import { describeChanges } from "../policy/changes.ts";
import { toldWaiver } from "../routes/api/waiver_schemas.ts";
import type { AuditTrail } from "../storage/audit_trail.ts";
import type { OrgAdmin } from "./org_command.ts";
import type { Target } from "./org_target.ts";

interface Audited {
  readonly trail: Pick<AuditTrail, "append">;
  /** The operator on the machine itself. */
  readonly user: string;
}

/** What is written down of one change. */
interface Change {
  readonly organisation: string | null;
  readonly user: string;
  /** The API's operation. */
  readonly action: string;
  readonly subject: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

async function append({ trail }: Audited, { before, after, ...change }: Change): Promise<void> {
  await trail.append({ ...change, principal: "local", from: "", changes: describeChanges(before, after) });
}

/** `organisation` null: the instance's floor. */
export function auditedTarget(target: Target, audited: Audited, organisation: string | null): Target {
  const what = organisation === null ? "Floor" : "Policy";
  return {
    ...target,
    async write(change) {
      const before = (await target.get())?.source;
      const stored = await target.write(change);
      await append(audited, {
        organisation,
        user: change.author,
        action: `put${what}`,
        subject: `revision ${stored.revision}`,
        ...redactChange(before, change.source),
      });
      return stored;
    },
    async restore(revision, author) {
      const before = (await target.get())?.source;
      const stored = await target.restore(revision, author);
      await append(audited, {
        organisation,
        user: author,
        action: `restore${what}`,
        subject: `revision ${stored.revision}, from revision ${revision}`,
        ...redactChange(before, stored.source),
      });
      return stored;
    },
  };
}

export function auditedAdmin(admin: OrgAdmin, audited: Audited): OrgAdmin {
  const { user } = audited;
  return {
    ...admin,
    async create(id, options) {
      const made = await admin.create(id, options);
      await append(audited, {
        organisation: id,
        user: options.author,
        action: "createOrganisation",
        subject: id,
        after: redactPolicy(options.source ?? {}),
      });
      return made;
    },
    async delete(id) {
      const before = redactPolicy((await admin.get(id))?.source);
      await admin.delete(id);
      await append(audited, { organisation: id, user, action: "deleteOrganisation", subject: id, before });
    },
    async revokeWaiver(organisation, id, by) {
      const found = (await admin.waivers(organisation)).find((each) => each.id === id);
      const isDone = await admin.revokeWaiver(organisation, id, by);
      if (!isDone) return false;
      const { ecosystem, name, version } = found ?? {};
      const before = found === undefined ? {} : { ecosystem, name, version, ...toldWaiver(found) };
      await append(audited, { organisation, user: by ?? user, action: "revokeWaiver", subject: id, before });
      return true;
    },
    async forgetUser(given) {
      await admin.forgetUser(given);
      // The trail is kept for ever: whoever is forgotten is not named there.
      await append(audited, {
        organisation: given.organisation,
        user,
        action: "forgetUser",
        subject: "a person",
      });
    },
  };
}
