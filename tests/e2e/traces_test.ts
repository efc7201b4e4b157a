import assert from "node:assert/strict";
import { exchange } from "../../routes/testing.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { S3_MISSING, startS3Server } from "../fakes/s3_server.ts";
import { daysAgo } from "../fakes/sluice.ts";
import { runOurs, spawnServer } from "./server.ts";
import { WITHOUT_SANITIZERS } from "./pypi_world.ts";

const ADMIN = "an-admin-token-of-more-than-32-characters";
const UPSTREAM = "upstream-secret-of-the-registry";
const SIGNED = "X-Amz-Signature=presigned0123456789abcdef";
const WAIT_MS = 60_000;

/** Takes what a process of ours exports, by OpenTelemetry's protocol over HTTP. */
function startCollector() {
  const exported: (readonly [path: string, body: string])[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
    exported.push([new URL(request.url).pathname, await request.text()]);
    return Response.json({});
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    text: (path = "") => exported.filter(([to]) => to.startsWith(path)).map(([, body]) => body).join("\n"),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test({
  name:
    "OTEL_DENO: traces, metrics and logs hold no token, userinfo, upstream's credential or presigned signature",
  ...WITHOUT_SANITIZERS,
  async fn() {
    await using collector = startCollector();
    await using registry = await startNpmRegistry();
    registry.publish({ name: "steady", releases: { "1.0.0": { publishedAt: daysAgo(100) } } });
    await using s3 = S3_MISSING === null ? await startS3Server() : null;
    await s3?.createBucket("traces");
    // What nobody has: the mistyped addresses below.
    registry.upstream.answer("/last-of-all", { status: 404 });
    const data = await Deno.makeTempDir({ prefix: "sluice-traces-" });
    const artifacts = s3 === null ? {} : {
      SLUICE_ARTIFACTS: `s3://traces?endpoint=${encodeURIComponent(s3.endpoint)}`,
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    };
    try {
      await using server = await spawnServer({
        data,
        env: {
          ...artifacts,
          OTEL_DENO: "true",
          OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
          OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
          OTEL_BSP_SCHEDULE_DELAY: "100",
          OTEL_METRIC_EXPORT_INTERVAL: "200",
          SLUICE_ADMIN_TOKEN: ADMIN,
          SLUICE_UPSTREAM_NPM: registry.upstream.url,
          SLUICE_UPSTREAM_NPM_TOKEN: UPSTREAM,
          SLUICE_LOG_LEVEL: "debug",
        },
      });
      const made = await runOurs("cli/token.ts", ["create", "jane", "--data", data, "--json"]);
      assert.equal(made.code, 0, made.stderr);
      const { secret, token: { id } } = JSON.parse(made.stdout) as { secret: string; token: { id: string } };
      await ask(server.url, secret);
      // What a registry's own credential is for has been asked with it, or nothing was shown.
      assert.ok(
        registry.upstream.requests.some(({ headers }) => headers.get("authorization")?.includes(UPSTREAM)),
      );
      await until(() => collector.text().includes("/npm/last-of-all"));
      await server.end("SIGTERM");
      const text = `${collector.text()}\n${server.output()}`;
      for (const path of ["/v1/traces", "/v1/metrics"]) assert.ok(collector.text(path).length > 0, path);
      // What Deno's metrics call `server.address` is the Host as it was sent, which no client puts a user into: 400.
      const told = `${collector.text("/v1/traces")}\n${collector.text("/v1/logs")}\n${server.output()}`;
      assert.ok(!told.includes("p4ssw0rd"));
      assert.match(text, /\/t\/\(hidden\)\/npm\/steady/);
      const secrets = [
        secret,
        secret.slice(-43),
        `${id}_`,
        ADMIN,
        UPSTREAM,
        "presigned",
        btoa(`:${secret}`),
      ];
      if (s3 !== null) secrets.push(s3.credentials.secretAccessKey);
      for (const hidden of secrets) {
        const at = text.indexOf(hidden);
        assert.equal(at, -1, `${hidden} was exported: ${text.slice(Math.max(0, at - 300), at + 100)}`);
      }
    } finally {
      await Deno.remove(data, { recursive: true });
    }
  },
});

/** Every place where somebody may put a token. */
async function ask(url: string, secret: string): Promise<void> {
  const bearer = { authorization: `Bearer ${secret}` };
  const file = "npm/steady/-/steady-1.0.0.tgz";
  for (
    const [path, headers] of [
      ["npm/steady", bearer],
      [file, { authorization: `Basic ${btoa(`jane:${secret}`)}` }],
      ["-/api/v1/tokens", { authorization: `Bearer ${ADMIN}` }],
      [`t/${secret}/npm/steady`, {}],
      [`o/default/t/${secret}/${file}`, {}],
      [`t/%73${secret.slice(1)}/npm/steady`, {}],
      [`npm/${secret}`, {}],
      [`npm/steady?token=${secret}&${SIGNED}`, bearer],
      [`${file}?${SIGNED}`, bearer],
      [`-/why/pkg:npm/${secret}`, {}],
      ["npm/last-of-all", bearer],
    ] as const
  ) {
    const response = await fetch(`${url}/${path}`, { headers, redirect: "manual" });
    await response.body?.cancel();
  }
  const { port, host } = new URL(url);
  const target = `http://jane:p4ssw0rd@${host}/npm/steady?${SIGNED}`;
  await exchange(Number(port), `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  const again = await fetch(`${url}/npm/last-of-all`, { headers: bearer });
  await again.body?.cancel();
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + WAIT_MS;
  while (!condition()) {
    assert.ok(performance.now() < end, "nothing was exported");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
