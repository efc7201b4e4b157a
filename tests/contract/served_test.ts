/** Every form of answer of every ecosystem, under every policy: they cannot disagree. */
import assert from "node:assert/strict";
import type { Ask, Ecosystem } from "../../ecosystems/ecosystem.ts";
import { type PolicyRow, policyRows } from "./policies.ts";
import type { SampleAsk } from "./sample.ts";
import { loadSamples } from "./samples.ts";
import {
  type Answered,
  askAll,
  eachOf,
  filesIn,
  OF_A_PACKAGE,
  PRIVATE,
  type Round,
  send,
  startWorld,
  type World,
} from "./world.ts";

/** What HEAD and GET have in common. */
const SAME_ON_HEAD = [
  "cache-control",
  "content-encoding",
  "content-type",
  "etag",
  "link",
  "location",
  "vary",
  "x-sluice-decision",
];

for (const sampled of await loadSamples()) {
  const { ecosystem, sample } = sampled;

  Deno.test(`${sample.title}: every form of answer, under every policy, shows what is allowed and nothing else`, async () => {
    await using world = await startWorld(sampled);
    const rows = policyRows(sampled);
    for (const { id, policy } of rows) await world.sluice.setPolicy(policy, id);
    const mount = (row: PolicyRow) => `${world.sluice.url}/o/${row.id}/${ecosystem.id}`;

    const rounds = new Map<string, Round>();
    for (const row of rows) {
      const asks = asksUnder(row, world);
      const fresh = await askAll(asks, mount(row));
      assertRound(world, row, fresh, mount(row));
      const cached = await askAll(asks, mount(row));
      assertSame(fresh, cached, `${row.id}, from the cache`);
      if (row.isThorough) await assertHeadAndValidators(cached, mount(row));
      rounds.set(row.id, fresh);
    }
    assertStricterShowsLess(world, rows, rounds, mount);
    await assertRecorded(world, rows);
    assert.deepEqual(world.sluice.lines.filter(({ level }) => level === "error"), []);

    // Nothing of it lived in memory alone.
    await world.sluice.restart();
    for (const row of rows.filter(({ isThorough }) => isThorough)) {
      assertSame(rounds.get(row.id)!, await askAll(world.asks, mount(row)), `${row.id}, after a restart`);
    }
  });

  Deno.test(`${sample.title}: what belongs to a file has that file's verdict, and its refusal names the release`, async () => {
    const further = { "/a-signature": "signed" };
    await using world = await startWorld(sampled, { ecosystem: withSignatures(ecosystem), further });
    const [row] = policyRows(sampled);
    for (const ask of world.asks.filter(({ kind }) => kind === "artifact")) {
      const { path, headers, version } = ask;
      const answer = await send(`${world.sluice.url}/${ecosystem.id}/${path}.signature`, { headers });
      const what = `${path}.signature: ${answer.status} ${answer.text}`;
      if (isWithheld(row!, ask.package, version)) assertRefused(answer, ask, what);
      else assert.equal(answer.status === 200 && answer.text, "signed", what);
    }
    assert.deepEqual(await world.sluice.installs(), [], "it is no install");
  });

  Deno.test(`${sample.title}: names that every object has are found by no form of ask`, async () => {
    await using world = await startWorld(sampled);
    const { sluice, asks, published } = world;
    const own = asks.filter((ask) => ask.package === published.plain.name && OF_A_PACKAGE.has(ask.kind));
    const hostile = own.flatMap(({ path, headers, filename, version, title }) =>
      ["constructor", "__proto__", "hasOwnProperty"].flatMap((word) => {
        const part = [filename, version].find((each) => each !== null && path.includes(encodeURI(each)));
        if (typeof part !== "string") return [];
        const at = path.lastIndexOf(encodeURI(part));
        return [{ title, headers, path: path.slice(0, at) + word + path.slice(at + encodeURI(part).length) }];
      })
    );
    assert.ok(hostile.length > 0);
    await eachOf(hostile, async ({ title, headers, path }) => {
      const { status, text } = await send(`${sluice.url}/${ecosystem.id}/${path}`, { headers });
      assert.equal(status, 404, `${title} ${path}: ${text.slice(0, 200)}`);
    });
    assert.deepEqual(await sluice.installs(), []);
    assert.deepEqual(sluice.lines.filter(({ level }) => level === "error"), []);
  });
}

