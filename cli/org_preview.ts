/** `deno task org preview FILE`: what a policy would have done, before it is written. */
import { openApi, type PlaceFlags } from "./api_client.ts";
import { readDocument, writeDocument } from "./document_text.ts";
import type { Io } from "./io.ts";
import { readInput } from "./org_command.ts";
import { columns } from "./org_print.ts";
import { UsageError } from "./storage.ts";

interface Release {
  readonly purl: string;
  readonly rule: string;
}

interface Asked extends Release {
  readonly times: number;
  readonly userCount: number;
  readonly users: readonly { readonly user: string | null; readonly times: number }[] | null;
}

interface List {
  readonly times: number;
  readonly userCount: number;
  readonly releaseCount: number;
  readonly releases: readonly Asked[];
}

/** As the API has it. */
interface Preview {
  readonly since: string;
  readonly packages: {
    readonly looked: number;
    readonly of: number;
    readonly uncached: number;
    readonly more: boolean;
  };
  readonly refused: List;
  readonly allowed: List;
  readonly letGo: {
    readonly releaseCount: number;
    readonly releases: readonly (Release & { readonly heldUntil: string | null })[];
  };
  readonly consequences: readonly string[];
}

const USERS_SHOWN = 5;

/** Asks the API, here or on a running server; changes nothing. */
export async function previewPolicy(
  flags: PlaceFlags & { readonly json?: boolean | undefined },
  operands: readonly string[],
  io: Io,
): Promise<number> {
  const [file, ...more] = operands;
  if (file === undefined || more.length > 0) {
    throw new UsageError("Expected FILE after the command. See deno task org --help.");
  }
  const document = readDocument(await readInput(io, file), file === "-" ? "standard input" : file);
  // Without --org: it is a part of the endpoint's own path.
  await using api = await openApi({ ...flags, org: undefined }, io);
  const path = `/organisations/${encodeURIComponent(flags.org ?? "default")}/policy/preview`;
  const preview = await api.call<Preview>("POST", path, { body: { document } });
  io.stdout(flags.json === true ? writeDocument(preview, "json") : toText(preview));
  return 0;
}

function toText({ since, packages, refused, allowed, letGo, consequences }: Preview): string {
  const nothing = refused.times + allowed.times + letGo.releaseCount === 0;
  return [
    ...consequences.map((sentence) => `${sentence}\n`),
    nothing ? "Of what was asked for, nothing would have been decided otherwise.\n" : "",
    asked(refused, "install", "by", "would have been refused"),
    asked(allowed, "refusal", "of", "would have been let through"),
    held(letGo),
    `Looked at ${packages.looked} of the ${packages.more ? "more than " : ""}${packages.of} packages that ` +
    `were asked for, by index or file, since ${since.slice(0, 10)},\n` +
    "the last asked for first; decided on what is cached, to the day.\n",
    packages.uncached === 0 ? "" : `Of ${packages.uncached} of them nothing is cached any more.\n`,
  ].join("");
}

function asked(list: List, what: string, by: string, would: string): string {
  if (list.times === 0) return "";
  const rows = list.releases.map(({ purl, rule, times, users, userCount }) => {
    const names = (users ?? []).slice(0, USERS_SHOWN).map(({ user }) => user ?? "(nobody)");
    const rest = userCount - names.length;
    const more = rest > 0 ? [names.length === 0 ? `${rest}` : `${rest} more`] : [];
    return [purl, rule, String(times), [...names, ...more].join(", ")];
  });
  const shown = columns(["release", "rule", `${what}s`, "users"], rows);
  return `${many(list.times, what)} ${by} ${many(list.userCount, "user")} ${would}:\n${shown}${
    cut(rows.length, list.releaseCount)
  }\n`;
}

function held({ releases, releaseCount }: Preview["letGo"]): string {
  if (releaseCount === 0) return "";
  const rows = releases.map(({ purl, rule, heldUntil }) => [purl, rule, heldUntil ?? ""]);
  const verb = releaseCount === 1 ? "is" : "are";
  return `${many(releaseCount, "release")} that ${verb} held would be let go:\n${
    columns(["release", "rule", "held until"], rows)
  }${cut(rows.length, releaseCount)}\n`;
}

function cut(shown: number, all: number): string {
  return shown < all ? `and ${all - shown} more releases\n` : "";
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
