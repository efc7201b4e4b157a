/** Every row of the fake upstream's fault table: what the client says, and that the next request succeeds. */
import assert from "node:assert/strict";
import { type FaultName, FAULTS, startFakeUpstream } from "../../tests/fakes/upstream.ts";
import type { EpochMs } from "../../policy/types.ts";
import { TooLargeError, UpstreamError } from "../errors.ts";
import { IMPATIENT, source, testClient, textOf } from "./testing.ts";

const BODY = JSON.stringify({ name: "x", versions: { "1.0.0": {} } });
const NOW = 1_790_000_000_000;
/** What the upstream of `too-many-requests` asks for. */
const PAUSE_MS = 7_000;
const JSON_TYPE = { "content-type": "application/json" };

type Kind = UpstreamError["detail"]["kind"];
/** The kind of error; `ok`: the honest body; `other`: bytes that only a digest can tell from it; `too-large`. */
type Expected = Kind | "ok" | "other" | "too-large";

const EXPECTED: Readonly<Record<FaultName, { readonly document: Expected; readonly file: Expected }>> = {
  "cut-before-headers": { document: "connection", file: "connection" },
  "cut-in-headers": { document: "connection", file: "connection" },
  "cut-after-headers": { document: "connection", file: "connection" },
  "cut-mid-body": { document: "connection", file: "connection" },
  "one-byte-short": { document: "connection", file: "connection" },
  "no-final-chunk": { document: "connection", file: "connection" },
  "stall-before-headers": { document: "timeout", file: "timeout" },
  "stall-after-headers": { document: "timeout", file: "timeout" },
  "stall-mid-body": { document: "timeout", file: "timeout" },
  "drip": { document: "ok", file: "ok" },
  "length-too-long": { document: "connection", file: "connection" },
  "length-too-short": { document: "other", file: "other" },
  "two-lengths": { document: "content", file: "content" },
  "no-length": { document: "ok", file: "ok" },
  "no-length-cut": { document: "content", file: "other" },
  "wrong-digest": { document: "content", file: "other" },
  "gzip-that-is-plain": { document: "content", file: "ok" },
  "gzip-cut": { document: "content", file: "other" },
  "gzip-twice": { document: "content", file: "other" },
  "gzip-bomb": { document: "too-large", file: "other" },
  "unknown-encoding": { document: "content", file: "ok" },
  "not-modified-unasked": { document: "content", file: "content" },
  "html-with-200": { document: "content", file: "other" },
  "html-as-json": { document: "content", file: "other" },
  "too-many-requests": { document: "status", file: "status" },
  "server-error": { document: "status", file: "status" },
  "unavailable": { document: "status", file: "status" },
  "redirect-private": { document: "forbidden-address", file: "forbidden-address" },
  "redirect-metadata": { document: "forbidden-address", file: "forbidden-address" },
  "redirect-loopback": { document: "forbidden-address", file: "forbidden-address" },
  "redirect-file": { document: "redirect", file: "redirect" },
  "redirect-nowhere": { document: "redirect", file: "redirect" },
  "redirect-endless": { document: "redirect", file: "redirect" },
  "redirect-loop": { document: "redirect", file: "redirect" },
  "not-http": { document: "content", file: "content" },
  "control-byte-in-header": { document: "content", file: "content" },
};

Deno.test("faults: the table names every fault", () => {
  assert.deepEqual(Object.keys(EXPECTED).sort(), Object.keys(FAULTS).sort());
});

for (const fault of Object.keys(EXPECTED) as FaultName[]) {
  Deno.test(`document under ${fault}: ${EXPECTED[fault].document}, and the next request succeeds`, async () => {
    await using fake = await startFakeUpstream();
    let now = NOW;
    await using test = testClient({ url: fake.url }, {
      clock: () => now as EpochMs,
      network: fault.startsWith("stall-") ? IMPATIENT : {},
    });
    const ask = async () => {
      const answer = await test.client.document(test.upstream, source("x"), {});
      return answer.status === 200 ? new TextDecoder().decode(answer.body) : `status ${answer.status}`;
    };
    fake.answer("/x", { body: BODY, headers: JSON_TYPE, fault });
    assert.equal(await outcomeOf(ask), EXPECTED[fault].document);
    now += PAUSE_MS;
    fake.answer("/x", { body: BODY, headers: JSON_TYPE });
    assert.equal(await outcomeOf(ask), "ok");
  });

  Deno.test(`open under ${fault}: ${EXPECTED[fault].file}, and the next request succeeds`, async () => {
    await using fake = await startFakeUpstream();
    let now = NOW;
    await using test = testClient({ url: fake.url }, {
      clock: () => now as EpochMs,
      network: fault.startsWith("stall-") ? IMPATIENT : {},
    });
    const ask = async () => await textOf((await test.client.open(test.upstream, "x"))!.body);
    fake.answer("/x", { body: BODY, fault });
    assert.equal(await outcomeOf(ask), EXPECTED[fault].file);
    now += PAUSE_MS;
    fake.answer("/x", { body: BODY });
    assert.equal(await outcomeOf(ask), "ok");
  });
}

