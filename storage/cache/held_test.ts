import assert from "node:assert/strict";
import { isBeside } from "./held.ts";

Deno.test("isBeside: what stands beside a held file, under whatever name it is kept, and nothing else", () => {
  const files = new Set(["tool-1.0-py3-none-any.whl", "tool-1.0.tar.gz"]);
  for (
    const name of [
      "metadata sha256-0abc https://files.example/packages/aa/bb/tool-1.0-py3-none-any.whl.metadata",
      "metadata packages/tool-1.0-py3-none-any.whl.metadata?token=1",
      "provenance integrity/tool/1.0/tool-1.0.tar.gz/provenance",
      "signature tool-1.0.tar.gz.asc",
    ]
  ) assert.ok(isBeside(files, name), name);
  for (
    const name of ["metadata packages/other-1.0.tar.gz.metadata", "config config.json", "x tool-1.0", ""]
  ) {
    assert.ok(!isBeside(files, name), name);
  }
});