/** The ecosystem, as if each of its files had a signature beside it. */
function withSignatures(ecosystem: Ecosystem): Ecosystem {
  const source = {
    key: "signature",
    upstream: Object.keys(ecosystem.upstreams)[0]!,
    path: "a-signature",
    accept: "*/*",
    maxBytes: 1_000,
    required: true,
    expects: "any",
  } as const;
  return Object.freeze<Ecosystem>({
    ...ecosystem,
    parse(request): Ask | null {
      const last = request.segments.at(-1) ?? "";
      if (!last.endsWith(".signature")) return ecosystem.parse(request);
      const segments = request.segments.with(-1, last.slice(0, -".signature".length));
      const ask = ecosystem.parse({ ...request, segments });
      if (ask?.kind !== "artifact") return null;
      return { kind: "sidecar", subject: ask.subject, filename: ask.filename, version: null, source };
    },
  });
}

function asksUnder({ isThorough }: PolicyRow, { asks, published }: World): readonly SampleAsk[] {
  const odd = new Set(isThorough ? [] : published.odd.map(({ name }) => name));
  return asks.filter(({ package: name }) => name === null || !odd.has(name));
}

function isWithheld(row: PolicyRow, name: string | null, version: string | null): boolean {
  return row.withheld.has(`${name} ${version}`);
}

function assertRound(world: World, row: PolicyRow, round: Round, mount: string): void {
  for (const [ask, answer] of round) {
    const what = `${row.id}: ${ask.title} ${ask.path}: ${answer.status} ${answer.text.slice(0, 300)}`;
    assert.match(answer.headers.get("cache-control") ?? "", PRIVATE, what);
    for (const { file } of filesIn(world.answers, answer.bytes)) {
      assert.ok(!isWithheld(row, file!.package, file!.version), what);
    }
    if (ask.kind === "publish") assert.ok(answer.status >= 400 && answer.status < 500, what);
    if (ask.version === null || !OF_A_PACKAGE.has(ask.kind)) {
      assertShown(world, row, ask, answer, mount, what);
    } else if (isWithheld(row, ask.package, ask.version)) assertRefused(answer, ask, what);
    else assertHad(world, ask, answer, what);
  }
}

/** A release or file that is withheld: told with its reason, in every form. */
function assertRefused(answer: Answered, ask: SampleAsk, what: string): void {
  assert.equal(answer.status, 403, what);
  assert.ok(answer.headers.get("x-sluice-decision"), what);
  // The release is named, even where one of its files was asked for.
  const link = decodeURIComponent(answer.headers.get("link") ?? "");
  assert.ok(link.includes("/-/why/pkg:") && link.includes(`@${ask.version}?decision=`), `${link}: ${what}`);
  assert.ok(answer.text.includes(`${ask.package} ${ask.version} `), what);
  assert.ok(ask.filename === null || !answer.text.includes(ask.filename), what);
}

function assertHad({ answers }: World, ask: SampleAsk, answer: Answered, what: string): void {
  if (ask.kind === "sidecar" && answer.status === 404) return;
  assert.equal(answer.status, 200, what);
  if (ask.kind !== "artifact") return;
  const wanted = answers.find(({ file }) => file?.package === ask.package && file.filename === ask.filename);
  assert.deepEqual(answer.bytes, wanted?.body, what);
}

/** An index, a catalogue, a tag, a service: what a client could choose from it is allowed. */
function assertShown(
  { sample, asks, published }: World,
  row: PolicyRow,
  ask: SampleAsk,
  answer: Answered,
  mount: string,
  what: string,
): void {
  for (const { package: name, version, filename } of asks) {
    const isFile = filename !== null && isWithheld(row, name, version);
    if (isFile && (ask.package === null || ask.package === name)) {
      assert.ok(!answer.text.includes(`${filename}"`) && !answer.text.includes(`>${filename}<`), what);
    }
  }
  if (answer.status !== 200) {
    // A tag with nothing left to lead to.
    if (ask.kind === "version") assert.ok(answer.status === 404 || answer.status === 403, what);
    else if (ask.kind !== "publish" && ask.kind !== "local") assert.fail(what);
    return;
  }
  const offers = sample.offers(ask, answer.text, mount);
  for (const { package: name, version, url } of offers) {
    assert.ok(!isWithheld(row, name, version), `offers ${name} ${version}: ${what}`);
    if (url !== null) assert.ok(url.startsWith(`${mount}/`), `${url}: ${what}`);
  }
  if (!ask.complete) return;
  const pack = published.all.find(({ name }) => name === ask.package)!;
  const wanted = pack.releases.filter(({ version, yanked }) =>
    yanked !== true && !isWithheld(row, pack.name, version)
  );
  const offered = new Set(offers.map(({ version }) => version));
  for (const { version } of wanted) assert.ok(offered.has(version), `lacks ${version}: ${what}`);
  const withholds = pack.releases.some(({ version }) => isWithheld(row, pack.name, version));
  if (withholds) assert.ok(answer.headers.get("x-sluice-decision"), what);
}

