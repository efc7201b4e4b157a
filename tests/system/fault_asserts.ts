/** What is promised of every document and file that fails: the same, whatever the protocol. */
import assert from "node:assert/strict";
import type { Sampled } from "../contract/samples.ts";
import { type Answered, eachOf } from "../contract/world.ts";
import type { LogLine } from "../fakes/sluice.ts";
import type { Answer, FaultName } from "../fakes/upstream.ts";
import { type Matrix, PATIENT_ENOUGH, type Row, startMatrix } from "./fault_matrix.ts";
import { PAUSE_MS, TOLD } from "./faults_world.ts";

/** Stops everything of its origin, so it comes last. */
const LAST = "too-many-requests";

/** Every row, or the first of each document, under each of these: told, logged once, nothing kept, the next succeeds. */
export async function assertFaults(
  sampled: Sampled,
  faults: readonly FaultName[],
  isMeant: (row: Row) => boolean,
): Promise<void> {
  const stalls = faults.some((fault) => fault.startsWith("stall-"));
  await using matrix = await startMatrix(sampled, faults, stalls ? PATIENT_ENOUGH : {});
  const rows = matrix.rows.filter(isMeant);
  const honest = await honestOf(matrix, rows);
  const under = async (fault: FaultName) => {
    for (const row of rows) await assertFault(matrix, row, fault, honest.get(row)!);
  };
  await eachOf(faults.filter((fault) => fault !== LAST), under);
  if (faults.includes(LAST)) await under(LAST);
}

const JSON_TYPE = { "content-type": "application/json" };

/** What is no word of the registry's that there is no such thing; by the name of an organisation. */
const FAILURES: Readonly<Record<string, readonly [how: Partial<Answer>, told: number]>> = {
  "status-400": [{ status: 400 }, 502],
  "status-401": [{ status: 401 }, 403],
  "status-403": [{ status: 403, body: '{"error":"not found"}', headers: JSON_TYPE }, 403],
  "status-405": [{ status: 405 }, 502],
  "status-407": [{ status: 407 }, 502],
  "status-408": [{ status: 408 }, 502],
  "status-418": [{ status: 418 }, 502],
  "status-451": [{ status: 451 }, 403],
  "status-500": [{ status: 500 }, 502],
  "status-204": [{ status: 204, body: "" }, 502],
  "status-206": [{ status: 206 }, 502],
  "status-299": [{ status: 299 }, 502],
  "empty": [{ body: "" }, 502],
  "json-null": [{ body: "null", headers: JSON_TYPE }, 502],
  "json-list": [{ body: "[]", headers: JSON_TYPE }, 502],
  "json-error": [{ body: '{"error":"slow down"}', headers: JSON_TYPE }, 502],
  "error-page": [{ body: "<h1>404 Not Found</h1>", headers: { "content-type": "text/html" } }, 502],
};

/** Whatever a source fails with is neither an absence nor an answer without it. */
export async function assertNeverAbsent(sampled: Sampled, isMeant: (row: Row) => boolean): Promise<void> {
  await using matrix = await startMatrix(sampled, Object.keys(FAILURES));
  const rows = matrix.rows.filter(isMeant);
  const honest = await honestOf(matrix, rows);
  await eachOf(Object.entries(FAILURES), async ([name, [how, told]]) => {
    for (const row of rows) {
      // A sidecar without a digest is passed on as it is, so any JSON may be right; files have theirs.
      if (row.kind === "sidecar" && name.startsWith("json-")) continue;
      const what = `${row.title}, ${row.target}, ${name}`;
      const before = matrix.asked(row, name);
      matrix.spoil(row, name, how);
      const answer = await matrix.ask(row, name).catch(() => null);
      assert.ok(matrix.asked(row, name) > before, `${what}: it is not there yet, and asked for`);
      if (answer !== null) assert.equal(answer.status, told, `${what}: ${answer.text}`);
      else assert.ok(row.isFile, `${what}: cut`);
      matrix.spoil(row, name, null);
      assert.equal(shown(await matrix.ask(row, name), name), honest.get(row), `${what}: the next`);
    }
  });
}

async function honestOf(matrix: Matrix, rows: readonly Row[]): Promise<ReadonlyMap<Row, string>> {
  const honest = new Map<Row, string>();
  for (const row of rows) {
    const answer = await matrix.ask(row, "honest");
    assert.equal(answer.status, 200, `${row.title}: ${answer.text}`);
    honest.set(row, shown(answer, "honest"));
  }
  assert.ok(rows.length > 0);
  return honest;
}

async function assertFault(matrix: Matrix, row: Row, fault: FaultName, honest: string): Promise<void> {
  const what = `${row.title}, ${row.target}, ${fault}`;
  const before = linesOf(matrix, fault).length;
  const askedBefore = matrix.asked(row, fault);
  matrix.spoil(row, fault, { fault });
  const answer = await matrix.ask(row, fault).catch(() => null);
  assert.ok(matrix.asked(row, fault) > askedBefore, `${what}: it is not there yet, and asked for`);
  const logged = linesOf(matrix, fault).slice(before);
  const isHonest = answer !== null && shown(answer, fault) === honest;
  if (!isHonest) assertTold(answer, row, fault, what);
  assert.equal(logged.length, isHonest ? 0 : 1, `${what}: ${JSON.stringify(logged)}`);
  matrix.spoil(row, fault, null);
  if (fault === LAST) matrix.sluice.advance(PAUSE_MS);
  let next = await matrix.ask(row, fault);
  // One probe at a time: of two documents that one answer needs, the second may come too early.
  if (fault === LAST && next.status === 503) next = await matrix.ask(row, fault);
  assert.equal(shown(next, fault), honest, `${what}: the next`);
}

function assertTold(answer: Answered | null, row: Row, fault: FaultName, what: string): void {
  // A document has to say itself that it is whole, where nothing else does; a file has its digest.
  const told = row.isFile ? TOLD[fault].tarball : fault === "no-length" ? 502 : TOLD[fault].packument;
  assert.notEqual(told, "whole", `${what}: ${answer?.status} ${answer?.text}`);
  if (told === "cut") return assert.ok(answer === null || answer.status >= 500, `${what}: ${answer?.status}`);
  assert.equal(answer?.status, told, `${what}: ${answer?.text}`);
  assert.equal(answer?.headers.get("cache-control"), "no-store", what);
  assert.equal(answer?.headers.has("retry-after"), fault === LAST || fault === "unavailable", what);
}

/** What was told of one organisation. */
function linesOf({ sluice }: Matrix, organisation: string): readonly LogLine[] {
  return sluice.lines.filter(({ level, fields }) =>
    (level === "warn" || level === "error") &&
    (fields["organisation"] === organisation ||
      String(fields["fill.key"]).split("\n")[1]?.startsWith(`${organisation}--`))
  );
}

/** Without what is each organisation's own. */
function shown({ status, bytes }: Answered, organisation: string): string {
  const text = new TextDecoder("latin1").decode(bytes);
  return `${status} ${text.replaceAll(`/${organisation}/`, "/ORGANISATION/")}`;
}