Deno.test("faults: an error's text names the origin and nothing else of the address", async () => {
  await using fake = await startFakeUpstream();
  const url = `http://user:hunter2@${fake.host}/secret-root/`;
  await using test = testClient({ url }, { network: IMPATIENT });
  for (
    const fault of [
      "cut-mid-body",
      "stall-after-headers",
      "server-error",
      "redirect-private",
      "not-http",
    ] as const
  ) {
    fake.answer("/secret-root/x", { body: BODY, fault });
    await assert.rejects(
      test.client.document(test.upstream, source("x?token=hunter2"), {}),
      (error: Error) => {
        assert.match(error.message, /^Cannot fetch packument from http:\/\/[0-9.:]+: [^/]+$/);
        assert.doesNotMatch(
          JSON.stringify([error.message, (error as UpstreamError).detail]),
          /secret|hunter2|token/,
        );
        return true;
      },
    );
  }
  assert.doesNotMatch(test.logged.join("\n"), /secret|hunter2|token/);
});

Deno.test("faults: HTML, JSON and lines are told apart by what they begin and end with", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const html = { "content-type": "text/html" };
  const rows = [
    ["json", {}, ' \n{"a":1}\n', true],
    ["json", { "content-type": "application/octet-stream" }, "[]", true],
    ["json", html, "{}", false],
    ["json", JSON_TYPE, "", false],
    ["json", JSON_TYPE, '{"a":1', false],
    ["html", html, "<!doctype html><title>Links for x</title>", true],
    ["html", html, '<html><form><a href="x-1.tar.gz">x-1.tar.gz</a><title>a: links for x</title>', true],
    ["html", html, '<h1>Index of /simple/x</h1><hr><a href="../">../</a>', true],
    ["html", html, '<html><a href="x-1.tar.gz">x-1.tar.gz</a>', true],
    ["html", html, '<meta name="pypi:repository-version" content="1.0">', true],
    ["html", html, "<!doctype html>", false],
    ["html", html, "<html><title>Sign in</title><a href=/help>Help</a><form><input></form>", false],
    ["html", html, "<html><a href=/>Home</a><script src=x></script>", false],
    ["html", html, '<meta http-equiv="refresh" content="0;url=/portal"><a href=/portal>go</a>', false],
    ["html", html, "<h1>503 Service Unavailable</h1>", false],
    ["html", html, "{}", false],
    ["json-or-html", html, "<html><a href=x>x</a></html>", true],
    ["json-or-html", html, "<html></html>", false],
    ["json-or-html", JSON_TYPE, "{}", true],
    ["json-or-html", JSON_TYPE, "oops", false],
    ["lines", {}, "", true],
    ["lines", {}, '{"name":"a"}\n{"name":"a"}\n', true],
    ["lines", {}, "<html>", false],
    ["lines", html, "a 1.0", false],
    ["any", html, "<html>", true],
  ] as const;
  for (const [expects, headers, body, good] of rows) {
    fake.answer("/x", { body, headers });
    const answer = test.client.document(test.upstream, source("x", { expects }), {});
    if (good) assert.equal((await answer).status, 200, `${expects} ${body}`);
    else await assert.rejects(answer, UpstreamError, `${expects} ${body}`);
  }
});

Deno.test("faults: where the connection's end is the body's, the body itself says that it is whole", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  const page =
    "<html><title>Links for x</title><a href=x-1.zip>x-1.zip</a><a href=x-2.zip>x-2.zip</a></html>\n";
  const lines = '{"vers":"1.0.0"}\n{"vers":"2.0.0"}\n';
  const digests = [{ algorithm: "sha256", hex: "0".repeat(64) }] as const;
  const rows = [
    [{ expects: "json" }, "{}", true],
    [{ expects: "json-or-html" }, '{"files":[]} ', true],
    [{ expects: "html" }, page, true],
    [{ expects: "json-or-html" }, page, true],
    [{ expects: "json-or-html" }, page.slice(0, 70), false],
    [{ expects: "html" }, page.slice(0, 70), false],
    // Cut where a line ends, it looks whole.
    [{ expects: "lines" }, lines, false],
    [{ expects: "any" }, "Name: x", false],
    [{ expects: "any", digests }, "Name: x", true],
  ] as const;
  for (const [more, body, good] of rows) {
    const headers = { "content-type": body.startsWith("<") ? "text/html" : "text/plain" };
    for (const [fault, isGood] of [["no-length", good], [undefined, true]] as const) {
      const whole = fault === undefined ? { chunks: [body] } : { body, fault };
      fake.answer("/x", { ...whole, headers });
      if (fault === undefined && body === page.slice(0, 70)) continue;
      const answer = test.client.document(test.upstream, source("x", more), {});
      if (isGood) assert.equal((await answer).status, 200, `${more.expects} ${body}`);
      else await assert.rejects(answer, /nothing says that the body is whole$/, `${more.expects} ${body}`);
    }
  }
});

Deno.test("faults: a gzip body that grows beyond reason is refused within a bound that would hold it", async () => {
  await using fake = await startFakeUpstream();
  await using test = testClient({ url: fake.url });
  fake.answer("/x", { fault: "gzip-bomb" });
  await assert.rejects(
    test.client.document(test.upstream, source("x", { maxBytes: 100_000_000 }), {}),
    { message: /inflates to more than 300 times its size$/ },
  );
});

async function outcomeOf(ask: () => Promise<string>): Promise<Expected> {
  try {
    return await ask() === BODY ? "ok" : "other";
  } catch (error) {
    if (error instanceof TooLargeError) return "too-large";
    if (error instanceof UpstreamError) return error.detail.kind;
    throw error;
  }
}
