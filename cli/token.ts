/** `deno task token create|list|revoke`: tokens, on the local data folder or a running server. */
import { SCOPE_MEANINGS, SCOPES } from "../storage/tokens.ts";
import { openApi } from "./api_client.ts";
import { ApiFailure } from "./api_failure.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { printTable, safeText } from "./table.ts";
import { parseSettingDuration } from "./units.ts";

const USAGE = `Usage: deno task token COMMAND [flags]

  create USER     makes a token and shows it, once
  list            all of them, without their secrets
  revoke ID       in force everywhere within a second

  --scopes A,B           ${SCOPES.join(", ")} (default: read)
${SCOPES.map((scope) => `                           ${scope.padEnd(9)} ${SCOPE_MEANINGS[scope]}`).join("\n")}
  --ecosystems A,B       only these (default: all)
  --expires 90d          when it ends by itself (default: never; an instant will do: 2027-01-01)
  --description TEXT     what it is for
  --instance             for every organisation, not for one
  --path                 for addresses (/t/TOKEN/…), where a client can send no header: reads only, for the 24 hours
                         that are the most, or what --expires says
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  scopes: { type: "string" },
  ecosystems: { type: "string" },
  expires: { type: "string" },
  description: { type: "string" },
  instance: { type: "boolean" },
  path: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** As the API has it. */
interface Token {
  readonly id: string;
  readonly user: string;
  readonly organisation: string | null;
  readonly scopes: readonly string[];
  readonly kind: string;
  readonly ecosystems: readonly string[] | null;
  readonly description: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly lastUsedAt: string | null;
}

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function token(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "token", usage: USAGE, args, io }, async () => {
    const { values, operands: [word = "", ...operands] } = readFlags(args, OPTIONS);
    const { json = false } = values;
    if (word !== "create" && word !== "list" && word !== "revoke") {
      throw new UsageError(`Unknown command "${word}": create, list or revoke.`);
    }
    if (word === "list") noOperands(operands);
    const operand = word === "list"
      ? ""
      : onlyOperand(operands, word === "create" ? "user name" : "token's id");
    const wanted = word === "create" ? wantedToken(operand, values, io) : null;
    await using api = await openApi(values, io);
    if (word === "list") {
      const { tokens } = await api.call<{ tokens: readonly Token[] }>("GET", "/tokens", {
        query: { organisation: values.org },
      });
      return io.stdout(json ? `${JSON.stringify(tokens, null, 2)}\n` : listOf(tokens, io));
    }
    if (word === "revoke") {
      await api.call("DELETE", `/tokens/${encodeURIComponent(operand)}`);
      return io.stdout(
        json ? `${JSON.stringify({ revoked: operand })}\n` : `Revoked ${safeText(operand)}.\n`,
      );
    }
    const made = await api.call<{ secret: string; token: Token }>("POST", "/tokens", { body: wanted })
      .catch(namingFlag);
    io.stdout(json ? `${JSON.stringify(made, null, 2)}\n` : shown(made));
  });
}

function wantedToken(user: string, values: ReturnType<typeof readFlags<typeof OPTIONS>>["values"], io: Io) {
  return {
    user,
    scopes: listed(values.scopes) ?? ["read"],
    ecosystems: listed(values.ecosystems) ?? null,
    description: values.description ?? "",
    kind: values.path ? "path" : "header",
    expiresAt: values.expires === undefined ? null : endOf(values.expires, io),
    ...(values.instance ? { organisation: null } : {}),
  };
}

/** The flags by which somebody gave what the API says is wrong. */
const FLAGS: Readonly<Record<string, string>> = {
  "body.expiresAt": "--expires",
  "body.scopes": "--scopes",
  "body.ecosystems": "--ecosystems",
  "body.description": "--description",
};

function namingFlag(error: unknown): never {
  if (!(error instanceof ApiFailure)) throw error;
  const flags = error.fields.map((field) => FLAGS[field.split(".", 2).join(".")] ?? "").filter(Boolean);
  if (flags.length === 0) throw error;
  const named = [...new Set(flags)].join(", ");
  throw new ApiFailure(error.status, error.code, `${named}: ${error.message}`, error.fields);
}

function listed(text: string | undefined): readonly string[] | undefined {
  return text?.split(",").map((word) => word.trim()).filter((word) => word !== "");
}

/** `90d` from now, or an instant, which the API reads. */
function endOf(text: string, io: Io): string {
  const length = parseSettingDuration(text);
  return length === null ? text : new Date(io.clock() + length).toISOString();
}

function shown({ secret, token }: { readonly secret: string; readonly token: Token }): string {
  const where = token.organisation === null ? "every organisation" : `organisation ${token.organisation}`;
  return [
    secret,
    "",
    `This is the only time it is shown. It is ${safeText(token.user)}'s, for ${where}: ${
      token.scopes.join(", ")
    }${token.expiresAt === null ? "" : `, until ${token.expiresAt}`}.`,
    `Revoke it with: deno task token revoke ${token.id}`,
    "",
  ].join("\n");
}

function listOf(tokens: readonly Token[], io: Io): string {
  if (tokens.length === 0) return "There are no tokens. Make one: deno task token create NAME\n";
  return printTable(tokens, [
    { key: "id", title: "id" },
    { key: "user", title: "user" },
    { key: "organisation", title: "organisation", show: ({ organisation }) => organisation ?? "(instance)" },
    {
      key: "scopes",
      title: "scopes",
      show: ({ scopes, kind }) => `${scopes.join(" ")}${kind === "path" ? " (address)" : ""}`,
    },
    { key: "ecosystems", title: "ecosystems", show: ({ ecosystems }) => ecosystems?.join(" ") ?? "all" },
    { key: "expiresAt", title: "expires", show: ({ expiresAt }) => minute(expiresAt) ?? "never" },
    { key: "lastUsedAt", title: "last used", show: ({ lastUsedAt }) => minute(lastUsedAt) ?? "never" },
    { key: "description", title: "description" },
  ], { colour: io.isTty && !io.env.NO_COLOR });
}

function minute(at: string | null): string | null {
  return at === null ? null : at.slice(0, 16).replace("T", " ");
}

if (import.meta.main) {
  Deno.exit(await token(Deno.args, processIo()));
}