function assertSame(before: Round, after: Round, when: string): void {
  for (const [ask, { status, text, headers }] of before) {
    const again = after.get(ask)!;
    const what = `${when}: ${ask.title} ${ask.path}`;
    assert.equal(again.status, status, `${what}: ${again.text.slice(0, 300)}`);
    assert.equal(again.text, text, what);
    for (const name of ["content-type", "x-sluice-decision", "link", "vary", "location"]) {
      assert.equal(again.headers.get(name), headers.get(name), `${what}: ${name}`);
    }
    // An artifact has its validator once its bytes were verified.
    if (headers.get("etag") !== null) assert.equal(again.headers.get("etag"), headers.get("etag"), what);
  }
}

async function assertHeadAndValidators(round: Round, mount: string): Promise<void> {
  await eachOf([...round].filter(([{ method }]) => method === "GET"), async ([ask, answer]) => {
    const { path, headers } = ask;
    const what = `${ask.title} ${path}`;
    const head = await send(`${mount}/${path}`, { method: "HEAD", headers });
    assert.equal(head.status, answer.status, `HEAD ${what}`);
    assert.equal(head.bytes.length, 0, `HEAD ${what}`);
    for (const name of SAME_ON_HEAD) {
      assert.equal(head.headers.get(name), answer.headers.get(name), `HEAD ${what}: ${name}`);
    }
    const length = head.headers.get("content-length");
    if (length !== null && answer.status === 200) {
      assert.equal(Number(length), answer.bytes.length, `HEAD ${what}`);
    }
    const etag = answer.headers.get("etag");
    if (OF_A_PACKAGE.has(ask.kind) && answer.status === 200) assert.ok(etag, `no validator: ${what}`);
    if (etag === null) return;
    const again = await send(`${mount}/${path}`, { headers: { ...headers, "if-none-match": etag } });
    // What no cache may keep, none has a copy of to be confirmed.
    if (answer.headers.get("cache-control") === "no-store") {
      return assert.equal(again.text, answer.text, what);
    }
    assert.equal(again.status, 304, what);
    assert.equal(again.bytes.length, 0, what);
    assert.equal(again.headers.get("etag"), etag, what);
    assert.match(again.headers.get("cache-control") ?? "", PRIVATE, what);
  });
}

/** Ask by ask: what a policy shows, every policy shows that is laxer in every respect. */
function assertStricterShowsLess(
  { sample }: World,
  rows: readonly PolicyRow[],
  rounds: ReadonlyMap<string, Round>,
  mount: (row: PolicyRow) => string,
): void {
  const shown = (row: PolicyRow, ask: SampleAsk): ReadonlySet<string> => {
    const answer = rounds.get(row.id)!.get(ask);
    if (answer?.status !== 200) return new Set();
    if (ask.version !== null) return new Set([`${ask.title} ${ask.path}`]);
    return new Set(
      sample.offers(ask, answer.text, mount(row)).map(({ package: name, version }) => `${name} ${version}`),
    );
  };
  for (const row of rows) {
    for (const laxer of rows.filter(({ id }) => row.within.includes(id))) {
      // A tag moves down when its release goes: only what lists all can be compared so.
      for (const ask of rounds.get(row.id)!.keys()) {
        if ((!ask.complete && ask.version === null) || !rounds.get(laxer.id)!.has(ask)) continue;
        const extra = [...shown(row, ask)].filter((release) => !shown(laxer, ask).has(release));
        assert.deepEqual(extra, [], `${row.id} shows more than ${laxer.id}: ${ask.title} ${ask.path}`);
      }
    }
  }
}

/** Every file that was had or refused is in its organisation's log, with the decision it was let through by. */
async function assertRecorded(world: World, rows: readonly PolicyRow[]): Promise<void> {
  for (const row of rows) {
    const files = asksUnder(row, world).filter(({ kind }) => kind === "artifact");
    const installs = await world.sluice.installs(row.id);
    for (const { package: name, version, filename } of files) {
      const wanted = isWithheld(row, name, version)
        ? "refused"
        : row.id === "observing"
        ? "observed"
        : "served";
      const own = installs.filter((install) => install.package === name && install.file === filename);
      assert.equal(own.length, 2, `${row.id} ${filename}: asked for twice, recorded ${own.length} times`);
      for (const install of own) {
        assert.equal(install.outcome, wanted, `${row.id} ${filename}`);
        assert.equal(install.version, version);
        assert.notEqual(install.decisionId, "");
      }
    }
  }
}
