/** `Cargo.lock`, versions 1 to 4. */
import {
  digestOf,
  findings,
  optionalList,
  optionalTable,
  optionalText,
  own,
  tableAt,
  textAt,
} from "./shape.ts";
import { readToml } from "./toml.ts";
import type { LockfileReader } from "./types.ts";

export const readCargoLock: LockfileReader = (text) => {
  const lock = readToml(text);
  const found = findings();
  // Version 1 has the checksums at the end.
  const metadata = optionalTable(lock, "metadata");
  for (const [at, value] of optionalList(own(lock, "package"), "package").entries()) {
    const entry = tableAt(value, `package ${at + 1}`);
    const name = textAt(entry, "name", `package ${at + 1}`);
    const where = `package ${at + 1} (${name})`;
    const version = textAt(entry, "version", where);
    const source = optionalText(entry, "source");
    // The project itself and its workspace.
    if (source === null) continue;
    if (!/^(?:registry|sparse)\+/.test(source)) {
      found.skipped.push({ where, why: `its source is ${source.split("+", 1)[0]}, no registry` });
      continue;
    }
    const checksum = optionalText(entry, "checksum") ??
      optionalText(metadata, `checksum ${name} ${version} (${source})`);
    const digests = checksum === null ? [] : digestOf("sha256", checksum);
    const files = digests.length === 0 ? null : [{ filename: null, digests }];
    found.packages.push({ type: "cargo", name, version, files, where });
  }
  return found;
};
