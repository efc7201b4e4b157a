/** Without a decision there are no bytes: the policy is made to fail, and every route is asked. */
import assert from "node:assert/strict";
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { rangedPolicy, unreadablePolicy } from "./policies.ts";
import { loadSamples } from "./samples.ts";
import {
  askAll,
  filesIn,
  OF_A_PACKAGE,
  PRIVATE,
  send,
  startWorld,
  storeUnchecked,
  type World,
} from "./world.ts";

for (const sampled of await loadSamples()) {
  const { ecosystem, sample } = sampled;

  Deno.test(`${sample.title}: where a policy cannot be resolved, nothing of a package is answered, cached or not`, async () => {
    await using world = await startWorld(sampled);
    await storeUnchecked(world, unreadablePolicy(sampled), "broken");
    await assertNothingAnswered(world, ecosystem);
  });

  Deno.test(`${sample.title}: where deciding throws, nothing of a package is answered, cached or not`, async () => {
    const throws = (): never => {
      throw new Error("This order is broken");
    };
    const versions = { ...ecosystem.versions, isValid: throws };
    await using world = await startWorld(sampled, { ecosystem: Object.freeze({ ...ecosystem, versions }) });
    await world.sluice.setPolicy(
      rangedPolicy(sampled, `>=${encodeURIComponent(sample.stable[1])}`),
      "broken",
    );
    await assertNothingAnswered(world, ecosystem);
  });
}

/** Under the organisation `broken`; the default one's requests fill the cache in between. */
async function assertNothingAnswered(world: World, { id, purlType }: Ecosystem): Promise<void> {
  const { sluice, asks, answers, published } = world;
  const broken = `${sluice.url}/o/broken/${id}`;
  for (const isCached of [false, true]) {
    if (isCached) await askAll(asks, `${sluice.url}/${id}`);
    for (const [ask, answer] of await askAll(asks, broken)) {
      const what = `${ask.title} ${ask.path}: ${answer.status} ${answer.text.slice(0, 200)}`;
      assert.match(answer.headers.get("cache-control") ?? "", PRIVATE, what);
      assert.deepEqual(filesIn(answers, answer.bytes), [], what);
      if (OF_A_PACKAGE.has(ask.kind) || (ask.kind === "catalogue" && isCached)) {
        assert.ok(answer.status >= 500, what);
        const head = await send(`${broken}/${ask.path}`, { ...ask, method: "HEAD" });
        assert.equal(head.status, answer.status, what);
      }
      for (const { filename, version } of asks) {
        if (filename !== null) assert.ok(!answer.text.includes(filename), what);
        if (ask.kind === "catalogue" && version !== null) {
          assert.ok(!answer.text.includes(`"${version}"`), what);
        }
      }
    }
    for (const { name, releases } of published.all) {
      const page = `${sluice.url}/o/broken/-/why/pkg:${purlType}/${encodeURI(name)}`;
      for (const purl of [page, ...releases.map(({ version }) => `${page}@${encodeURIComponent(version)}`)]) {
        const { status, text } = await send(purl);
        assert.ok(status >= 400, `${purl}: ${text}`);
      }
    }
  }
  assert.deepEqual(await sluice.installs("broken"), []);
}
