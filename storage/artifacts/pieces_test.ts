import assert from "node:assert/strict";
import { createPieces } from "./pieces.ts";

/** What the HTTP server holds of a stream whose client has stopped: sixteen pieces, or as many as 400 kB and one more. */
function heldBytes(piece: number): number {
  return Math.min(16 * piece, Math.ceil(417_792 / piece) * piece);
}

Deno.test("createPieces: a few streams have pieces of 256 kB; ended ones do not count", () => {
  const pieces = createPieces();
  const shares = Array.from({ length: 200 }, () => pieces.open());
  assert.ok(shares[0]!.pieceBytes() < 64 * 1024);
  for (const share of shares.slice(1)) {
    share.end();
    share.end();
  }
  assert.equal(pieces.streams, 1);
  assert.equal(shares[0]!.pieceBytes(), 256 * 1024);
});

for (const [streams, mostBytes] of [[30, 16_000_000], [500, 70_000_000], [2_000, 170_000_000]] as const) {
  Deno.test(`createPieces: ${streams} streams that stall one after the other hold less than ${mostBytes} bytes`, () => {
    const pieces = createPieces();
    let held = 0;
    for (let n = 0; n < streams; n++) held += heldBytes(pieces.open().pieceBytes());
    assert.ok(held < mostBytes, `${held}`);
    // All of one size would be 208 MB for five hundred.
    assert.ok(held > streams * 4096);
  });
}

Deno.test("createPieces: beside five hundred that stall, one that reads has large pieces after 8 MB", () => {
  const pieces = createPieces();
  for (let n = 0; n < 500; n++) pieces.open();
  const reader = pieces.open();
  assert.equal(reader.pieceBytes(), 4 * 1024);
  reader.took(8 * 2 ** 20);
  assert.equal(reader.pieceBytes(), 64 * 1024);
  assert.equal(pieces.open().pieceBytes(), 4 * 1024);
});
