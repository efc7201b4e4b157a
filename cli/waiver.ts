/** `deno task waiver`: exceptions asked for, granted, declined, revoked, on the local data folder or a running server. */
import { type ApiClient, openApi } from "./api_client.ts";
import { noOperands, onlyOperand, PLACE_OPTIONS, PLACE_USAGE, readFlags, runCommand } from "./command.ts";
import { type Io, processIo } from "./io.ts";
import { UsageError } from "./storage.ts";
import { type Column, printTable, safeText } from "./table.ts";
import { endOf, minuteText, purlOf } from "./texts.ts";

const USAGE = `Usage: deno task waiver COMMAND [flags]

  list                   waivers in force, with who, why and use; --ended: those that have ended
  requests               what was asked for and waits for an answer; --answered: what was answered
  ask PURL               asks for an exception: pkg:npm/left-pad@1.3.1 (or npm/left-pad@1.3.1)
  grant ID | PURL        grants a request, or what nobody asked for; in force within a second
  decline ID             declines a request
  revoke ID              ends a waiver, within a second

  --reason TEXT          why (ask, and grant of a PURL)
  --ticket TEXT          where the work is described
  --until 7d             when it ends: a length, an instant, or mature (until it matures: the default; of a request:
                         as was asked)
  --range RANGE          a VERS range instead of one version: vers:npm/>=1.3.0|<2.0.0
  --lifts RULE           what it lifts instead of holds: yanked, deprecated, override, ...; may be given more than once
  --word TEXT            a word for whoever asked (grant, decline)
${PLACE_USAGE}`;

const OPTIONS = {
  ...PLACE_OPTIONS,
  reason: { type: "string" },
  ticket: { type: "string" },
  until: { type: "string" },
  range: { type: "string" },
  lifts: { type: "string", multiple: true },
  word: { type: "string" },
  ended: { type: "boolean" },
  answered: { type: "boolean" },
  json: { type: "boolean" },
} as const;

type Values = ReturnType<typeof readFlags<typeof OPTIONS>>["values"];

/** As the API has it. */
interface Waiver {
  readonly id: string;
  readonly purl: string;
  readonly version: string | null;
  readonly range: string | null;
  readonly reason: string;
  readonly owner: string;
  readonly askedBy: string | null;
  readonly until: string;
  readonly uses: number;
  readonly endedAt?: string;
  readonly revokedBy?: string | null;
}

interface Request {
  readonly id: string;
  readonly purl: string;
  readonly range: string | null;
  readonly reason: string;
  readonly ticket: string | null;
  readonly askedBy: string | null;
  readonly isVerified: boolean;
  readonly until: string | null;
  readonly outlook: { readonly named: readonly { readonly sentence: string }[] } | null;
  readonly answer: {
    readonly granted: boolean;
    readonly by: string;
    readonly word: string | null;
    readonly waiver: { readonly id: string; readonly until: string } | null;
  } | null;
}

/** What a command is given. */
interface Given {
  readonly io: Io;
  readonly values: Values;
  readonly operands: readonly string[];
  readonly api: ApiClient;
}

const COMMANDS: Readonly<Record<string, (given: Given) => Promise<void>>> = {
  list,
  requests,
  ask,
  grant,
  decline,
  revoke,
};

/** Exit code 0: done; 1: refused or failed; 2: the command line is wrong. */
export function waiver(args: readonly string[], io: Io): Promise<number> {
  return runCommand({ name: "waiver", usage: USAGE, args, io }, async () => {
    const { values, operands: [name = "list", ...operands] } = readFlags(args, OPTIONS);
    const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined) throw new UsageError(`There is no command "${name}".`);
    // To revoke is an endpoint at the base address: its path names the organisation.
    const place = name === "revoke" ? { ...values, org: undefined } : values;
    await using api = await openApi(place, io);
    await command({ io, values, operands, api });
  });
}

async function list({ io, values, operands, api }: Given): Promise<void> {
  noOperands(operands);
  const path = values.ended ? "/waivers/past" : "/waivers";
  const waivers = await all<Waiver>((query) =>
    api.call<{ waivers: readonly Waiver[]; next: string | null }>("GET", path, { query })
      .then(({ waivers, next }) => ({ rows: waivers, next }))
  );
  if (values.json) return io.stdout(`${JSON.stringify(waivers, null, 2)}\n`);
  if (waivers.length === 0) {
    return io.stdout(
      values.ended
        ? "No waiver has ended lately.\n"
        : "No waiver is in force. What is asked for: deno task waiver requests\n",
    );
  }
  const ends: Column<Waiver> = values.ended
    ? { key: "endedAt", title: "ended", show: ({ endedAt }) => minuteText(endedAt ?? "") }
    : { key: "until", title: "until", show: ({ until }) => minuteText(until) };
  io.stdout(printTable(waivers, [
    { key: "id", title: "id" },
    { key: "purl", title: "for", show: subjectOf },
    ends,
    { key: "uses", title: "uses" },
    { key: "owner", title: "by" },
    { key: "askedBy", title: "asked by" },
    { key: "reason", title: "reason" },
  ], { colour: io.isTty && !io.env.NO_COLOR }));
}

