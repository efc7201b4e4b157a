/** How the instance is: its processes, storage, upstreams, jobs, log and cache. */
import * as z from "zod";
import { type Endpoint, endpoint } from "./endpoint.ts";
import { instant } from "./schemas.ts";

const upstreamState = z.enum(["ok", "failing", "open"]).meta({
  description: "open: it is not asked for a while",
});

const status = z.object({
  version: z.string(),
  asOf: instant,
  processes: z.array(z.object({
    instance: z.string(),
    version: z.string(),
    startedAt: instant,
    uptimeSeconds: z.number(),
    saidAt: instant.meta({ description: "Each says this once a minute" }),
    rssBytes: z.number(),
    heapBytes: z.number(),
    inFlight: z.number().meta({ description: "Requests that it is answering" }),
    fills: z.number().meta({ description: "Files that it is fetching" }),
    requests: z.number().meta({ description: "Since it was started" }),
  })).meta({ description: "Of all processes that share the storage" }),
  storage: z.object({
    kvBytes: z.number().nullable().meta({ description: "null: it is no file" }),
    artifacts: z.number(),
    cacheBytes: z.number().meta({ description: "Of the files and documents that are cached" }),
    limitBytes: z.number().nullable().meta({ description: "null: there is no limit" }),
  }),
  upstreams: z.array(z.object({
    origin: z.string(),
    state: upstreamState,
    asked: z.boolean().meta({ description: "Whether any process asked it since it was started" }),
    lastError: z.string().nullable(),
    lastErrorAt: instant.nullable(),
  })),
  jobs: z.object({
    waiting: z.number().meta({ description: "Counted up to a thousand" }),
    dead: z.number().meta({ description: "Given up within the last week" }),
    oldestDueAt: instant.nullable(),
  }),
  refreshing: z.object({
    packages: z.number().meta({
      description: "In use, and refreshed by schedule; counted up to 10,000 of each upstream",
    }),
    overdue: z.number().meta({ description: "Of those; in a crowd their turn comes later" }),
    nextAt: instant.nullable(),
  }),
  installLog: z.object({
    behindSeconds: z.number().meta({
      description: "How old the oldest record is that is not in the indexes",
    }),
    unfoldedBytes: z.number(),
    unfoldedSegments: z.number(),
  }),
  cache: z.object({
    since: instant,
    hits: z.number(),
    misses: z.number(),
    hitRate: z.number().nullable().meta({ description: "0 to 1; null: nothing was asked" }),
  }),
  openAlerts: z.number(),
}).meta({ id: "Status" });

export type StatusReport = z.input<typeof status>;

/** `report`: as of now. Rejects with StorageError. */
export function statusEndpoints(report: () => Promise<StatusReport>): readonly Endpoint[] {
  return [
    endpoint({
      id: "status",
      method: "GET",
      path: "/status",
      scope: "operate",
      whose: "instance",
      area: "Status",
      summary: "How the instance is: processes, storage, upstreams, jobs, install log and cache.",
      answer: status,
      handle: async () => ({ body: await report() }),
    }),
  ];
}
