/** A whole Sluice before a fake upstream that has a sample's packages, and requests to it. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { parseFloor, parsePolicy } from "../../policy/config.ts";
import type { EpochMs } from "../../policy/types.ts";
import { createOrganisations } from "../../storage/kv/organisations.ts";
import { type FakeUpstream, startFakeUpstream } from "../fakes/upstream.ts";
import { NOW, startSluice, type TestSluice } from "../fakes/sluice.ts";
import type { EcosystemSample, SampleAnswer, SampleAsk } from "./sample.ts";
import { type Published, publishedOf, type Sampled } from "./samples.ts";

export interface World extends AsyncDisposable {
  readonly sluice: TestSluice;
  readonly upstream: FakeUpstream;
  readonly sample: EcosystemSample;
  readonly published: Published;
  readonly asks: readonly SampleAsk[];
  readonly answers: readonly SampleAnswer[];
}

export interface WorldOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Stands in for the registered one. */
  readonly ecosystem?: Ecosystem;
  /** As startSluice takes them. */
  readonly kv?: (kv: Deno.Kv) => Deno.Kv;
  readonly data?: string;
  /** The configuration file, where there is more to say than the upstream's address: `url` is that. */
  readonly file?: (url: string) => string;
  /** What upstream answers beside the sample: path to plain text. */
  readonly further?: Readonly<Record<string, string>>;
}

export async function startWorld(
  { ecosystem, sample }: Sampled,
  options: WorldOptions = {},
): Promise<World> {
  const upstream = await startFakeUpstream();
  const published = publishedOf(sample);
  const answers = sample.publish(published.all, upstream.url);
  for (const { target, method, contentType, body } of answers) {
    const headers = { "content-type": contentType };
    upstream.answer(target, { body, headers, ...(method === undefined ? {} : { method }) });
  }
  for (const [path, body] of Object.entries(options.further ?? {})) {
    upstream.answer(path, { body, headers: { "content-type": "text/plain" } });
  }
  upstream.answer(/^/, () => ({ status: 404, body: "{}", headers: { "content-type": "application/json" } }));
  const variable = `SLUICE_UPSTREAM_${ecosystem.id.toUpperCase().replaceAll("-", "_")}`;
  const sluice = await startSluice({
    env: options.file === undefined ? { [variable]: upstream.url, ...options.env } : { ...options.env },
    ...(options.file === undefined ? {} : { file: options.file(upstream.url) }),
    ecosystems: ECOSYSTEMS.map((each) => each === ecosystem ? options.ecosystem ?? each : each),
    ...(options.kv === undefined ? {} : { kv: options.kv }),
    ...(options.data === undefined ? {} : { data: options.data }),
  });
  return {
    sluice,
    upstream,
    sample,
    published,
    asks: sample.asks(published.all),
    answers,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Stores a policy as a release would that knew fewer rules: its ranges are not held against any version order. */
export async function storeUnchecked(
  { sluice }: World,
  policy: Readonly<Record<string, unknown>>,
  organisation: string,
): Promise<void> {
  const kv = await Deno.openKv(`${sluice.data}/kv.sqlite3`);
  try {
    const organisations = createOrganisations(kv, { clock: () => NOW as EpochMs, parsePolicy, parseFloor });
    await organisations.create(organisation, { author: "test" });
    await organisations.set({ id: organisation, source: policy, author: "test" });
  } finally {
    kv.close();
  }
  sluice.advance(1_001);
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
}

/** A stranger's request, uncompressed; redirects are not followed. */
export async function send(url: string, ask: {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
} = {}): Promise<Answered> {
  const { method = "GET", headers = {}, body } = ask;
  const response = await fetch(url, {
    method,
    redirect: "manual",
    headers: { "user-agent": "contract-suite/1", "accept-encoding": "identity", ...headers },
    ...(body === undefined || method === "GET" || method === "HEAD" ? {} : { body }),
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  return {
    status: response.status,
    headers: response.headers,
    bytes,
    text: new TextDecoder().decode(bytes),
  };
}

/** Eight at a time; results in the order of the items. */
export async function eachOf<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const queue = items.entries();
  await Promise.all(Array.from({ length: 8 }, async () => {
    for (const [index, item] of queue) results[index] = await work(item);
  }));
  return results;
}

/** The files of a sample whose bytes these are, or contain. */
export function filesIn(answers: readonly SampleAnswer[], bytes: Uint8Array): readonly SampleAnswer[] {
  const text = latin1(bytes);
  return answers.filter(({ file, body }) =>
    file !== undefined && body.length > 0 && text.includes(latin1(body))
  );
}

const LATIN1 = new TextDecoder("latin1");

function latin1(bytes: Uint8Array): string {
  return LATIN1.decode(bytes);
}

/** What Cache-Control may say of any answer. */
export const PRIVATE = /^(?:private\b|no-store$)/;

/** Asks that are about one package. */
export const OF_A_PACKAGE: ReadonlySet<SampleAsk["kind"]> = new Set([
  "index",
  "version",
  "artifact",
  "sidecar",
]);

/** What was answered to every ask, under one policy. */
export type Round = ReadonlyMap<SampleAsk, Answered>;

/** Every ask once, below one mount. */
export async function askAll(asks: readonly SampleAsk[], mount: string): Promise<Round> {
  return new Map(await eachOf(asks, async (ask) => [ask, await send(`${mount}/${ask.path}`, ask)] as const));
}
