import assert from "node:assert/strict";
import { printTable, safeText, toCsv, toJson } from "./table.ts";

const ROWS = [{ name: "left-pad", installs: 12345, at: 0 }, {
  name: "日本\u001b[2J\n",
  installs: 7,
  at: 1000,
}];
const COLUMNS = [{ key: "name", title: "name" }, { key: "installs", title: "installs" }] as const;

Deno.test("printTable aligns columns by their width on a terminal, numbers right, without control characters", () => {
  const printed = printTable(ROWS, COLUMNS, { colour: false });
  assert.deepEqual(printed.split("\n"), [
    "name       installs",
    "left-pad     12,345",
    "日本\ufffd[2J\ufffd         7",
    "",
  ]);
  assert.ok(printed.split("\n").every((line) => !/ $/.test(line)));
});

Deno.test("printTable is bold in its heading only where colour is wanted", () => {
  assert.ok(printTable(ROWS, COLUMNS, { colour: true }).startsWith("\x1b[1mname\x1b[22m"));
  assert.ok(!printTable(ROWS, COLUMNS, { colour: false }).includes("\x1b"));
});

Deno.test("toJson writes an array, one row a line, times as RFC 3339", () => {
  const text = toJson(ROWS, ["at"]);
  assert.equal(text.split("\n").length, 5);
  assert.equal(JSON.parse(text)[1].at, "1970-01-01T00:00:01.000Z");
  assert.equal(toJson([], []), "[]\n");
});

Deno.test("toCsv quotes, and keeps formulas from being formulas", () => {
  const rows = ["=1+1", "+1", "-1", "@acme/ui", 'a"b,c', "plain", "\t=1", null].map((text) => ({ text }));
  const lines = toCsv(rows, ["text"], { times: [], header: true }).split("\n");
  assert.deepEqual(lines, ["text", "'=1+1", "'+1", "'-1", "'@acme/ui", '"a""b,c"', "plain", "'\t=1", "", ""]);
});

Deno.test("safeText leaves nothing that steers a terminal or turns the direction of text", () => {
  assert.equal(
    safeText("a\u001b[31m\u0007\u202e\u2066\u200b\ud800b\u009b\u2028"),
    "a\ufffd[31m\ufffd\ufffd\ufffd\ufffd\ufffdb\ufffd\ufffd",
  );
});
