/** What the tests of this folder share. */
import type { Decision, Decisions } from "../../policy/types.ts";
import type { ClientRequest, Links, Material, Reading, UpstreamDocument } from "../ecosystem.ts";
import { cargo } from "./cargo.ts";

export const LINKS: Links = { base: "http://127.0.0.1:8080/cargo", authRequired: false, artifacts: "proxy" };
export const CONFIG = documentOf("config", '{"dl":"http://files.example/crates","api":"http://api.example"}');

/** The path is split before it is decoded, as routes/ does. */
export function asking(method: ClientRequest["method"], path: string): ClientRequest {
  const [pathname = "", query = ""] = path.split("?");
  return {
    method,
    segments: pathname.split("/").map(decodeURIComponent),
    query: new URLSearchParams(query),
    headers: new Map(),
  };
}

export function documentOf(key: string, body: string | null): UpstreamDocument {
  return {
    key,
    status: body === null ? 404 : 200,
    contentType: "text/plain",
    body: new TextEncoder().encode(body ?? ""),
    fetchedAt: 0 as UpstreamDocument["fetchedAt"],
    url: `http://index.example/${key}`,
  };
}

/** Reads as the pipeline does, with a layout that went through storage. */
export function readIndex(name: string, indexFile: string, config = CONFIG): Reading {
  const documents = [documentOf("index", indexFile), config];
  for (const reading of cargo.read({ kind: "package", name }, documents)) {
    if (reading !== undefined) {
      return { facts: reading.facts, layout: JSON.parse(JSON.stringify(reading.layout)) };
    }
  }
  throw new Error("There was no reading");
}

/** What is known of one crate, under decisions that hold `hidden` back. */
export function materialOf(
  options: {
    readonly reading: Reading;
    readonly documents: readonly UpstreamDocument[];
    readonly hidden?: readonly string[];
    /** For a catalogue: there is no reading, and these facts are cached. */
    readonly isCatalogue?: boolean;
  },
): Material {
  const { reading, documents, hidden = [], isCatalogue = false } = options;
  const { facts } = reading;
  const decided = (verdict: Decision["verdict"]): Decision => ({
    verdict,
    enforcedVerdict: verdict,
    reasons: [],
    horizon: null,
  });
  const decisions: Decisions = {
    artifact: () => null,
    release: (version) =>
      facts.releases.some((release) => release.version === version)
        ? decided(hidden.includes(version) ? "hold" : "allow")
        : null,
    horizon: null,
    allowedUntil: null,
  };
  return {
    documents,
    reading: isCatalogue ? null : reading,
    decisions: (name) => name === facts.name ? decisions : null,
    facts: (name) => name === facts.name ? facts : null,
    now: 0 as Material["now"],
    notice: () => "",
  };
}

/** Under an index, version or catalogue ask for this path; null where nothing is rendered. */
export function rendered(path: string, material: Material, links: Links = LINKS) {
  const ask = cargo.parse(asking("GET", path));
  if (ask?.kind !== "index" && ask?.kind !== "version" && ask?.kind !== "catalogue") {
    throw new Error(`Nothing is rendered for ${path}`);
  }
  const answer = cargo.render(ask, material, links);
  if (answer === null) return null;
  const text = new TextDecoder().decode(
    Uint8Array.from(Array.from(answer.body, (piece) => [...piece]).flat()),
  );
  return { ...answer, text, withheld: answer.withheld() };
}
