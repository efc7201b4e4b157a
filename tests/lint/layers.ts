/** Which file may import which: design.md §2 as data. Paths are relative to the repository, with `/`. */

/** null: the import is fine; else why it is not. */
export function judgeImport(from: string, to: string, typeOnly: boolean): string | null {
  if (isTest(from)) return null;
  if (isTest(to) || to.startsWith("tests/")) return "nothing that runs imports a test";
  const layer = layerOf(from);
  if (layer === null || layer.allows(to, typeOnly)) return null;
  return `${layer.name} imports ${layer.may}`;
}

/** Test files, and an ecosystem's sample for the contract suite, see everything: they drive what crosses folders. */
export function isTest(path: string): boolean {
  return path.startsWith("tests/") || /(?:_test|_bench|\/testing|\/test_support)\.tsx?$/.test(path) ||
    /^ecosystems\/[^/]+\/sample\.ts$/.test(path);
}

/** True for policy/ and the ecosystems' own folders, which neither read a clock nor do I/O. */
export function isPure(path: string): boolean {
  return path.startsWith("policy/") || pluginOf(path) !== null || path.startsWith("ecosystems/_shared/");
}

interface Layer {
  readonly name: string;
  /** Ends the sentence "a plugin imports …". */
  readonly may: string;
  allows(to: string, typeOnly: boolean): boolean;
}

const CONTRACT = ["ecosystems/ecosystem.ts", "policy/types.ts"];

function layerOf(from: string): Layer | null {
  const plugin = pluginOf(from);
  if (plugin !== null) return pluginLayer(plugin);
  if (from.startsWith("ecosystems/_shared/")) {
    return {
      name: "ecosystems/_shared/",
      may: "itself, ecosystem.ts and policy/types.ts only",
      allows: (to) => CONTRACT.includes(to) || to.startsWith("ecosystems/_shared/"),
    };
  }
  if (from.startsWith("policy/")) {
    return {
      name: "policy/",
      may: "nothing of ours outside itself",
      allows: (to) => to.startsWith("policy/"),
    };
  }
  if (from.startsWith("storage/")) return STORAGE;
  if (from.startsWith("ecosystems/")) return pipelineLayer(from === "ecosystems/mod.ts");
  if (from.startsWith("routes/")) return ROUTES;
  if (from.startsWith("cli/")) return CLI;
  return null;
}

const STORAGE: Layer = {
  name: "storage/",
  may: "itself, policy/types.ts, and types from policy/config.ts, ecosystem.ts and outcome.ts only",
  allows: (to, typeOnly) =>
    to.startsWith("storage/") || to === "policy/types.ts" ||
    (typeOnly && ["policy/config.ts", "ecosystems/ecosystem.ts", "ecosystems/outcome.ts"].includes(to)),
};

const ROUTES: Layer = {
  name: "routes/",
  may: "itself, the pipeline (not a plugin), storage/ and policy/ only",
  allows: (to) =>
    pluginOf(to) === null &&
    ["routes/", "ecosystems/", "storage/", "policy/"].some((part) => to.startsWith(part)),
};

const CLI: Layer = {
  name: "cli/",
  may: "itself, routes/, the pipeline (not a plugin), storage/ and policy/ only",
  allows: (to) => ROUTES.allows(to, false) || to.startsWith("cli/") || to === "deno.json",
};

function pipelineLayer(registers: boolean): Layer {
  return {
    name: registers ? "ecosystems/mod.ts" : "the pipeline",
    may: "ecosystems/, storage/ and policy/ only, and only ecosystems/mod.ts a plugin",
    allows: (to) =>
      (registers || pluginOf(to) === null) &&
      ["ecosystems/", "storage/", "policy/"].some((part) => to.startsWith(part)),
  };
}

function pluginLayer(plugin: string): Layer {
  return {
    name: `the plugin ${plugin}`,
    may: "its own folder, _shared/, ecosystem.ts and policy/types.ts only",
    allows: (to) =>
      CONTRACT.includes(to) || to.startsWith("ecosystems/_shared/") || to.startsWith(`ecosystems/${plugin}/`),
  };
}

/** The ecosystem whose folder this is in; null: none. */
export function pluginOf(path: string): string | null {
  const folder = /^ecosystems\/([^/]+)\//.exec(path)?.[1];
  return folder === undefined || folder.startsWith("_") ? null : folder;
}
