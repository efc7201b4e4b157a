/** A Python package index for tests: projects published into a fake upstream, with files that real clients install. */
import { createHash } from "node:crypto";
import { MEDIA_TYPES } from "../../ecosystems/pypi/accept.ts";
import { type SampleProject, sampleProject, type SampleRelease } from "../../ecosystems/pypi/testing.ts";
import { type Answer, type FakeUpstream, type RecordedRequest, startFakeUpstream } from "./upstream.ts";

export type FakePypiRelease = Omit<SampleRelease, "version" | "date"> & {
  /** ISO; absent: no document has a date for it. */
  readonly publishedAt?: string;
};

export interface FakeProject {
  /** Normalised. */
  readonly name: string;
  readonly releases: Readonly<Record<string, FakePypiRelease>>;
  readonly extra?: Readonly<Record<string, unknown>>;
}

export interface FakePypiOptions {
  /** `html`: whatever is asked for, as many mirrors do. Default: by `Accept`. */
  readonly speaks?: "html";
  /** The legacy JSON is not there. */
  readonly withoutLegacy?: boolean;
}

export interface FakePypiRegistry extends AsyncDisposable {
  readonly upstream: FakeUpstream;
  /** Another host, as PyPI has one for files: `127.0.0.1:PORT` is to be allowed. */
  readonly files: FakeUpstream;
  /** Publishes, or publishes anew: what was there of this project before is replaced. */
  publish(project: FakeProject): SampleProject;
  /** How often a file, or what stands beside it, was downloaded from here. */
  downloads(filename: string): number;
}

export async function startPypiRegistry(options: FakePypiOptions = {}): Promise<FakePypiRegistry> {
  const upstream = await startFakeUpstream();
  const files = await startFakeUpstream();
  return {
    upstream,
    files,
    publish: (project) => publish(upstream, files, project, options),
    downloads: (filename) => files.requests.filter(({ path }) => path.endsWith(`/${filename}`)).length,
    async [Symbol.asyncDispose]() {
      await upstream[Symbol.asyncDispose]();
      await files[Symbol.asyncDispose]();
    },
  };
}

function publish(
  upstream: FakeUpstream,
  files: FakeUpstream,
  { name, releases, extra }: FakeProject,
  options: FakePypiOptions,
): SampleProject {
  const project = sampleProject({
    name,
    root: upstream.url,
    filesRoot: files.url,
    releases: Object.entries(releases).map(([version, { publishedAt, ...release }]) => ({
      version,
      date: publishedAt ?? null,
      ...release,
    })),
    ...(extra === undefined ? {} : { extra }),
  });
  const page = (request: RecordedRequest) => pageFor(project, options, request);
  upstream.answer(`/simple/${name}/`, page);
  const json = { "content-type": "application/json" };
  const absent = options.withoutLegacy === true;
  upstream.answer(
    `/pypi/${name}/json`,
    absent ? { status: 404 } : { body: project.legacy, headers: json },
  );
  for (const [version, body] of project.legacyReleases) {
    upstream.answer(`/pypi/${name}/${version}/json`, absent ? { status: 404 } : { body, headers: json });
  }
  for (const { path, bytes, metadata } of project.files) {
    files.answer(`/${path}`, { body: bytes, headers: { "content-type": "application/octet-stream" } });
    files.answer(
      `/${path}.metadata`,
      metadata === null ? { status: 404 } : { body: metadata, headers: { "content-type": "text/plain" } },
    );
  }
  return project;
}

function pageFor(project: SampleProject, options: FakePypiOptions, request: RecordedRequest): Answer {
  const accept = request.headers.get("accept") ?? "";
  const isJson = options.speaks !== "html" && accept.includes(MEDIA_TYPES.json);
  const body = isJson ? project.json : project.html;
  const etag = `"${createHash("sha1").update(body).digest("hex")}"`;
  if (request.headers.get("if-none-match") === etag) return { status: 304, headers: { etag } };
  const headers = { etag, vary: "Accept", "content-type": isJson ? MEDIA_TYPES.json : "text/html" };
  return { body, headers };
}
