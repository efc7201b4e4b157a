import assert from "node:assert/strict";
import { createBlake2b256 } from "./blake2b.ts";
import { blobKey, parseBlobKey, sha256Of } from "./key.ts";

/** From the reference implementation (Python's hashlib.blake2b with digest_size=32), over 0, 1, 2, … */
const BLAKE2B: readonly (readonly [number, string])[] = [
  [0, "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"],
  [1, "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"],
  [127, "f2fe67ff342e21b8f45e8f2e0bcd1d9243245d50ee6c78042e9c491388791c72"],
  [128, "c3582f71ebb2be66fa5dd750f80baae97554f3b015663c8be377cfcb2488c1d1"],
  [129, "f7f3c46ba2564ff4c4c162da1f5b605f9f1c4aa6a20652a9f9a337c1a2f5b9c9"],
  [255, "1d0850ee9bca0abc9601e9deabe1418fedec2fb6ac4150bd5302d2430f9be943"],
  [256, "39a7eb9fedc19aabc83425c6755dd90e6f9d0c804964a1f4aaeea3b9fb599835"],
  [257, "45f7f084c30bac7cbae2e1963bc6e6b0d8cb227a12927e97fb941d288fb1f9a3"],
  [1000, "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec"],
  [70000, "a73b8002154cbb5b641171f954b6284afd87625fc515d2ca57cff08358b1be0f"],
];

Deno.test("createBlake2b256: agrees with the reference at every boundary of a block, however it is fed", () => {
  for (const [length, hex] of BLAKE2B) {
    const bytes = Uint8Array.from({ length }, (_, at) => at);
    for (const step of [1, 7, 128, 129, 100_000]) {
      const hash = createBlake2b256();
      for (let at = 0; at < length; at += step) hash.update(bytes.subarray(at, at + step));
      assert.equal(hash.digest().toHex(), hex, `${length} bytes by ${step}`);
    }
  }
});

Deno.test("blobKey: names 64 lower-case hex digits, and nothing else", () => {
  const hex = "ab".repeat(32);
  const key = blobKey(hex);
  assert.equal(key, `sha256/ab/${hex}`);
  assert.equal(sha256Of(key), hex);
  assert.equal(parseBlobKey(key), key);
  for (const wrong of ["", hex.toUpperCase(), hex + "0", hex.slice(1), "g".repeat(64), `${hex}\n`]) {
    assert.throws(() => blobKey(wrong), TypeError, wrong);
  }
  for (const wrong of [hex, `sha256/ac/${hex}`, `/${key}`, `${key}/`, `${key}\n`, `sha256/ab/../${hex}`]) {
    assert.equal(parseBlobKey(wrong), null, wrong);
  }
});
