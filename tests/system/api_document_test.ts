/** The OpenAPI document of a running Sluice against what it really answers. */
import assert from "node:assert/strict";
import * as z from "zod";
import { ADMIN_TOKEN, HOLDERS_ENV } from "../fakes/holders.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { daysAgo, startSluice } from "../fakes/sluice.ts";
import { ask } from "./ask.ts";

interface Media {
  readonly schema: Readonly<Record<string, unknown>>;
}
interface Operation {
  readonly requestBody?: { readonly content: Readonly<Record<string, Media>> };
  readonly parameters: readonly { readonly name: string; readonly schema: { readonly pattern?: string } }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, Media>> }>>;
}

Deno.test("OpenAPI: lines of NDJSON are what it says they are, nothing is left undescribed, instants have their form", async () => {
  await using registry = await startNpmRegistry();
  const old = { publishedAt: daysAgo(100) };
  registry.publish({ name: "alpha", releases: { "1.0.0": old, "1.1.0": { publishedAt: daysAgo(1) } } });
  await using sluice = await startSluice({
    env: { ...HOLDERS_ENV, SLUICE_UPSTREAM_NPM: registry.upstream.url },
  });
  await sluice.setPolicy({ minimumAge: "14d" });
  const api = `${sluice.url}/-/api/v1`;
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  const document = (await ask(`${api}/openapi.json`)).json();
  const operations = Object.entries<Readonly<Record<string, Operation>>>(document.paths).flatMap(
    ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  for (const { path, method, operation } of operations) {
    for (const { content = {} } of [operation.requestBody ?? {}, ...Object.values(operation.responses)]) {
      for (const [type, { schema }] of Object.entries(content)) {
        assert.ok(Object.keys(schema).length > 0, `${method} ${path} ${type}`);
      }
    }
    for (const { name, schema: { pattern } } of operation.parameters) {
      if (name !== "since" && name !== "until") continue;
      assert.ok(pattern !== undefined, `${path} ${name}`);
      for (const right of ["2026-11-01", "2026-11-01T12:00:00Z", "2026-11-01T12:00:00.5+01:00"]) {
        assert.match(right, new RegExp(pattern));
      }
      assert.doesNotMatch("yesterday", new RegExp(pattern));
    }
  }

  const send = async (path: string, body?: unknown) => {
    const answer = await ask(`${api}${path}`, {
      headers,
      ...(body === undefined ? {} : { method: "POST", body: new TextEncoder().encode(JSON.stringify(body)) }),
    });
    assert.equal(answer.status, 200, answer.text);
    return answer.text.trim().split("\n").map((line) => JSON.parse(line));
  };
  const holds = (path: string, lines: readonly unknown[]) => {
    const [operation] = Object.values<Operation>(document.paths[path]);
    const { $ref } = Object.values(operation!.responses)[0]!.content!["application/x-ndjson"]!.schema;
    const schema = z.fromJSONSchema(document.components.schemas[String($ref).split("/").at(-1)!]);
    for (const line of lines) {
      const parsed = schema.safeParse(line);
      assert.ok(parsed.success, `${path}: ${JSON.stringify(line)}: ${parsed.error}`);
    }
    assert.ok(!schema.safeParse({ kind: "unheard-of" }).success);
  };
  const purls = ["pkg:npm/alpha@1.0.0", "pkg:npm/alpha@1.1.0", "pkg:npm/alpha@9.9.9"];
  const fetched = await send("/prefetch", { purls });
  assert.deepEqual(
    [...new Set(fetched.map(({ kind }) => kind))].toSorted(),
    ["end", "file", "plan", "progress"],
  );
  assert.deepEqual(
    fetched.filter(({ kind }) => kind === "file").map(({ outcome }) => outcome).toSorted(),
    ["failed", "filled", "refused"],
  );
  holds("/prefetch", fetched);
  assert.equal((await ask(`${sluice.url}/npm/alpha/-/alpha-1.0.0.tgz`, { user: "ada" })).status, 200);
  const installs = await sluice.installs();
  assert.equal(installs.length, 1);
  const exported = await send("/installs/export");
  assert.equal(exported.length, 1);
  holds("/installs/export", exported);

  for await (const folder of Deno.readDir(`${sluice.data}/artifacts/sha256`)) {
    for await (const { name } of Deno.readDir(`${sluice.data}/artifacts/sha256/${folder.name}`)) {
      const path = `${sluice.data}/artifacts/sha256/${folder.name}/${name}`;
      await Deno.remove(path);
      await Deno.writeTextFile(path, "{}");
    }
  }
  const checked = await send("/cache/verify", {});
  assert.deepEqual(
    [...new Set(checked.map(({ kind }) => kind))].toSorted(),
    ["dangling", "end", "progress", "wrong"],
  );
  holds("/cache/verify", checked);
});
