/** `uv.lock`, `poetry.lock`, `pylock.toml` (PEP 751) and `Pipfile.lock`: releases with the files that may be installed. */
import {
  filenameIn,
  type Findings,
  findings,
  isTable,
  optionalList,
  optionalTable,
  optionalText,
  own,
  parseJson,
  type Table,
  tableAt,
  textAt,
} from "./shape.ts";
import { hashOf, lockedByDigests, lockedFile, writtenAt } from "./locked.ts";
import { readToml } from "./toml.ts";
import type { LockedFile, LockfileReader } from "./types.ts";

export const readUvLock: LockfileReader = (text) => {
  const lock = readToml(text);
  if (typeof own(lock, "version") !== "number") {
    throw new SyntaxError("version: expected a number, as uv writes it");
  }
  const found = findings();
  for (const { entry, name, where } of packagesIn(lock, "package")) {
    const source = optionalTable(entry, "source");
    const kind = Object.keys(source)[0] ?? "registry";
    // The project itself and its workspace.
    if (kind === "virtual" || kind === "editable") continue;
    if (kind !== "registry") {
      found.skipped.push({ where, why: `its source is ${kind}, no registry` });
      continue;
    }
    add(found, { name, where, version: textAt(entry, "version", where) }, filesOf(entry, where));
  }
  return found;
};

export const readPylock: LockfileReader = (text) => {
  const lock = readToml(text);
  textAt(lock, "lock-version", "pylock.toml");
  const found = findings();
  for (const { entry, name, where } of packagesIn(lock, "packages")) {
    const outside = ["vcs", "directory", "archive"].find((key) => own(entry, key) !== undefined);
    const version = optionalText(entry, "version");
    if (outside !== undefined) found.skipped.push({ where, why: `its source is ${outside}, no registry` });
    else {add(
        found,
        { name, where, version: version ?? textAt(entry, "version", where) },
        filesOf(entry, where),
      );}
  }
  return found;
};

export const readPoetryLock: LockfileReader = (text) => {
  const lock = readToml(text);
  const found = findings();
  // Before poetry 1.5 the files of all packages stood at the end.
  const all = optionalTable(optionalTable(lock, "metadata"), "files");
  for (const { entry, name, where } of packagesIn(lock, "package")) {
    const kind = optionalText(optionalTable(entry, "source"), "type");
    if (kind !== null && kind !== "legacy") {
      found.skipped.push({ where, why: `its source is ${kind}, no registry` });
      continue;
    }
    const listed = own(entry, "files") ?? own(all, name) ?? own(all, name.toLowerCase());
    const files = optionalList(listed, `${where}.files`).map((file): LockedFile => {
      const table = tableAt(file, `${where}.files`);
      const hash = hashOf(textAt(table, "hash", `${where}.files`), `${where}.files`);
      return lockedFile(textAt(table, "file", `${where}.files`), [hash]);
    });
    add(found, { name, where, version: textAt(entry, "version", where) }, files);
  }
  return found;
};

export const readPipfileLock: LockfileReader = (text) => {
  const lock = tableAt(parseJson(text), "Pipfile.lock");
  if (!isTable(own(lock, "_meta"))) throw new SyntaxError("_meta: expected a table, as pipenv writes it");
  const found = findings();
  for (const [group, entries] of Object.entries(lock)) {
    if (group === "_meta") continue;
    for (const [name, value] of Object.entries(tableAt(entries, group))) {
      const where = `${group}[${JSON.stringify(name)}]`;
      const entry = tableAt(value, where);
      const outside = ["git", "path", "file"].find((key) => own(entry, key) !== undefined);
      if (outside !== undefined) {
        found.skipped.push({ where, why: `its source is ${outside}, no registry` });
        continue;
      }
      const [, version] = /^={2,3}(.+)$/.exec(textAt(entry, "version", where)) ?? [];
      if (version === undefined) throw new SyntaxError(`${where}: expected a version such as ==2.32.3`);
      const hashes = optionalList(own(entry, "hashes"), `${where}.hashes`)
        .map((hash) => hashOf(String(hash), `${where}.hashes`));
      add(found, { name, where, version }, lockedByDigests(hashes) ?? []);
    }
  }
  return found;
};

function* packagesIn(lock: Table, key: string) {
  for (const [at, value] of optionalList(own(lock, key), key).entries()) {
    const entry = tableAt(value, `${key} ${at + 1}`);
    const name = textAt(entry, "name", `${key} ${at + 1}`);
    yield { entry, name, where: `${key} ${at + 1} (${name})` };
  }
}

/** uv: `hash` and `url`; PEP 751: `hashes`, and `name` where the address does not say it. */
function filesOf(entry: Table, where: string): readonly LockedFile[] {
  const sdist = own(entry, "sdist");
  const all = [
    ...optionalList(own(entry, "wheels"), `${where}.wheels`),
    ...(sdist === undefined ? [] : [sdist]),
  ];
  return all.map((value): LockedFile => {
    const file = tableAt(value, `${where}.wheels`);
    const hash = writtenAt(file, "hash", where);
    const hashes = Object.entries(optionalTable(file, "hashes")).map(([kind, hex]) =>
      `${kind}:${String(hex)}`
    );
    const address = optionalText(file, "url") ?? optionalText(file, "path") ?? "";
    return lockedFile(
      optionalText(file, "name") ?? optionalText(file, "filename") ?? filenameIn(address),
      (hash === null ? hashes : [hash]).map((each) => hashOf(each, `${where}.wheels`)),
    );
  });
}

function add(
  found: Findings,
  entry: { readonly name: string; readonly version: string; readonly where: string },
  files: readonly LockedFile[],
): void {
  found.packages.push({ type: "pypi", ...entry, files: files.length === 0 ? null : files });
}
