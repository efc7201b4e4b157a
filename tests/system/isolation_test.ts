/** Two organisations, five hundred requests at once: neither sees anything of the other's. */
import assert from "node:assert/strict";
import { listReferences } from "../../storage/cache/references.ts";
import { openStorage } from "../../storage/kv/kv.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import type { RecordedRequest } from "../fakes/upstream.ts";
import { ask, type Asked, decisionOf, linkOf } from "./ask.ts";

type Organisation = "strict" | "lax";

/** What a policy lets through of `shared`; upstream's latest is 1.2.0. */
const OFFERED: Readonly<Record<Organisation, readonly string[]>> = {
  strict: ["1.0.0"],
  lax: ["1.0.0", "1.1.0", "1.2.0"],
};

/**
 * `shared` is at the public registry: 1.1.0 is blocked and 1.2.0 too young in `strict`; `lax` has no minimum age.
 * `@own/tool` is at a registry of strict's own, with credentials, and (other bytes under the same name and version)
 * at the public one.
 */
async function createWorld() {
  const registry = await startNpmRegistry();
  const own = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  registry.publish({
    name: "shared",
    releases: { "1.0.0": old, "1.1.0": old, "1.2.0": { publishedAt: daysAgo(2) } },
  });
  registry.publish({
    name: "@own/tool",
    releases: { "1.0.0": { ...old, files: { "whose.txt": "public" } } },
  });
  own.publish({
    name: "@own/tool",
    releases: { "1.0.0": { ...old, files: { "whose.txt": "strict's own" } } },
  });
  const sluice = await startSluice({
    env: {},
    file: JSON.stringify({
      upstreams: {
        npm: [
          { url: registry.upstream.url },
          {
            url: own.upstream.url,
            match: ["@own/*"],
            organisations: ["strict"],
            credentials: { bearer: "s3cret-of-strict" },
          },
        ],
      },
    }),
  });
  await sluice.setPolicy({ block: ["npm/shared==1.1.0"] }, "strict");
  await sluice.setPolicy({ minimumAge: "0s" }, "lax");
  return {
    registry,
    own,
    sluice,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

type World = Awaited<ReturnType<typeof createWorld>>;

/** One kind of request with what must hold of its answer. */
type Kind = (site: string, organisation: Organisation, user: string) => Promise<Asked>;

const KINDS: readonly Kind[] = [
  (site, organisation, user) => index({ site, organisation, user, abbreviated: false }),
  (site, organisation, user) => index({ site, organisation, user, abbreviated: true }),
  (site, organisation, user) => tarball({ site, organisation, user, version: "1.0.0" }),
  (site, organisation, user) => tarball({ site, organisation, user, version: "1.1.0" }),
  (site, organisation, user) => tarball({ site, organisation, user, version: "1.2.0" }),
  manifest,
  why,
  scoped,
  async (site, _organisation, user) => {
    const answer = await ask(`${site}/npm/-/whoami`, { user });
    assert.equal(answer.json().username, user);
    return answer;
  },
];

interface Request {
  readonly site: string;
  readonly organisation: Organisation;
  readonly user: string;
}

async function index(request: Request & { readonly abbreviated: boolean }): Promise<Asked> {
  const { site, organisation, user, abbreviated } = request;
  const answer = await ask(`${site}/npm/shared`, { user, abbreviated });
  const document = answer.json();
  assert.deepEqual(Object.keys(document.versions), OFFERED[organisation]);
  assert.equal(document["dist-tags"].latest, OFFERED[organisation].at(-1));
  for (const { dist } of Object.values<{ dist: { tarball: string } }>(document.versions)) {
    assert.ok(dist.tarball.startsWith(`${site}/npm/shared/-/`), dist.tarball);
  }
  assert.match(answer.headers.get("cache-control") ?? "", /^(private|no-store)/);
  return answer;
}

async function tarball(request: Request & { readonly version: string }): Promise<Asked> {
  const { site, organisation, user, version } = request;
  const answer = await ask(`${site}/npm/shared/-/shared-${version}.tgz`, { user });
  const allowed = OFFERED[organisation].includes(version);
  assert.equal(answer.status, allowed ? 200 : 403, `${organisation} ${version}`);
  if (!allowed) assert.ok(linkOf(answer).startsWith(`${site}/-/why/`));
  return answer;
}

async function manifest(site: string, organisation: Organisation, user: string): Promise<Asked> {
  const answer = await ask(`${site}/npm/shared/latest`, { user });
  assert.equal(answer.json().version, OFFERED[organisation].at(-1));
  return answer;
}

/** Of what was loaded before. */
async function why(site: string, organisation: Organisation, user: string): Promise<Asked> {
  const answer = await ask(`${site}/-/why/pkg:npm/shared@1.1.0`, { user });
  assert.equal(answer.json().verdict, organisation === "strict" ? "deny" : "allow");
  return answer;
}

async function scoped(site: string, organisation: Organisation, user: string): Promise<Asked> {
  const answer = await ask(`${site}/npm/@own/tool/-/tool-1.0.0.tgz`, { user });
  assert.equal(answer.status, 200);
  const text = await new Response(
    new Blob([answer.bytes as BlobPart]).stream()
      .pipeThrough(new DecompressionStream("gzip")),
  ).text();
  assert.equal(
    text.includes("strict's own"),
    organisation === "strict",
    `${organisation} got the other's file`,
  );
  return answer;
}

Deno.test("two organisations under five hundred requests at once: policy, files, records and decisions stay apart", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  const site = (organisation: Organisation) => `${sluice.url}/o/${organisation}`;
  // Loaded beforehand, so that why pages have something to say.
  await ask(`${site("lax")}/npm/shared`, { user: "first" });

  const requests = Array.from({ length: 500 }, (_, i) => {
    const organisation: Organisation = i % 2 === 0 ? "strict" : "lax";
    const kind = KINDS[Math.floor(i / 2) % KINDS.length]!;
    const user = `${organisation}-${i % 10}`;
    return async () => ({ organisation, answer: await kind(site(organisation), organisation, user) });
  });
  const answers = await Promise.all(requests.map((request) => request()));

  assertCredentials(world);
  await assertRecords(world);
  await assertDecisions(world, answers);
  for (const { organisation, answer } of answers) {
    const other = organisation === "strict" ? "lax" : "strict";
    const said = JSON.stringify([...answer.headers]) + answer.text;
    assert.ok(
      !said.includes(`/o/${other}/`) && !said.includes(`${other}-`),
      `${organisation}: ${said.slice(0, 300)}`,
    );
    assert.ok(!said.includes("s3cret-of-strict"));
  }
  assert.ok(!JSON.stringify(sluice.lines).includes("s3cret-of-strict"));
});

function assertCredentials({ registry, own }: World): void {
  const credentials = ({ headers }: RecordedRequest) => headers.get("authorization");
  assert.deepEqual(new Set(registry.upstream.requests.map(credentials)), new Set([undefined]));
  assert.deepEqual(new Set(own.upstream.requests.map(credentials)), new Set(["Bearer s3cret-of-strict"]));
  assert.equal(registry.downloads("@own/tool", "1.0.0"), 1, "lax knows no other registry");
  assert.equal(own.downloads("@own/tool", "1.0.0"), 1);
}

async function assertRecords({ sluice }: World): Promise<void> {
  for (const organisation of ["strict", "lax"] as const) {
    const installs = await sluice.installs(organisation);
    assert.ok(installs.length > 50, `${organisation} has ${installs.length} records`);
    for (const install of installs) {
      assert.ok(install.user?.startsWith(`${organisation}-`), `${organisation}: ${install.user}`);
      if (install.package !== "shared") continue;
      const allowed = OFFERED[organisation].includes(install.version);
      assert.equal(install.outcome, allowed ? "served" : "refused");
    }
  }
  assert.deepEqual(await sluice.installs("default"), []);
}

/** An id is readable in its own organisation, and nothing in any other, even where the decision is alike. */
async function assertDecisions(
  { sluice }: World,
  answers: readonly { readonly organisation: Organisation; readonly answer: Asked }[],
): Promise<void> {
  const refused = answers.filter(({ answer }) => answer.status === 403);
  assert.ok(refused.length > 0 && refused.every(({ organisation }) => organisation === "strict"));
  for (const { answer } of refused.slice(0, 6)) {
    const link = linkOf(answer);
    assert.equal((await ask(link)).json().decision.id, decisionOf(answer));
    for (const elsewhere of [`${sluice.url}/o/lax/-/why/`, `${sluice.url}/-/why/`]) {
      const peeked = await ask(link.replace(/^.*\/-\/why\//, elsewhere));
      assert.ok(peeked.status === 404 || peeked.json().decision === null, "another's decision is not shown");
      assert.match(peeked.text, /There is no record of decision/, "what is repeated is what was asked for");
    }
  }
}

Deno.test("equal decisions of two organisations have different ids", async () => {
  await using world = await createWorld();
  await world.sluice.setPolicy({ minimumAge: "10d" }, "lax");
  const [a, b] = await Promise.all(
    ["strict", "lax"].map((organisation) =>
      ask(`${world.sluice.url}/o/${organisation}/npm/shared/-/shared-1.2.0.tgz`)
    ),
  );
  assert.equal(a!.status, 403);
  assert.equal(b!.status, 403);
  assert.notEqual(decisionOf(a!), decisionOf(b!));
});

Deno.test("what one organisation's own registry has is neither shown nor explained to another", async () => {
  await using world = await createWorld();
  const { sluice, own, registry } = world;
  own.publish({ name: "@own/hidden", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
  for (const path of ["/@own%2fhidden", "/@own%2Fhidden"]) registry.upstream.answer(path, { status: 404 });
  const path = "npm/@own/hidden";
  assert.equal((await ask(`${sluice.url}/o/strict/${path}`)).status, 200);
  assert.equal((await ask(`${sluice.url}/o/strict/${path}/-/hidden-1.0.0.tgz`)).status, 200);
  for (const site of [`${sluice.url}/o/lax`, sluice.url]) {
    assert.equal((await ask(`${site}/${path}`)).status, 404);
    assert.equal((await ask(`${site}/${path}/-/hidden-1.0.0.tgz`)).status, 404);
    assert.equal((await ask(`${site}/-/why/pkg:npm/%40own/hidden@1.0.0`)).status, 404);
  }
  assert.equal((await ask(`${sluice.url}/o/strict/-/why/pkg:npm/%40own/hidden@1.0.0`)).status, 200);
  assert.equal((await ask(`${sluice.url}/o/nobody/${path}`)).status, 404);
  assert.ok(sluice.lines.every(({ level }) => level !== "error"), JSON.stringify(sluice.lines));
});

Deno.test("a policy changed under load never mixes with the other's, nor the old one with the new", async () => {
  await using world = await createWorld();
  const { sluice } = world;
  const changes = [{}, { minimumAge: "0s" }, { block: ["npm/shared: ALL"] }, {
    block: ["npm/shared==1.1.0"],
  }];
  const expected = [["1.0.0", "1.1.0"], ["1.0.0", "1.1.0", "1.2.0"], [], ["1.0.0"]];
  for (const [step, policy] of changes.entries()) {
    await sluice.setPolicy(policy, "strict");
    await Promise.all(Array.from({ length: 60 }, async (_, i) => {
      const organisation = i % 2 === 0 ? "strict" : "lax";
      const { versions } =
        (await ask(`${sluice.url}/o/${organisation}/npm/shared`, { abbreviated: i % 4 < 2 })).json();
      assert.deepEqual(
        Object.keys(versions),
        organisation === "lax" ? OFFERED.lax : expected[step],
        `step ${step}`,
      );
    }));
  }
});

Deno.test("two organisations share bytes, never visibility: a file that both registries have is one blob, and each sees its own alone", async () => {
  const registries = await Promise.all(["shared", "a", "b"].map(() => startNpmRegistry()));
  const [shared, ofA, ofB] = registries;
  const release = { publishedAt: daysAgo(100), files: { "secret.txt": "the very same bytes" } };
  // `@team/same` is the same file in both; `@team/only` is a's alone, its bytes b has under another name; so is shared's.
  ofA!.publish({ name: "@team/same", releases: { "1.0.0": release } });
  ofB!.publish({ name: "@team/same", releases: { "1.0.0": release } });
  ofA!.publish({ name: "@team/only", releases: { "1.0.0": release } });
  shared!.publish({ name: "open", releases: { "1.0.0": release } });
  for (const path of ["/@team%2fonly", "/@team%2Fonly"]) ofB!.upstream.answer(path, { status: 404 });
  const own = (registry: typeof shared, organisation: string) => ({
    url: registry!.upstream.url,
    id: `own-${organisation}`,
    match: ["@team/*"],
    organisations: [organisation],
  });
  const sluice = await startSluice({
    env: {},
    file: JSON.stringify({
      upstreams: { npm: [{ url: shared!.upstream.url }, own(ofA, "a"), own(ofB, "b")] },
    }),
  });
  try {
    for (const organisation of ["a", "b"]) await sluice.setPolicy({}, organisation);
    const file = (organisation: string, name: string) =>
      ask(`${sluice.url}/o/${organisation}/npm/${name}/-/${name.split("/").at(-1)}-1.0.0.tgz`);
    const [mine, theirs] = [await file("a", "@team/same"), await file("b", "@team/same")];
    assert.deepEqual([mine.status, theirs.status], [200, 200]);
    assert.deepEqual(mine.bytes, theirs.bytes);
    assert.equal((await file("a", "@team/only")).status, 200);
    assert.equal((await file("a", "open")).status, 200);
    const blobs = await blobsOfFiles(sluice.data);
    assert.deepEqual([blobs.records, blobs.blobs.size], [4, 3], "`same` is one blob of two records");

    // The bytes are here, and b's registry has no such name: nobody asks a's for b, and nothing is given out.
    const asked = ofA!.upstream.requests.length;
    const refused = await file("b", "@team/only");
    assert.equal(refused.status, 404, refused.text);
    const etag = (await file("a", "@team/only")).headers.get("etag")!;
    for (
      const headers of [{ "if-none-match": etag }, { range: "bytes=0-3" }, {
        "if-range": etag,
        range: "bytes=0-",
      }]
    ) {
      const url = `${sluice.url}/o/b/npm/@team/only/-/only-1.0.0.tgz`;
      assert.equal((await ask(url, { headers })).status, 404);
      assert.equal((await ask(url, { headers, method: "HEAD" })).status, 404);
    }
    const digest = /[0-9a-f]{64}/.exec(etag)![0];
    for (const path of [`sha256/${digest.slice(0, 2)}/${digest}`, digest, `-/api/v1/cache/${digest}`]) {
      assert.ok([400, 401, 404].includes((await ask(`${sluice.url}/o/b/${path}`)).status), path);
    }
    assert.equal((await ask(`${sluice.url}/o/b/npm/@team/only`)).status, 404);
    assert.equal(ofA!.upstream.requests.length, asked);
    // Neither is what one took in the other's log.
    assert.ok((await sluice.installs("b")).every((record) => record.package === "@team/same"));

    // What a's registry takes back is gone for a, and stays for b.
    ofA!.publish({ name: "@team/same", releases: { "2.0.0": release } });
    sluice.advance(2 * 3_600_000);
    assert.equal((await file("a", "@team/same")).status, 404);
    assert.equal((await file("b", "@team/same")).status, 200);
  } finally {
    await sluice[Symbol.asyncDispose]();
    for (const registry of registries) await registry[Symbol.asyncDispose]();
  }
});

async function blobsOfFiles(data: string) {
  const kv = await openStorage(`${data}/kv.sqlite3`);
  const found = (await Array.fromAsync(listReferences(kv))).filter(({ kind }) => kind === "file");
  kv.close();
  return {
    records: found.length,
    blobs: new Set(found.flatMap(({ pointers }) => pointers.map(({ blob }) => blob))),
  };
}
