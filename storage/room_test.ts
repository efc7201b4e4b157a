import assert from "node:assert/strict";
import { createRoom } from "./room.ts";

Deno.test("createRoom: all that was added, whatever was guessed, and little is not kept in much", () => {
  const pieces = Array.from({ length: 100 }, (_, i) => new Uint8Array(i).fill(i));
  const whole = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  for (const hint of [0, 1, whole.length - 1, whole.length, whole.length + 1_000, 1_000_000]) {
    const room = createRoom(hint, 10);
    const reused = new Uint8Array(100);
    for (const piece of pieces) {
      reused.set(piece);
      room.add(reused.subarray(0, piece.length));
    }
    const bytes = room.end();
    assert.deepEqual(new Uint8Array(bytes), whole, `hint ${hint}`);
    assert.ok(bytes.buffer.byteLength <= whole.length / 0.25, `hint ${hint}: ${bytes.buffer.byteLength}`);
  }
  assert.equal(createRoom(0).end().byteLength, 0);
});