async function requests({ io, values, operands, api }: Given): Promise<void> {
  noOperands(operands);
  const state = values.answered ? "answered" : "open";
  const found = await all<Request>((query) =>
    api.call<{ requests: readonly Request[]; next: string | null }>("GET", "/waiver-requests", {
      query: { ...query, state },
    }).then(({ requests, next }) => ({ rows: requests, next }))
  );
  if (values.json) return io.stdout(`${JSON.stringify(found, null, 2)}\n`);
  if (found.length === 0) {
    return io.stdout(values.answered ? "No request was answered lately.\n" : "Nobody waits for an answer.\n");
  }
  const last: Column<Request> = values.answered
    ? { key: "answer", title: "answer", show: answerText }
    : { key: "outlook", title: "held because", show: ({ outlook }) => outlook?.named[0]?.sentence ?? "" };
  io.stdout(printTable(found, [
    { key: "id", title: "id" },
    { key: "purl", title: "for", show: subjectOf },
    { key: "until", title: "until", show: ({ until }) => until === null ? "it matures" : minuteText(until) },
    { key: "askedBy", title: "asked by", show: askerText },
    { key: "ticket", title: "ticket" },
    { key: "reason", title: "reason" },
    last,
  ], { colour: io.isTty && !io.env.NO_COLOR }));
}

async function ask({ io, values, operands, api }: Given): Promise<void> {
  const body = { ...subject(values, operands), ...why(values), until: until(values, io) };
  const made = await api.call<Request>("POST", "/waiver-requests", { body });
  say({ io, values }, made, `Asked for ${safeText(subjectOf(made))}. An approver answers: ${made.id}\n`);
}

async function grant({ io, values, operands, api }: Given): Promise<void> {
  const [what] = operands;
  if (what?.includes("/") !== true) return await grantRequest({ io, values, operands, api });
  const body = {
    ...subject(values, operands),
    ...why(values),
    until: until(values, io),
    lifts: values.lifts,
  };
  const made = await api.call<Waiver>("POST", "/waivers", { body });
  say({ io, values }, made, granted(subjectOf(made), made.until, made.id));
}

async function grantRequest({ io, values, operands, api }: Given): Promise<void> {
  const id = onlyOperand(operands, "request's id, or package");
  const { word, range, lifts } = values;
  const body = { word, range, lifts, until: until(values, io) };
  const made = await api.call<Request>("POST", `/waiver-requests/${encodeURIComponent(id)}/grant`, { body });
  const held = made.answer?.waiver ?? null;
  say({ io, values }, made, granted(subjectOf(made), held?.until ?? "", held?.id ?? ""));
}

async function decline({ io, values, operands, api }: Given): Promise<void> {
  const id = onlyOperand(operands, "request's id");
  const body = { word: values.word };
  const made = await api.call<Request>("POST", `/waiver-requests/${encodeURIComponent(id)}/decline`, {
    body,
  });
  say({ io, values }, made, `Declined ${safeText(subjectOf(made))}.\n`);
}

async function revoke({ io, values, operands, api }: Given): Promise<void> {
  const id = onlyOperand(operands, "waiver's id");
  const organisation = encodeURIComponent(values.org ?? "default");
  await api.call("DELETE", `/organisations/${organisation}/waivers/${encodeURIComponent(id)}`);
  say({ io, values }, { id }, `Revoked ${safeText(id)}; in force within a second.\n`);
}

function subject(values: Values, operands: readonly string[]) {
  return { purl: purlOf(onlyOperand(operands, "package")), range: values.range };
}

function why({ reason, ticket }: Values) {
  if (reason === undefined) throw new UsageError("This needs --reason.");
  return { reason, ticket };
}

function until({ until }: Values, io: Io): string | undefined {
  return until === undefined || until === "mature" ? until : endOf(until, io);
}

function subjectOf({ purl, range }: Pick<Waiver, "purl" | "range">): string {
  return range === null ? purl : `${purl} ${range}`;
}

function askerText({ askedBy, isVerified }: Request): string {
  return isVerified ? askedBy ?? "" : `${askedBy ?? "somebody"} (unverified)`;
}

function answerText({ answer }: Request): string {
  if (answer === null) return "";
  const word = answer.word === null ? "" : `: ${answer.word}`;
  return `${answer.granted ? "granted" : "declined"} by ${answer.by}${word}`;
}

function granted(what: string, until: string, id: string): string {
  return `Granted ${safeText(what)} until ${minuteText(until)}; in force within a second. ` +
    `End it: deno task waiver revoke ${safeText(id)}\n`;
}

function say({ io, values }: Pick<Given, "io" | "values">, made: unknown, text: string): void {
  io.stdout(values.json ? `${JSON.stringify(made, null, 2)}\n` : text);
}

/** Every page of a series. */
async function all<T>(
  page: (
    query: { readonly cursor?: string },
  ) => Promise<{ readonly rows: readonly T[]; readonly next: string | null }>,
): Promise<readonly T[]> {
  const rows: T[] = [];
  let cursor: string | null = null;
  do {
    const found: { readonly rows: readonly T[]; readonly next: string | null } = await page(
      cursor === null ? {} : { cursor },
    );
    rows.push(...found.rows);
    cursor = found.next;
  } while (cursor !== null);
  return rows;
}

if (import.meta.main) Deno.exit(await waiver(Deno.args, processIo()));
