/** The package that `/-/why/{purl}[/{speaking segment}]` names, from its decoded segments. */

/** `name` joins namespace and name by `/`, as it was written: registries know it by no other. */
export interface PurlPath {
  readonly type: string;
  readonly name: string;
  readonly version: string | null;
  /** `held-by-minimumAge-until-2026-12-01`: the address that a refused client was sent to. */
  readonly isSpeaking: boolean;
}

const TYPE = /^pkg:([a-z][a-z0-9.+-]{0,31})$/;
/** What policy/explain.ts's `speakingSegment` makes. */
const SPEAKING = /^(?:would-be-)?(?:held|denied)-by-[A-Za-z0-9-]{1,120}$/;
const MAX_NAME_LENGTH = 512;
const MAX_VERSION_LENGTH = 256;

/** null: this names no package. A purl's version is what follows the first `@` that does not begin a segment. */
export function readPurlPath(segments: readonly string[]): PurlPath | null {
  const parts = segments.flatMap((segment) => segment.split("/"));
  if (parts.at(-1) === "") parts.pop();
  const type = TYPE.exec(parts[0]?.toLowerCase() ?? "")?.[1];
  if (type === undefined || parts.length < 2 || parts.includes("")) return null;
  const rest = parts.slice(1);
  const versioned = rest.findIndex((part) => part.lastIndexOf("@") > 0);
  return versioned === -1 ? withoutVersion(type, rest) : withVersion(type, rest, versioned);
}

function withVersion(type: string, rest: readonly string[], index: number): PurlPath | null {
  const part = rest[index]!;
  const at = part.lastIndexOf("@");
  const tail = rest.slice(index + 1);
  const isSpeaking = tail.length === 1 && SPEAKING.test(tail[0]!);
  if (tail.length > 0 && !isSpeaking) return null;
  const name = [...rest.slice(0, index), part.slice(0, at)].join("/");
  const version = part.slice(at + 1);
  if (version === "" || version.length > MAX_VERSION_LENGTH) return null;
  return bounded({ type, name, version, isSpeaking });
}

function withoutVersion(type: string, rest: readonly string[]): PurlPath | null {
  const isSpeaking = rest.length > 1 && SPEAKING.test(rest.at(-1)!);
  const name = (isSpeaking ? rest.slice(0, -1) : rest).join("/");
  return bounded({ type, name, version: null, isSpeaking });
}

function bounded(path: PurlPath): PurlPath | null {
  return path.name.length <= MAX_NAME_LENGTH ? path : null;
}
