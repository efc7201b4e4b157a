/** The contract of ecosystem.ts, held against every registered ecosystem; pure. */
import assert from "node:assert/strict";
import fc from "fast-check";
import type {
  Client,
  Ecosystem,
  Explanation,
  IndexAsk,
  Material,
  PackageRef,
  Reading,
  UpstreamDocument,
  VersionAsk,
} from "../../ecosystems/ecosystem.ts";
import type { EpochMs } from "../../policy/types.ts";
import { NOW } from "../fakes/sluice.ts";
import {
  allowAll,
  documentOf,
  documentsOf,
  HOSTILE,
  isTame,
  LINKS,
  pathBelow,
  readOne,
  requestOf,
  ROOT,
} from "./pure.ts";
import type { SampleAsk } from "./sample.ts";
import { loadSamples, type Published, publishedOf } from "./samples.ts";

const PRINTABLE = /^[\x20-\x7e]*$/;
const CLIENTS: readonly Client[] = [
  ["npm", "11.0.0"],
  ["yarn", "4.1.0"],
  ["pip", "25.0"],
  ["uv", "0.9.0"],
  ["cargo", "1.90.0"],
  ["", ""],
].map(([name = "", version = ""]) => ({ name, version, command: null }));

for (const { ecosystem, sample } of await loadSamples()) {
  const published = publishedOf(sample);
  const answers = sample.publish(published.all, ROOT);
  const asks = sample.asks(published.all);
  const parseOf = (ask: SampleAsk) => ecosystem.parse(requestOf(ask));
  const read = (name: string) => {
    const subject: PackageRef = { kind: "package", name };
    const documents = documentsOf(ecosystem, answers, subject);
    return { subject, documents, reading: readOne(ecosystem, subject, documents) };
  };

  Deno.test(`${sample.title}: a sample covers what the suite relies on`, () => {
    assert.equal(sample.ecosystem, ecosystem.id);
    for (const kind of ["index", "artifact", "publish"]) {
      assert.ok(asks.some((ask) => ask.kind === kind), `no ask of kind ${kind}`);
    }
    const bytes = answers.filter(({ file }) => file !== undefined).map(({ body }) => body.join());
    assert.equal(new Set(bytes).size, bytes.length, "two files have the same bytes");
    for (const pack of published.all) {
      const complete = asks.some((ask) => ask.package === pack.name && ask.complete);
      assert.ok(complete, `no complete index of ${pack.name}`);
      for (const { version } of pack.releases) {
        const file = asks.find((ask) =>
          ask.kind === "artifact" && ask.package === pack.name && ask.version === version
        );
        assert.ok(file?.filename, `no file of ${pack.name} ${version}`);
      }
    }
  });

  Deno.test(`${sample.title}: read finds each release, its files, its date and its marks, in version order`, () => {
    for (const pack of published.all) {
      const { facts } = read(pack.name).reading;
      assert.equal(facts.name, pack.name);
      assert.equal(facts.purlType, ecosystem.purlType);
      assert.deepEqual(
        facts.releases.map(({ version }) => version),
        pack.releases.map(({ version }) => version),
      );
      for (const [index, wanted] of pack.releases.entries()) {
        const { artifacts, deprecated } = facts.releases[index]!;
        const what = `${pack.name} ${wanted.version}`;
        assert.ok(artifacts.length > 0, what);
        assert.equal(deprecated.known && deprecated.value !== false, wanted.deprecated === true, what);
        for (const { publishedAt, yanked, trust } of artifacts) {
          const at = publishedAt.known ? new Date(publishedAt.value.at).toISOString() : null;
          assert.equal(at, wanted.publishedAt, what);
          assert.equal(yanked.known && yanked.value, wanted.yanked === true, what);
          if (wanted.trust !== undefined) assert.deepEqual(trust, { known: true, value: wanted.trust }, what);
        }
      }
      const filenames = facts.releases.flatMap(({ artifacts }) => artifacts.map(({ filename }) => filename));
      assert.equal(new Set(filenames).size, filenames.length);
    }
  });

  Deno.test(`${sample.title}: every file link that is rendered parses to that very file, and is located below upstream's root`, () => {
    for (const pack of published.all) {
      const { documents, reading } = read(pack.name);
      for (const ask of asks.filter(({ package: name }) => name === pack.name)) {
        const parsed = parseOf(ask);
        if (parsed?.kind !== "index" && parsed?.kind !== "version") continue;
        const also = (parsed.also ?? []).map((source) => documentOf(answers, source));
        const material = materialOf(ecosystem, reading, [...documents, ...also]);
        const body = renderedText(ecosystem, parsed, material);
        assert.ok(body !== null, `${ask.title} of ${pack.name}`);
        const offers = sample.offers(ask, body, LINKS.base);
        if (ask.complete) {
          const offered = new Set(offers.map(({ version }) => version));
          const wanted = pack.releases.filter(({ yanked }) => yanked !== true).map(({ version }) => version);
          assert.deepEqual(
            wanted.filter((version) => !offered.has(version)),
            [],
            `${ask.title} ${pack.name}`,
          );
        }
        for (const offer of offers) {
          assert.equal(offer.package, pack.name);
          if (offer.url === null) continue;
          const link = { ...ask, method: "GET", path: pathBelow(LINKS.base, offer.url) } as const;
          const file = parseOf(link);
          assert.ok(file?.kind === "artifact", offer.url);
          assert.equal(file.subject.name, pack.name);
          assert.equal(file.filename, offer.filename);
          const location = ecosystem.locate(file, reading.facts);
          assert.ok(location !== null, `${offer.url} is nowhere`);
          const { href } = new URL(location.url, ROOT);
          assert.ok(href.startsWith(ROOT), href);
          const target = href.slice(ROOT.length - 1);
          const { package: name, version } = answers.find((answer) =>
            isSameTarget(answer.target, target)
          )?.file ?? {};
          assert.deepEqual({ name, version }, { name: pack.name, version: offer.version }, target);
          assert.ok(location.upstream in ecosystem.upstreams && location.maxBytes > 0);
          assert.match(location.contentType, PRINTABLE);
        }
      }
    }
  });

  Deno.test(`${sample.title}: read takes nothing from another package's document`, () => {
    for (const [name, other] of crossed(published)) {
      const documents = documentsOf(ecosystem, answers, { kind: "package", name: other });
      let releases = 0;
      try {
        releases = readOne(ecosystem, { kind: "package", name }, documents).facts.releases.length;
      } catch (error) {
        assert.ok(error instanceof SyntaxError, `${other} read as ${name}: ${error}`);
      }
      assert.equal(releases, 0, `${other} read as ${name}`);
    }
  });

  Deno.test(`${sample.title}: a damaged document is read or is a SyntaxError, and its files stay below one name`, () => {
    const { subject, documents } = read(published.plain.name);
    const damage = fc.record({
      which: fc.nat(),
      cut: fc.nat(),
      at: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 3 }),
      isCut: fc.boolean(),
    });
    fc.assert(
      fc.property(damage, ({ which, cut, at, isCut }) => {
        const damaged = documents.map((document, index) => {
          if (index !== which % documents.length) return document;
          const body = document.body.slice(0, isCut ? cut % document.body.length : undefined);
          for (const [offset, byte] of at) if (body.length > 0) body[offset % body.length] = byte;
          return { ...document, body };
        });
        try {
          const { facts } = readOne(ecosystem, subject, damaged);
          assert.equal(facts.name, subject.name);
          for (const { artifacts } of facts.releases) {
            for (const { filename } of artifacts) {
              assert.ok(isTame(filename) && !filename.includes("/"), filename);
            }
          }
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error instanceof Error ? error.stack : error));
        }
      }),
      { numRuns: 300 },
    );
  });

  Deno.test(`${sample.title}: names that every object has are neither versions nor files`, () => {
    const { documents, reading, subject } = read(published.plain.name);
    const { facts } = reading;
    const material = materialOf(ecosystem, reading, documents);
    for (const hostile of HOSTILE) {
      assert.equal(ecosystem.locate({ kind: "artifact", subject, filename: hostile }, facts), null, hostile);
      assert.equal(material.decisions(subject.name)?.artifact(hostile), null, hostile);
      assert.equal(material.decisions(subject.name)?.release(hostile), null, hostile);
      for (const ask of asks.filter(({ package: name }) => name === published.plain.name)) {
        const parsed = parseOf(ask);
        if (parsed?.kind !== "version") continue;
        assert.equal(renderedText(ecosystem, { ...parsed, version: hostile }, material), null, hostile);
      }
    }
  });

  Deno.test(`${sample.title}: refuse and fail answer errors, with headers of printable ASCII, to every client`, () => {
    for (const client of CLIENTS) {
      for (const ask of asks) {
        const parsed = parseOf(ask);
        assert.ok(parsed !== null, ask.path);
        const refusal = ecosystem.refuse(parsed, EXPLANATION, client);
        const what = `${client.name}: ${ask.title}`;
        for (const [name, value] of Object.entries(refusal.headers)) {
          assert.match(name, /^[a-z0-9-]+$/, what);
          assert.match(value, PRINTABLE, what);
        }
        if (refusal.kind === "redirect") {
          assert.equal(refusal.status, 302, what);
          assert.equal(refusal.location, EXPLANATION.speakingLink, what);
          continue;
        }
        assert.equal(refusal.status, 403, what);
        assert.match(refusal.contentType, PRINTABLE, what);
        assert.ok(refusal.body.includes(EXPLANATION.link), what);
        assertForm(refusal.contentType, refusal.body, what);
      }
      for (const message of ['No "x"\r\nx-evil: 1', "caf\u00e9 \u202e\u0000</script>", ""]) {
        const { contentType, body } = ecosystem.fail(
          { status: 404, code: "no-such-package", message },
          client,
        );
        assert.match(contentType, PRINTABLE);
        assertForm(contentType, body, message);
        assert.ok(!/text\/html/.test(contentType) || !body.includes("</script>"), body);
      }
    }
  });
}

