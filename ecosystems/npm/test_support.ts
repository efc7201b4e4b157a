/** What the tests of this folder share. */
import type { Decision, Decisions } from "../../policy/types.ts";
import type { ClientRequest, IndexAsk, Links, Material, Reading, UpstreamDocument } from "../ecosystem.ts";
import { npm } from "./npm.ts";

export const LINKS: Links = { base: "http://127.0.0.1:8080/npm", authRequired: false, artifacts: "proxy" };

export function get(path: string, headers: Readonly<Record<string, string>> = {}): ClientRequest {
  return asking("GET", path, headers);
}

/** The path is split before it is decoded, as routes/ does. */
export function asking(
  method: ClientRequest["method"],
  path: string,
  headers: Readonly<Record<string, string>> = {},
): ClientRequest {
  const [pathname = "", query = ""] = path.split("?");
  return {
    method,
    segments: pathname.split("/").map(decodeURIComponent),
    query: new URLSearchParams(query),
    headers: new Map(Object.entries(headers)),
  };
}

export function documentOf(
  body: string | Uint8Array,
  url: string,
  key = "packument",
): UpstreamDocument {
  return {
    key,
    status: 200,
    contentType: "application/json",
    body: typeof body === "string" ? new TextEncoder().encode(body) : body,
    fetchedAt: 0 as UpstreamDocument["fetchedAt"],
    url,
  };
}

/** Reads as the pipeline does, with a layout that went through storage. */
export function readAll(name: string, document: UpstreamDocument): Reading {
  for (const reading of npm.read({ kind: "package", name }, [document])) {
    if (reading !== undefined) {
      return { facts: reading.facts, layout: JSON.parse(JSON.stringify(reading.layout)) };
    }
  }
  throw new Error("There was no reading");
}

export function decisionsHiding(hidden: ReadonlySet<string>, known?: ReadonlySet<string>): Decisions {
  const decision = (verdict: Decision["verdict"]): Decision => ({
    verdict,
    enforcedVerdict: verdict,
    reasons: [],
    horizon: null,
  });
  return {
    artifact: () => null,
    release: (version) =>
      known !== undefined && !known.has(version) ? null : decision(hidden.has(version) ? "hold" : "allow"),
    horizon: null,
    allowedUntil: null,
  };
}

export function materialOf(
  document: UpstreamDocument,
  reading: Reading | null,
  hidden: readonly string[] = [],
): Material {
  const decisions = decisionsHiding(new Set(hidden));
  return {
    documents: [document],
    reading,
    decisions: (name) => name === reading?.facts.name ? decisions : null,
    now: 0 as Material["now"],
    notice: (withheld) => `withheld: ${withheld.join(" ")}`,
  };
}

export function indexAsk(name: string, variant: string): IndexAsk {
  return { kind: "index", subject: { kind: "package", name }, variant };
}

export function textOf(body: Iterable<Uint8Array>): string {
  return new TextDecoder().decode(Uint8Array.from(Array.from(body, (piece) => [...piece]).flat()));
}
