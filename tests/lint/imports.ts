/** A `deno lint` plugin for what the built-in rules cannot know: one-way imports, no clock, no state. */
import { isPure, isTest, judgeImport } from "./layers.ts";

const ROOT = new URL("../../", import.meta.url);

/** node's and npm's doors to the world. */
const IO_MODULES =
  /^(?:undici|node:(?:fs|net|tls|http|https|http2|dgram|dns|child_process|worker_threads)(?:\/|$))/;

const plugin: Deno.lint.Plugin = {
  name: "sluice",
  rules: {
    "one-way-imports": { create: oneWayImports },
    "no-default-export": { create: noDefaultExport },
    "no-ambient-clock-or-env": { create: noAmbientClockOrEnv },
    "no-module-state": { create: noModuleState },
  },
};

// The linter takes its plugins from their default export and from nothing else.
export default plugin;

/** Relative to the repository, with `/`; a file outside of it keeps its name. */
function pathOf(filename: string): string {
  const url = filename.startsWith("file:") ? filename : new URL(filename.replaceAll("\\", "/"), ROOT).href;
  return url.startsWith(ROOT.href) ? decodeURIComponent(url.slice(ROOT.href.length)) : filename;
}

function oneWayImports(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const from = pathOf(context.filename);
  function check(node: Deno.lint.Node, specifier: unknown, typeOnly: boolean): void {
    if (typeof specifier !== "string") return;
    if (isPure(from) && !isTest(from) && !typeOnly && IO_MODULES.test(specifier)) {
      context.report({ node, message: `${from} does no I/O: it cannot import ${specifier}` });
    }
    if (!/^\.{0,2}\//.test(specifier)) return;
    const to = pathOf(new URL(specifier, new URL(from, ROOT)).href);
    const why = judgeImport(from, to, typeOnly);
    if (why !== null) context.report({ node, message: `Cannot import ${to} here: ${why}` });
  }
  return {
    ImportDeclaration(node) {
      const each = node.specifiers.length > 0 &&
        node.specifiers.every((specifier) => "importKind" in specifier && specifier.importKind === "type");
      check(node, node.source.value, node.importKind === "type" || each);
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) check(node, node.source.value, node.exportKind === "type");
    },
    ExportAllDeclaration(node) {
      check(node, node.source.value, node.exportKind === "type");
    },
    ImportExpression(node) {
      if (node.source.type === "Literal") check(node, node.source.value, false);
    },
  };
}

function noDefaultExport(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  if (pathOf(context.filename) === "tests/lint/imports.ts") return {};
  return {
    ExportDefaultDeclaration(node) {
      context.report({
        node,
        message: "Export by name: a default export has a different name in every file",
      });
    },
  };
}

function noAmbientClockOrEnv(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  const path = pathOf(context.filename);
  const free = path === "main.ts" || path.startsWith("cli/") || path === "storage/timers.ts" || isTest(path);
  if (free) return {};
  function isName(node: Deno.lint.Node, name: string): boolean {
    return node.type === "Identifier" && node.name === name;
  }
  return {
    MemberExpression(node) {
      const { object, property } = node;
      if (isName(object, "Date") && isName(property, "now")) {
        context.report({ node, message: "Take a Clock instead of reading Date.now" });
      }
      if (isName(object, "Deno") && (isPure(path) || isName(property, "env"))) {
        context.report({
          node,
          message: "Take what you need as an argument: only main.ts and cli/ ask Deno",
        });
      }
    },
    NewExpression(node) {
      if (isName(node.callee, "Date") && node.arguments.length === 0) {
        context.report({ node, message: "Take a Clock instead of new Date()" });
      }
    },
    CallExpression(node) {
      if (isName(node.callee, "Date")) context.report({ node, message: "Take a Clock instead of Date()" });
    },
  };
}

function noModuleState(context: Deno.lint.RuleContext): Deno.lint.LintVisitor {
  function check(node: Deno.lint.Node): void {
    if (node.type !== "VariableDeclaration" || (node.kind !== "let" && node.kind !== "var")) return;
    context.report({ node, message: "No state in a module: keep it in what a factory returns" });
  }
  return {
    Program(node) {
      for (const statement of node.body) {
        check(statement);
        if (statement.type === "ExportNamedDeclaration" && statement.declaration) {
          check(statement.declaration);
        }
      }
    },
  };
}