function assertForm(contentType: string, body: string, what: string): void {
  assert.ok(contentType.includes("/"), what);
  if (/json/.test(contentType)) assert.equal(typeof JSON.parse(body), "object", what);
}

function materialOf(
  ecosystem: Ecosystem,
  reading: Reading,
  documents: readonly UpstreamDocument[],
): Material {
  const decisions = allowAll(ecosystem, reading.facts);
  return {
    documents,
    reading,
    decisions: (name) => name === reading.facts.name ? decisions : null,
    now: NOW as EpochMs,
    notice: () => "notice",
  };
}

function renderedText(ecosystem: Ecosystem, ask: IndexAsk | VersionAsk, material: Material): string | null {
  const rendered = ecosystem.render(ask, material, LINKS);
  if (rendered === null) return null;
  const decoder = new TextDecoder();
  return Array.from(rendered.body, (piece) => decoder.decode(piece, { stream: true })).join("") +
    decoder.decode();
}

/** Two spellings of one path are one file. */
function isSameTarget(a: string, b: string): boolean {
  return a === b || decodeURIComponent(a) === decodeURIComponent(b);
}

function crossed({ plain, marked, odd }: Published): readonly (readonly [string, string])[] {
  return [marked, ...odd].flatMap((other) => [[plain.name, other.name], [other.name, plain.name]] as const);
}

const EXPLANATION: Explanation = {
  ecosystem: "x",
  purl: "pkg:x/sample@1.0.0",
  name: "sample",
  version: "1.0.0\u202e",
  filename: "caf\u00e9\r\n.tgz",
  decision: { verdict: "deny", enforcedVerdict: "deny", reasons: [], horizon: null },
  reason: { rule: "override", verdict: "deny", message: 'bad\r\n"\u202e', horizon: null },
  sentence: 'sample 1.0.0 is denied: because of "this".',
  since: null,
  until: null,
  newestAllowed: null,
  decisionId: "abc",
  link: "http://sluice.example/-/why/pkg:x/sample@1.0.0?decision=abc",
  speakingLink: "http://sluice.example/-/why/pkg:x/sample@1.0.0/denied-by-override",
};
