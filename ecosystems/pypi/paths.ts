/** Where things are, below this ecosystem's mount. */

/** A file, by project, so that no file name has to be taken apart to say whose it is. */
export function filePath(name: string, filename: string): string {
  return `packages/${name}/${encodeURIComponent(filename)}`;
}

export function provenancePath(name: string, version: string, filename: string): string {
  return `integrity/${name}/${encodeURIComponent(version)}/${encodeURIComponent(filename)}/provenance`;
}
