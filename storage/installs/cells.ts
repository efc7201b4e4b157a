/** The values of the indexes: tallies under a few labels, packed as JSON. */
import type { EpochMs } from "../../policy/types.ts";
import { StorageError } from "../errors.ts";
import { addTallies, type Tally } from "./tally.ts";

/** `[day]`, or `[day, version, 1 if refused else 0]` in the indexes of packages and users. */
export type Labels = readonly (string | number)[];

export interface Cell {
  readonly labels: Labels;
  readonly tally: Tally;
}

/** Cells by their labels. */
export type Cells = Map<string, Cell>;

const FORMAT = 1;
const TALLY_LENGTH = 7;
/** Above this the next chunk is begun: what is rewritten at each fold stays small. */
const CHUNK_BYTES = 4_096;
/** Two times and five small numbers, roughly. */
const CELL_BYTES = 45;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Adds a cell to those that have the same labels. */
export function addCell(cells: Cells, { labels, tally }: Cell): void {
  const id = idOf(labels);
  const known = cells.get(id);
  cells.set(id, known === undefined ? { labels, tally } : { labels, tally: addTallies(known.tally, tally) });
}

function idOf(labels: Labels): string {
  return labels.length === 1 ? String(labels[0]) : labels.join("\n");
}

export function encodeCells(cells: Iterable<Cell>): Uint8Array {
  return encoder.encode(JSON.stringify([FORMAT, Array.from(cells, toRow)]));
}

function toRow({ labels, tally: t }: Cell): readonly (string | number)[] {
  return [...labels, t.first, t.last, t.served, t.partial, t.refused, t.observed, t.bytes];
}

/** Throws StorageError for a value of a newer format. */
export function decodeCells(value: Uint8Array): Cell[] {
  const [format, rows] = JSON.parse(decoder.decode(value)) as [number, (string | number)[][]];
  if (format !== FORMAT) {
    throw new StorageError(`Cannot read install index: format ${format} is not ${FORMAT}; update Sluice`);
  }
  return rows.map(toCell);
}

function toCell(row: readonly (string | number)[]): Cell {
  const split = row.length - TALLY_LENGTH;
  const [first, last, served, partial, refused, observed, bytes] = row.slice(split) as number[];
  const tally = { first: first as EpochMs, last: last as EpochMs, served, partial, refused, observed, bytes };
  return { labels: row.slice(0, split), tally: tally as Tally };
}

/**
 * Adds new cells to the last chunk of a key (null: there is none); returns the chunks to write, the first of which
 * replaces the one that was given. Cells never move from one chunk to another; a `single` key has one chunk.
 */
export function addToChunk(
  chunk: Uint8Array | null,
  added: Iterable<Cell>,
  options: { readonly single: boolean },
): Uint8Array[] {
  const open: Cells = new Map();
  for (const cell of chunk === null ? [] : decodeCells(chunk)) addCell(open, cell);
  const chunks: Cells[] = [open];
  let current = open;
  let size = chunk?.length ?? 0;
  for (const cell of added) {
    if (open.has(idOf(cell.labels))) {
      addCell(open, cell);
      continue;
    }
    if (!options.single && current.size > 0 && size > CHUNK_BYTES) {
      current = new Map();
      chunks.push(current);
      size = 0;
    }
    addCell(current, cell);
    size += CELL_BYTES + cell.labels.length * 8 + String(cell.labels[1] ?? "").length * 3;
  }
  return chunks.map((cells) => encodeCells(cells.values()));
}
