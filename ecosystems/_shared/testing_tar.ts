/** For tests: the archives that crates, sdists and npm packages are. */
import { Buffer } from "node:buffer";
import { gzipSync } from "node:zlib";

/** A POSIX ustar archive of text files, gzipped; the same files make the same bytes. */
export function tarGz(files: Readonly<Record<string, string>>): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [path, text] of Object.entries(files)) {
    const body = new TextEncoder().encode(text);
    blocks.push(tarHeader(path, body.length), body, new Uint8Array((512 - body.length % 512) % 512));
  }
  blocks.push(new Uint8Array(1024));
  return new Uint8Array(gzipSync(Buffer.concat(blocks)));
}

function tarHeader(path: string, size: number): Uint8Array {
  const header = new Uint8Array(512);
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at);
  put(0, path);
  put(100, "0000644\0" + "0000000\0" + "0000000\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0`);
  put(136, `${(499162500).toString(8).padStart(11, "0")}\0`);
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\0" + "00");
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return header;
}
