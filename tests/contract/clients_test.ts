/** Who asks, and how, changes the form of an answer and never what is let through. */
import assert from "node:assert/strict";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { type PolicyRow, policyRows } from "./policies.ts";
import type { SampleAsk } from "./sample.ts";
import { loadSamples } from "./samples.ts";
import { eachOf, filesIn, send, startWorld, type World } from "./world.ts";

const USER_AGENTS = [
  "npm/11.19.0 node/v24.0.0 linux x64 workspaces/false",
  "pnpm/12.21.0 npm/? node/v24.0.0 linux x64",
  "yarn/1.22.22 npm/? node/v24.0.0 linux x64",
  "yarn/4.18.0 npm/? node/v24.0.0 linux x64",
  "got (https://client.example)",
  "Bun/1.4.0",
  "Deno/2.9.0",
  'pip/26.0 {"installer":{"name":"pip","version":"26.0"}}',
  "uv/0.9.0",
  "poetry/2.2.0",
  "pdm/2.26.0",
  "cargo/1.90.0 (840b83a10 2026-01-01)",
  "",
];

for (const sampled of await loadSamples()) {
  const { ecosystem, sample } = sampled;

  Deno.test(`${sample.title}: every client, whoever it says it is, gets what is allowed and a refusal of the rest`, async () => {
    await using world = await startWorld(sampled);
    const rows = policyRows(sampled).filter(({ id }) => id === "usual" || id === "globbed");
    for (const { id, policy } of rows) await world.sluice.setPolicy(policy, id);
    const all = rows.flatMap((row) =>
      ofPlain(world).flatMap((ask) => USER_AGENTS.map((agent) => ({ row, ask, agent })))
    );
    await eachOf(all, async ({ row, ask, agent }) => {
      const mount = `${world.sluice.url}/o/${row.id}/${ecosystem.id}`;
      const headers = { ...ask.headers, "user-agent": agent };
      const answer = await send(`${mount}/${ask.path}`, { headers });
      const what = `${row.id}, ${agent}: ${ask.title} ${ask.path}: ${answer.status} ${
        answer.text.slice(0, 200)
      }`;
      for (const { file } of filesIn(world.answers, answer.bytes)) {
        assert.ok(!row.withheld.has(`${file!.package} ${file!.version}`), what);
      }
      if (ask.version !== null) {
        if (!isWithheld(row, ask)) return assert.ok([200, 404].includes(answer.status), what);
        assert.ok(answer.headers.get("x-sluice-decision"), what);
        if (answer.status === 302) {
          return await assertLeadsToReason(answer.headers.get("location") ?? "", what);
        }
        return assert.equal(answer.status, 403, what);
      }
      if (answer.status === 302) return await assertLeadsToReason(answer.headers.get("location") ?? "", what);
      if (answer.status !== 200) return assert.ok([403, 404].includes(answer.status), what);
      for (const { package: name, version } of sample.offers(ask, answer.text, mount)) {
        assert.ok(!row.withheld.has(`${name} ${version}`), `offers ${version}: ${what}`);
      }
    });
  });

  Deno.test(`${sample.title}: a range, a validator and a compressed answer are let through by the same decision`, async () => {
    await using world = await startWorld(sampled);
    const row = policyRows(sampled).find(({ id }) => id === "usual")!;
    const mount = `${world.sluice.url}/${ecosystem.id}`;
    for (const ask of ofPlain(world)) {
      const url = `${mount}/${ask.path}`;
      const what = `${ask.title} ${ask.path}`;
      const whole = await send(url, ask);
      const some = await send(url, { headers: { ...ask.headers, range: "bytes=0-3" } });
      const packed = await send(url, { headers: { ...ask.headers, "accept-encoding": "gzip" } });
      assert.equal(packed.text, whole.text, what);
      if (isWithheld(row, ask)) {
        const etag = [...await bytesDigest(world, ask)].map((byte) => byte.toString(16).padStart(2, "0"))
          .join("");
        const guessed = { ...ask.headers, "if-none-match": `"${etag}", *` };
        for (const answer of [whole, some, packed, await send(url, { headers: guessed })]) {
          assert.equal(answer.status, 403, what);
        }
      } else if (ask.kind === "artifact") {
        assert.equal(some.status, 206, what);
        assert.deepEqual(some.bytes, whole.bytes.slice(0, 4), what);
      }
    }
  });

  Deno.test(`${sample.title}: with artifacts "upstream" a file is a redirect where it is allowed, and else refused`, async () => {
    await using world = await startWorld(sampled);
    const row = policyRows(sampled).find(({ id }) => id === "usual")!;
    await world.sluice.setPolicy({ ...row.policy, artifacts: "upstream" });
    for (const ask of ofPlain(world)) {
      const answer = await send(`${world.sluice.url}/${ecosystem.id}/${ask.path}`, ask);
      const what = `${ask.title} ${ask.path}: ${answer.status}`;
      assert.deepEqual(filesIn(world.answers, answer.bytes), [], what);
      if (isWithheld(row, ask)) assert.equal(answer.status, 403, what);
      if (ask.kind !== "artifact" || isWithheld(row, ask)) continue;
      assert.equal(answer.status, 302, what);
      const location = answer.headers.get("location") ?? "";
      const { file } = world.answers.find(({ target }) =>
        location === world.upstream.url + target.slice(1)
      ) ?? {};
      assert.equal(file?.filename, ask.filename, location);
    }
    await assertRedirectsRecorded(world, ecosystem, row);
  });
}

function ofPlain({ asks, published }: World): readonly SampleAsk[] {
  const kinds = ["index", "version", "artifact", "sidecar"];
  return asks.filter(({ kind, package: name }) => name === published.plain.name && kinds.includes(kind));
}

function isWithheld({ withheld }: PolicyRow, ask: SampleAsk): boolean {
  return withheld.has(`${ask.package} ${ask.version}`);
}

/** Where a client is sent that shows no body: the reason, as an error. */
async function assertLeadsToReason(location: string, what: string): Promise<void> {
  assert.match(location, /\/-\/why\/pkg:/, what);
  const page = await send(location);
  assert.equal(page.status, 403, `${what} leads to ${location}`);
}

async function bytesDigest({ answers }: World, ask: SampleAsk): Promise<Uint8Array> {
  const found = answers.find(({ file }) => file?.package === ask.package && file.version === ask.version);
  return new Uint8Array(
    await crypto.subtle.digest("SHA-256", (found?.body ?? new Uint8Array()) as BufferSource),
  );
}

/** A redirect is recorded; how much upstream then hands out, nobody here can count. */
async function assertRedirectsRecorded(
  { sluice }: World,
  { id }: Ecosystem,
  { withheld }: PolicyRow,
): Promise<void> {
  const installs = await sluice.installs();
  for (const { ecosystem, outcome, package: name, version, bytes } of installs) {
    assert.equal(ecosystem, id);
    assert.equal(outcome, withheld.has(`${name} ${version}`) ? "refused" : "served");
    assert.equal(bytes, 0);
  }
  assert.deepEqual(new Set(installs.map(({ outcome }) => outcome)), new Set(["refused", "served"]));
}
