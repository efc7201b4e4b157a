/** `Cargo.lock`, versions 1 to 4. */
import { findings, optionalList, optionalTable, optionalText, own, tableAt, textAt } from "./shape.ts";
import { digestOf, lockedByDigests, writtenAt } from "./locked.ts";
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
    const checksum = writtenAt(entry, "checksum", where) ??
      writtenAt(metadata, `checksum ${name} ${version} (${source})`, where);
    const isKnown = checksum !== null && checksum !== "<none>";
    const files = isKnown ? lockedByDigests([digestOf("sha256", checksum, checksum)]) : null;
    found.packages.push({ type: "cargo", name, version, files, where });
  }
  return found;
};
