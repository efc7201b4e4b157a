/** `deno task member list|add|remove|sign-ins|sign-out`: who has which role, on the local data folder or a running server. */
import { ROLE_MEANINGS, ROLES, TRAIT_FORM } from "../storage/members.ts";
import { type ApiClient, openApi } from "./api_client.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable, safeText } from "./table.ts";

const USAGE = `Usage: deno task member COMMAND [flags]

  list             the rules that give people roles
  add WHO ROLE     gives a role to whoever fits, with their next request
  remove WHO       takes a rule away, in force with the next request
  sign-ins         who signed in lately, with which role
  sign-out ID      ends all sessions of one of them

  WHO    ${TRAIT_FORM.replace(", oidc:EMAIL", ",\n         oidc:EMAIL")}
${
  ROLES.map((role, i) => `  ${i === 0 ? "ROLE" : "    "}   ${role.padEnd(9)} ${ROLE_MEANINGS[role]}`).join(
    "\n",
  )
}

${PLACE_USAGE}`;

const OPTIONS = { ...PLACE_OPTIONS, json: { type: "boolean" } } as const;

/** As the API has them. */
interface Rule {
  readonly who: string;
  readonly role: string;
  readonly createdAt: string;
  readonly createdBy: string;
}

interface Person {
  readonly id: string;
  readonly user: string;
  readonly provider: string;
  readonly role: string;
  readonly signedInAt: string;
  readonly usedAt: string | null;
  readonly sessions: number;
}

type Work = (api: ApiClient, base: string) => Promise<string>;

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function member(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "member", usage: USAGE, args, io }, async () => {
    const { values, operands: [word = "", ...operands] } = readFlags(args, OPTIONS);
    const work = workOf(word, operands, { json: values.json ?? false, io });
    // The path names the organisation; the address must not.
    await using api = await openApi({ ...values, org: undefined }, io);
    io.stdout(await work(api, `/organisations/${encodeURIComponent(values.org ?? "default")}`));
  });
}

function workOf(
  word: string,
  operands: readonly string[],
  { json, io }: { readonly json: boolean; readonly io: Io },
): Work {
  const shown = (value: unknown, text: string) => json ? `${JSON.stringify(value, null, 2)}\n` : text;
  switch (word) {
    case "list":
      noOperands(operands);
      return async (api, base) => {
        const { rules, instanceOwners } = await api.call<
          { rules: readonly Rule[]; instanceOwners: readonly string[] }
        >("GET", `${base}/members`);
        return shown({ rules, instanceOwners }, listOf(rules, instanceOwners, io));
      };
    case "add": {
      const [who, role, ...more] = operands;
      if (who === undefined || role === undefined || more.length > 0) {
        throw new UsageError("This needs WHO and ROLE: member add github:octocat viewer.");
      }
      return async (api, base) => {
        const rule = await api.call<Rule>("POST", `${base}/members`, { body: { who, role } });
        return shown(rule, `${safeText(rule.who)} has the role ${rule.role}.\n`);
      };
    }
    case "remove": {
      const who = onlyOperand(operands, "WHO");
      return async (api, base) => {
        await api.call("DELETE", `${base}/members`, { query: { who } });
        return shown({ removed: who }, `${safeText(who)} has no role by this any more.\n`);
      };
    }
    case "sign-ins":
      noOperands(operands);
      return async (api, base) => {
        const { people } = await api.call<{ people: readonly Person[] }>("GET", `${base}/sign-ins`);
        return shown({ people }, peopleOf(people, io));
      };
    case "sign-out": {
      const id = onlyOperand(operands, "ID");
      return async (api, base) => {
        await api.call("DELETE", `${base}/sign-ins/${encodeURIComponent(id)}`);
        return shown({ signedOut: id }, "Signed out everywhere.\n");
      };
    }
    default:
      throw new UsageError(`Unknown command "${word}": list, add, remove, sign-ins or sign-out.`);
  }
}

function listOf(rules: readonly Rule[], owners: readonly string[], io: Io): string {
  const above = owners.length === 0
    ? ""
    : `Owners of the whole instance, by SLUICE_OWNERS: ${owners.map(safeText).join(", ")}\n`;
  if (rules.length === 0) {
    return `${above}No rule gives anybody a role. Add one: deno task member add github:octocat viewer\n`;
  }
  return above + printTable(rules, [
    { key: "who", title: "who" },
    { key: "role", title: "role" },
    { key: "createdAt", title: "since", show: ({ createdAt }) => minute(createdAt) },
    { key: "createdBy", title: "by" },
  ], { colour: io.isTty && !io.env.NO_COLOR });
}

function peopleOf(people: readonly Person[], io: Io): string {
  if (people.length === 0) return "Nobody with a role signed in within the last 90 days.\n";
  return printTable(people, [
    { key: "id", title: "id" },
    { key: "user", title: "user" },
    { key: "provider", title: "with" },
    { key: "role", title: "role" },
    { key: "signedInAt", title: "signed in", show: ({ signedInAt }) => minute(signedInAt) },
    { key: "usedAt", title: "last used", show: ({ usedAt }) => usedAt === null ? "" : minute(usedAt) },
    { key: "sessions", title: "sessions", show: ({ sessions }) => String(sessions) },
  ], { colour: io.isTty && !io.env.NO_COLOR });
}

function minute(at: string): string {
  return at.slice(0, 16).replace("T", " ");
}

if (import.meta.main) {
  Deno.exit(await member(Deno.args, processIo()));
}
