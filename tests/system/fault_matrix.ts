/**
 * Every document and file that any ask of any ecosystem makes Sluice fetch, each with a row of its own: found out by
 * asking, so that a protocol that joins has its rows without a line written. One organisation for each fault, with an
 * upstream of its own; one package for each row: every row begins cold.
 */
import { createOrganisations } from "../../storage/kv/organisations.ts";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import type { EpochMs } from "../../policy/types.ts";
import type { SampleAnswer, SampleAsk, SamplePackage } from "../contract/sample.ts";
import type { Sampled } from "../contract/samples.ts";
import { type Answered, send } from "../contract/world.ts";
import { daysAgo, NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { type Answer, startFakeUpstream } from "../fakes/upstream.ts";

/** An ask, and one of the documents or files that it needs. */
export interface Row {
  readonly title: string;
  /** Of the asks of a package. */
  readonly ask: number;
  readonly kind: SampleAsk["kind"];
  /** Of what is published with a package. */
  readonly answer: number;
  /** For messages. */
  readonly target: string;
  readonly isFile: boolean;
  /** It is of one package: cold for every ask. */
  readonly isOwn: boolean;
  /** The first ask that needs it: goes through every fault. */
  readonly isFirst: boolean;
}

export interface Matrix extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly rows: readonly Row[];
  /** Sends a row's ask as one organisation. Rejects with TypeError where the connection breaks. */
  ask(row: Row, organisation: string): Promise<Answered>;
  /** From now on that row's document is answered so, to that organisation. null: as it should be. */
  spoil(row: Row, organisation: string, how: Partial<Answer> | null): void;
  /** How often that row's document was asked for as that organisation. */
  asked(row: Row, organisation: string): number;
}

/** For an upstream that stalls: eight at a time on a machine that has other things to do. */
export const PATIENT_ENOUGH = {
  SLUICE_CONNECT_TIMEOUT: "1s",
  SLUICE_FIRST_BYTE_TIMEOUT: "2s",
  SLUICE_IDLE_TIMEOUT: "2s",
};
const FINDING = "finding";
const HONEST = "honest";
const ASKED: ReadonlySet<SampleAsk["kind"]> = new Set([
  "index",
  "version",
  "artifact",
  "sidecar",
  "catalogue",
]);

/** `organisations`: one for each way to go wrong. */
export async function startMatrix(
  { ecosystem, sample }: Sampled,
  organisations: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Matrix> {
  const upstream = await startFakeUpstream();
  const all = [FINDING, HONEST, ...organisations];
  const sluice = await startSluice({
    env,
    file: JSON.stringify({
      upstreams: {
        [ecosystem.id]: all.flatMap((name) =>
          Object.keys(ecosystem.upstreams).map((key) => ({
            key,
            id: `${name}--${key}`,
            url: `${upstream.url}${name}/`,
            organisations: [name],
          }))
        ),
      },
    }),
  });
  await createAll(sluice, all);
  const spoilt = new Map<string, Partial<Answer>>();

  function packageOf(name: string): SamplePackage {
    return {
      name,
      releases: [
        { version: sample.stable[0], publishedAt: daysAgo(100) },
        { version: sample.stable[1], publishedAt: sample.marks.undated ? null : daysAgo(60) },
      ],
    };
  }

  function asksOf(name: string): readonly SampleAsk[] {
    const asks = sample.asks([packageOf(name)]);
    const wanted = asks.filter(({ method, kind }) => method === "GET" && ASKED.has(kind));
    return wanted.filter(({ title }, at) => wanted.findIndex((other) => other.title === title) === at);
  }

  function serve(organisation: string, names: readonly string[]): void {
    const answers = sample.publish(names.map(packageOf), `${upstream.url}${organisation}/`);
    const byTarget = new Map(answers.map((answer) => [answer.target, answer]));
    upstream.answer(new RegExp(`^/${organisation}/`), ({ target, path }) => {
      const [wanted, bare] = [target, path].map((each) => each.slice(organisation.length + 1));
      const key = byTarget.has(wanted!)
        ? wanted!
        : [...byTarget.keys()].find((each) => bareOf(each) === bare);
      const given = key === undefined ? undefined : byTarget.get(key);
      return given === undefined ? { status: 404, body: "{}" } : answerTo(given, organisation, key!);
    });
  }

  function answerTo({ body, contentType }: SampleAnswer, organisation: string, target: string): Answer {
    const honest = { body, headers: { "content-type": contentType } };
    return { ...honest, ...spoilt.get(`${organisation}\n${target}`) };
  }

  function publishedAlone(name: string, organisation: string): readonly SampleAnswer[] {
    return sample.publish([packageOf(name)], `${upstream.url}${organisation}/`);
  }

  /** What each ask needs, from a package that nobody has asked for yet. */
  async function findRows(): Promise<readonly Row[]> {
    const asks = asksOf(nameOf(0));
    serve(FINDING, asks.map((_, at) => nameOf(at)));
    const found: Row[] = [];
    for (const [ask, { title, kind }] of asks.entries()) {
      const before = upstream.requests.length;
      await request(nameOf(ask), ask, FINDING);
      const asked = new Set(upstream.requests.slice(before).map(({ target }) => target));
      for (const [answer, { target, file }] of publishedAlone(nameOf(ask), FINDING).entries()) {
        if (!asked.has(`/${FINDING}${target}`)) continue;
        const isFirst = !found.some((row) => row.answer === answer);
        const isOwn = target.includes(nameOf(ask));
        found.push({ title, ask, kind, answer, target, isFile: file !== undefined, isOwn, isFirst });
      }
    }
    // What every package's is would be there already when its turn comes.
    return found.toSorted((a, b) => Number(a.isOwn) - Number(b.isOwn));
  }

  const rows = await findRows();
  for (const name of [HONEST, ...organisations]) serve(name, rows.map((_, at) => nameOf(at)));

  function request(name: string, ask: number, organisation: string): Promise<Answered> {
    const { path, headers } = asksOf(name)[ask]!;
    return send(`${sluice.url}/o/${organisation}/${ecosystem.id}/${path}`, { headers });
  }

  function targetOf(row: Row, organisation: string): string {
    return publishedAlone(nameOf(rows.indexOf(row)), organisation)[row.answer]!.target;
  }

  return {
    sluice,
    rows,
    ask: (row, organisation) => request(nameOf(rows.indexOf(row)), row.ask, organisation),
    spoil(row, organisation, how) {
      const key = `${organisation}\n${targetOf(row, organisation)}`;
      if (how === null) spoilt.delete(key);
      else spoilt.set(key, how);
    },
    asked: (row, organisation) => upstream.asked(`/${organisation}${targetOf(row, organisation)}`).length,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Legal in every protocol, and all of one length. */
function nameOf(at: number): string {
  return `sample${String(at).padStart(3, "0")}`;
}

function bareOf(target: string): string {
  return target.split("?")[0]!;
}

/** In one go, since each costs a commit. */
async function createAll(sluice: TestSluice, names: readonly string[]): Promise<void> {
  const kv = await Deno.openKv(`${sluice.data}/kv.sqlite3`);
  try {
    const organisations = createOrganisations(kv, { clock: () => NOW as EpochMs, parsePolicy, parseFloor });
    for (const name of names) await organisations.create(name, { author: "test" });
  } finally {
    kv.close();
  }
  sluice.advance(1_001);
}
