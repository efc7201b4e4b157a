/** Reads Prometheus' text form 0.0.4 strictly: what a scraper would refuse, or take wrongly, throws. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly samples: readonly Sample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/;

/** By family. Throws Error with the line. */
export function readExposition(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith("\n")) throw new Error("The last line has no line feed");
  const families = new Map<string, { readonly type: string; readonly samples: Sample[] }>();
  const seen = new Set<string>();
  let current: string | null = null;
  for (const line of text.slice(0, -1).split("\n")) {
    const type = /^# TYPE (\S+) (counter|gauge|histogram)$/.exec(line);
    if (type !== null) {
      current = type[1]!;
      if (!NAME.test(current) || families.has(current)) {
        throw new Error(`A family twice, or no name: ${line}`);
      }
      families.set(current, { type: type[2]!, samples: [] });
      continue;
    }
    if (/^# HELP \S+ \S/.test(line)) continue;
    const sample = readSample(line);
    const family = current === null ? undefined : families.get(current);
    const suffix = current === null ? "" : sample.name.slice(current.length);
    const isOurs = family !== undefined && sample.name.startsWith(current!) &&
      (family.type === "histogram" ? ["_bucket", "_sum", "_count"].includes(suffix) : suffix === "");
    if (!isOurs) throw new Error(`Outside of its family: ${line}`);
    const id = `${sample.name} ${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(id)) throw new Error(`Twice: ${line}`);
    seen.add(id);
    family.samples.push(sample);
  }
  for (const [name, family] of families) {
    if (family.type === "histogram") checkHistogram(name, family.samples);
  }
  return families;
}

function readSample(line: string): Sample {
  const match = /^([^\s{]+)(?:\{(.*)\})? (\S+)$/.exec(line);
  if (match === null || !NAME.test(match[1]!)) throw new Error(`No sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let rest = match[2] ?? ""; rest !== "";) {
    const label = LABEL.exec(rest);
    if (label === null || Object.hasOwn(labels, label[1]!)) throw new Error(`No labels: ${line}`);
    labels[label[1]!] = label[2]!.replaceAll(/\\([\\"n])/g, (_, char) => char === "n" ? "\n" : char);
    rest = rest.slice(label[0].length);
  }
  const value = Number(match[3]);
  if (!Number.isFinite(value)) throw new Error(`No number: ${line}`);
  return { name: match[1]!, labels, value };
}

/** Buckets rise, the last is +Inf and equals the count. */
function checkHistogram(name: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(samples, ({ labels: { le: _, ...labels } }) => JSON.stringify(labels));
  for (const [labels, all] of series) {
    const buckets = all.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: { le } }) => le === "+Inf" ? Infinity : Number(le));
    const count = all.find((sample) => sample.name === `${name}_count`)?.value;
    const isRising = buckets.every(({ value }, at) =>
      at === 0 || (value >= buckets[at - 1]!.value && bounds[at]! > bounds[at - 1]!)
    );
    if (!isRising || bounds.at(-1) !== Infinity || buckets.at(-1)!.value !== count) {
      throw new Error(`No histogram: ${name} ${labels}`);
    }
    if (!all.some((sample) => sample.name === `${name}_sum`)) throw new Error(`No sum: ${name} ${labels}`);
  }
}
