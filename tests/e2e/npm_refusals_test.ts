import assert from "node:assert/strict";
import type { ClientName } from "./clients.ts";
import { COMMANDS, createWorld, forEachClient, type World } from "./world.ts";

/** A lockfile that names what the policy will then refuse: how each came about, what the rule is called. */
const RULES: readonly {
  readonly rule: string;
  readonly pin: readonly [name: string, version: string];
  readonly forbid: (world: World) => Promise<void>;
  /** Clients that show the reason show this of it. */
  readonly shows: RegExp;
}[] = [
  {
    rule: "minimumAge",
    pin: ["fresh", "1.1.0"],
    forbid: (world) => world.sluice.setPolicy({}),
    shows: /held[- ]|minimumAge/,
  },
  {
    rule: "override",
    pin: ["steady", "1.1.0"],
    forbid: (world) => world.sluice.setPolicy({ block: ["npm/steady==1.1.0"] }),
    shows: /denied|blocked|override/,
  },
  {
    rule: "floor",
    pin: ["steady", "1.1.0"],
    forbid: async (world) => {
      // The organisation's own allow does not lift it.
      await world.sluice.setPolicy({ minimumAge: "0d", allow: ["npm/steady: ALL"] });
      await world.sluice.setFloor({ deny: ["npm/steady==1.1.0"] });
    },
    shows: /denied.*floor|by-floor/,
  },
  {
    rule: "publisherDowngrade",
    pin: ["downgraded", "2.0.1"],
    forbid: (world) => world.sluice.setPolicy({}),
    shows: /publisherDowngrade/,
  },
  {
    rule: "unknownAge",
    pin: ["undated", "1.0.0"],
    forbid: (world) => world.sluice.setPolicy({ unknownAge: "deny" }),
    shows: /unknownAge/,
  },
  {
    rule: "deprecated",
    pin: ["left", "1.0.0"],
    forbid: (world) => world.sluice.setPolicy({ deprecated: "deny" }),
    shows: /deprecated/,
  },
];

/** These print what they are told of a refused file; the others print the address and 403 only (tests/README.md). */
const SPEAKING: ReadonlySet<ClientName> = new Set(["npm", "yarn4", "bun", "deno"]);

for (const { rule, pin: [name, version], forbid, shows } of RULES) {
  await forEachClient(
    `a lockfile that names a release under ${rule} is refused, and the terminal says why`,
    async (client) => {
      await using world = await createWorld();
      world.registry.publish({
        name: "left",
        releases: { "1.0.0": { publishedAt: "2026-01-01T00:00:00.000Z", deprecated: "use right" } },
      });
      world.registry.publish({ name: "undated", releases: { "1.0.0": {} } });
      await world.sluice.setPolicy({ minimumAge: "0d", unknownAge: "allow", publisherDowngrade: "allow" });
      await using project = await world.project(client, { dependencies: { [name]: version } });
      const first = await project.run(...COMMANDS[client].install);
      assert.equal(first.code, 0, first.output);
      assert.equal(await project.installed(name), version);

      const before = (await world.sluice.installs()).length;
      await forbid(world);
      await project.forget();
      const refused = await project.run(...COMMANDS[client].frozen);
      if (Deno.env.get("SLUICE_SHOW")) console.log(`--- ${client} ${rule}\n${refused.output.trim()}`);
      assert.notEqual(refused.code, 0, refused.output);
      assert.equal(await project.installed(name), null);
      if (SPEAKING.has(client)) assert.match(refused.output, shows);
      const [record, ...older] = await world.sluice.installs();
      // pnpm looks at the index beside the file, and may have ended before it asked for that.
      if (/not present in registry manifest/.test(refused.output) && older.length < before) return;
      assert.equal(
        `${record?.package}@${record?.version} ${record?.outcome} ${record?.rule}`,
        `${name}@${version} refused ${rule}`,
      );
      assert.equal(record?.user, "ada");
    },
  );
}

await forEachClient(
  "a lockfile that names an unpublished release is told that there is no such file",
  async (client) => {
    await using world = await createWorld();
    await using project = await world.project(client, { dependencies: { gone: "1.1.0" } });
    const first = await project.run(...COMMANDS[client].install);
    assert.equal(first.code, 0, first.output);
    world.registry.publish({
      name: "gone",
      releases: { "1.0.0": { publishedAt: "2026-01-01T00:00:00.000Z" } },
    });
    world.sluice.advance(2 * 60 * 60_000);
    await project.forget();
    const second = await project.run(...COMMANDS[client].frozen);
    assert.notEqual(second.code, 0, second.output);
    assert.equal(await project.installed("gone"), null);
  },
);

await forEachClient(
  "in observe everything installs, and the log says what would have been refused",
  async (client) => {
    await using world = await createWorld();
    await world.sluice.setPolicy({ enforcement: "observe", block: ["npm/steady==1.1.0"] });
    await using project = await world.project(client, {
      dependencies: { fresh: "1.1.0", steady: "1.1.0", downgraded: "2.0.1" },
    });
    const ran = await project.run(...COMMANDS[client].install);
    assert.equal(ran.code, 0, ran.output);
    const installs = (await world.sluice.installs()).map((record) =>
      `${record.package} ${record.outcome} ${record.rule}`
    ).sort();
    assert.deepEqual(installs, [
      "downgraded observed publisherDowngrade",
      "fresh observed minimumAge",
      "steady observed override",
    ]);
  },
);
