/** For tests of routes/: an app behind a real server, raw sockets to it, and a registry small enough to read. */
import type { ClientRequest, Ecosystem } from "../ecosystems/ecosystem.ts";
import type { Entity, Outcome, RegistryRequest, Trace } from "../ecosystems/outcome.ts";
import type { WhyAnswer, WhyQuery } from "../ecosystems/why.ts";
import { DEFAULT_POLICY, type PolicyDocument } from "../policy/config.ts";
import type { EpochMs } from "../policy/types.ts";
import type { OrganisationView } from "../storage/organisations.ts";
import type { Tokens } from "../storage/tokens.ts";
import { createTestClock, type TestClock } from "../tests/fakes/clock.ts";
import { createMetrics } from "../storage/metrics.ts";
import { createApi } from "./api/api.ts";
import { type App, type AppDeps, createApp } from "./app.ts";
import { loopbackHosts } from "./host.ts";
import { textPage } from "./page.tsx";
import { utf8 } from "./text.ts";

export const PLAIN_TRACE: Trace = {
  cache: "none",
  copy: null,
  forwarded: null,
  detail: null,
  decisionId: null,
  whyLink: null,
  maxAgeSeconds: 0,
  staleSince: null,
};

/** An organisation that lets anyone in, unless `policy` says otherwise. */
export function sampleView(id: string, policy: Partial<PolicyDocument> = {}): OrganisationView {
  return {
    id,
    life: `${id}-life`,
    stamp: `${id}-1`,
    revision: 1,
    policy: { ...DEFAULT_POLICY, ...policy },
    floor: { deny: [] },
    waivers: [],
    freezes: [],
    snapshots: [],
    decisionKey: new Uint8Array(32),
  };
}

/** A protocol of one line: `fail` answers JSON as npm does; the pipeline in these tests is the test's own `serve`. */
export const SAMPLE: Ecosystem = Object.freeze<Ecosystem>({
  id: "sample",
  title: "Sample",
  purlType: "npm",
  upstreams: { registry: "http://registry.example/" },
  isName: () => true,
  versions: {
    compare: (a, b) => (a < b ? -1 : a > b ? 1 : 0),
    isValid: () => true,
    isPrerelease: () => false,
    line: (version) => version.split(".")[0] ?? "",
  },
  pathTokens: "allowed",
  clients: ["sample"],
  setup: (base) => [{
    id: "sample",
    client: "sample",
    line: `sample config set registry ${base}/`,
    programs: ["sample"],
    settings: () => [{
      id: "sample",
      file: { home: ".samplerc", syntax: "npmrc" },
      lines: [`registry=${base}/`],
    }],
    keeps: "In .samplerc.",
  }],
  parse: () => ({ kind: "local", variant: "anything" }),
  parseAtRoot: ({ segments }: ClientRequest) =>
    segments.at(-1)?.endsWith(".tgz") === true
      ? { kind: "artifact", subject: { kind: "package", name: segments[0]! }, filename: segments.at(-1)! }
      : null,
  sources: () => [],
  read: () => [],
  render: () => null,
  local: () => ({ status: 200, contentType: "text/plain", headers: {}, body: [], withheld: () => 0 }),
  locate: () => null,
  refuse: () => ({ kind: "body", status: 403, contentType: "text/plain", body: "refused", headers: {} }),
  fail: ({ code, message }) => ({
    contentType: "application/json",
    body: JSON.stringify({ code, error: message }),
  }),
});

export function sampleEntity(text: string, fields: Partial<Entity> = {}): Entity {
  return {
    status: 200,
    contentType: "application/json",
    etag: '"tag"',
    headers: {},
    identity: utf8(text),
    gzip: null,
    brotli: null,
    ...fields,
  };
}

/** A document with that text; headers and trace as given. */
export function sampleDocument(
  text: string,
  fields: Partial<Entity> = {},
  trace: Partial<Trace> = {},
): Outcome {
  return { kind: "document", entity: sampleEntity(text, fields), trace: { ...PLAIN_TRACE, ...trace } };
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  readonly text: string;
}

export interface Running {
  readonly app: App;
  readonly port: number;
  /** `127.0.0.1:{port}` */
  readonly host: string;
  readonly time: TestClock;
  /** What reached the pipeline. */
  readonly served: readonly RegistryRequest[];
  readonly explained: readonly WhyQuery[];
  readonly lines: readonly { readonly level: string; readonly message: string; readonly fields: unknown }[];
  /** Sends the text as Latin-1 bytes, exactly; null: the server closed without an answer. */
  raw(request: string): Promise<Answer | null>;
  /** One well-formed request; `target` is sent as it is. */
  ask(
    target: string,
    options?: { method?: string; headers?: Record<string, string>; body?: string },
  ): Promise<Answer>;
  [Symbol.asyncDispose](): Promise<void>;
}

export interface RunOptions extends Partial<Omit<AppDeps, "base" | "hosts" | "serve" | "explain">> {
  /** `{port}` is replaced. */
  readonly base?: string;
  readonly hosts?: readonly string[];
  readonly organisations?: readonly OrganisationView[];
  readonly serve?: (request: RegistryRequest) => Promise<Outcome> | Outcome;
  readonly explain?: (query: WhyQuery) => WhyAnswer | null;
}

/** Of a process that is ready and has nothing to tell. */
export function sampleOperations(): AppDeps["operations"] {
  const caches = { memo: 0, facts: 0, artifacts: 0 };
  const memory = { rssBytes: 1, heapUsedBytes: 1, heapTotalBytes: 1, externalBytes: 1 };
  const asOf = 0 as EpochMs;
  return {
    ready: () => Promise.resolve({ status: "ready", failing: [], checks: {}, upstreams: [] }),
    metrics: createMetrics(),
    gauges: () => ({ ...memory, caches, fills: 0, maintenanceAgeSeconds: 0 }),
    metricsFor: "anyone",
    stats: () =>
      Promise.resolve({
        asOf,
        since: asOf,
        ecosystems: [],
        days: [],
        upstreams: [],
        popular: [],
        recent: [],
      }),
    isPrivate: () => false,
  };
}

/** Where nobody has asked for an exception, and nobody may. */
export const NO_WAIVERS: AppDeps["waivers"] = {
  desk: {
    ask: () => Promise.reject(new Error("nothing is asked for here")),
    grantUnasked: () => Promise.reject(new Error("nothing is granted here")),
    grant: () => Promise.reject(new Error("nothing is granted here")),
    decline: () => Promise.reject(new Error("nothing is declined here")),
  },
  requests: { ofPackage: () => Promise.resolve([]) },
};

/** Where nobody has a token. */
export const NO_TOKENS: Tokens = {
  create: () => Promise.reject(new Error("no token is made here")),
  list: () => Promise.resolve([]),
  get: () => Promise.resolve(null),
  revoke: () => Promise.resolve(false),
  verify: () => Promise.resolve({ ok: false, why: "unknown" }),
  isKnown: () => false,
  flushUses: () => Promise.resolve(),
};

/** A server on a free loopback port. */
export function run(options: RunOptions = {}): Running {
  const time = createTestClock();
  const served: RegistryRequest[] = [];
  const explained: WhyQuery[] = [];
  const lines: { level: string; message: string; fields: unknown }[] = [];
  const organisations = options.organisations ?? [sampleView("default")];
  const view = (id: string) => Promise.resolve(organisations.find((each) => each.id === id) ?? null);
  let app: App | null = null;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request, info) => app!.fetch(request, info),
  );
  const { port } = server.addr;
  app = createApp({
    ecosystems: [SAMPLE],
    views: {
      view,
      count: () => Promise.resolve(organisations.length),
      lookAgain: () => {},
    },
    unknownOrganisation: "refuse",
    policySchema: { title: "policy" },
    tokens: NO_TOKENS,
    trustedProxies: [],
    api: createApi({
      endpoints: [],
      view,
      changed: () => {},
      audit: { append: () => Promise.resolve() },
    }),
    readSession: () => Promise.resolve(null),
    waivers: NO_WAIVERS,
    auth: () => Promise.resolve(textPage("sign in here")),
    checks: [],
    operations: sampleOperations(),
    inFlight: { perAddress: 1_024, total: 10_000 },
    upstreamHealth: () => [],
    version: "0.0.0",
    startedAt: time.clock(),
    clock: time.clock,
    timers: time.timers,
    log: (level, message, fields) => lines.push({ level, message, fields }),
    logRequests: true,
    ...options,
    base: new URL((options.base ?? "http://127.0.0.1:{port}").replace("{port}", String(port))),
    hosts: options.hosts ?? loopbackHosts("127.0.0.1", port),
    serve: async (request) => {
      served.push(request);
      return await (options.serve ?? (() => sampleDocument("{}")))(request);
    },
    explain: (query) => {
      explained.push(query);
      return Promise.resolve((options.explain ?? (() => null))(query));
    },
  });
  const host = `127.0.0.1:${port}`;
  return {
    app,
    port,
    host,
    time,
    served,
    explained,
    lines,
    raw: (request) => exchange(port, request),
    async ask(target, { method = "GET", headers = {}, body = "" } = {}) {
      const fields = Object.entries({ host, connection: "close", ...headers }).map(([name, value]) =>
        `${name}: ${value}\r\n`
      );
      const length = body === "" ? "" : `content-length: ${body.length}\r\n`;
      const answer = await exchange(
        port,
        `${method} ${target} HTTP/1.1\r\n${fields.join("")}${length}\r\n${body}`,
      );
      if (answer === null) throw new Error(`No answer to ${method} ${target}`);
      return answer;
    },
    async [Symbol.asyncDispose]() {
      await server.shutdown();
    },
  };
}

/** Latin-1 out, one answer in, by the connection's end or its Content-Length. */
export async function exchange(port: number, request: string): Promise<Answer | null> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const writing = writeAll(connection, Uint8Array.from(request, (char) => char.charCodeAt(0)));
  const received = await readAll(connection);
  await writing;
  const text = new TextDecoder("latin1").decode(received);
  const end = text.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [statusLine = "", ...fields] = text.slice(0, end).split("\r\n");
  const headers = new Headers(fields.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()] as [string, string];
  }));
  const raw = received.subarray(end + 4);
  const body = headers.get("transfer-encoding") === "chunked" ? await dechunk(raw) : raw;
  return { status: Number(statusLine.split(" ")[1]), headers, body, text: new TextDecoder().decode(body) };
}

async function writeAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let at = 0;
  try {
    while (at < bytes.byteLength) at += await connection.write(bytes.subarray(at));
  } catch {
    // The server answered and closed before it had read everything: what it said is what counts.
  }
}

async function readAll(connection: Deno.TcpConn): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer).catch(() => null);
    if (count === null) break;
    pieces.push(buffer.slice(0, count));
  }
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}

async function dechunk(raw: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const decoder = new TextDecoder("latin1");
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let at = 0;
  for (;;) {
    const line = decoder.decode(raw.subarray(at, at + 20)).split("\r\n", 1)[0]!;
    const size = parseInt(line, 16);
    if (!(size > 0)) return new Uint8Array(await new Blob(pieces).arrayBuffer());
    const start = at + line.length + 2;
    pieces.push(raw.subarray(start, start + size));
    at = start + size + 2;
  }
}
