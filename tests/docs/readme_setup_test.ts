/** What README.md tells each client is what its ecosystem tells it, at `/-/setup` and in the scripts. */
import assert from "node:assert/strict";
import type { SetupCaller } from "../../ecosystems/ecosystem.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { showClient } from "../../routes/setup/steps.ts";

const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
const CLIENTS = ECOSYSTEMS.flatMap(({ id, setup }) => setup(`http://127.0.0.1:8080/${id}`));
const CALLERS: readonly SetupCaller[] = (["nobody", "name", "token"] as const).flatMap((by) =>
  [true, false].map((isAsked) => ({ by, isAsked }))
);

/** All that a client is told, for whomever; what a slash at an address' end does not change. */
function toldTo(name: string): string {
  const client = CLIENTS.find(({ client }) => client.toLowerCase() === name.toLowerCase());
  assert.ok(client !== undefined, `README names ${name}, and no ecosystem does`);
  const shown = CALLERS.flatMap((caller) =>
    [null, "ada", "me"].map((user) => showClient(client, { caller, user }))
  );
  return shown.flatMap(({ command, steps, login, keeps, note }) => [
    client.line,
    command,
    ...steps.map(({ text }) => text),
    login,
    keeps,
    note,
  ]).join("\n");
}

/** Rows of the tables of clients: their names, and each piece of code that says an address, a name or a token. */
function rows(
  heading: string,
): readonly { readonly clients: readonly string[]; readonly code: readonly string[] }[] {
  const chapter = readme.split(/^## /m).find((text) => text.startsWith(heading));
  assert.ok(chapter !== undefined, heading);
  return chapter.split("\n").filter((line) => /^\| .*`/.test(line) && !/^\| client /.test(line)).map(
    (line) => {
      const [names = "", , what = ""] = line.split("|").map((cell) => cell.trim()).slice(1);
      return {
        clients: names.split(", "),
        code: [...what.matchAll(/`([^`]+)`/g)].map((match) => match[1]!)
          .filter((code) => /127\.0\.0\.1|TOKEN/.test(code)),
      };
    },
  );
}

Deno.test("README: the line of each client is one that /-/setup shows", () => {
  const table = rows("Clients");
  assert.ok(table.length >= 9, String(table.length));
  for (const { clients, code } of table) {
    assert.ok(code.length > 0, clients.join());
    // A row of several has the first one's command.
    const told = toldTo(clients[0]!).replaceAll(/\/(?=["\s]|$)/gm, "");
    for (const line of code) assert.ok(told.includes(line.replace(/\/"?$/, "")), `${clients[0]}: ${line}`);
  }
});

Deno.test("README: what Cargo's configuration holds is what /-/setup shows", () => {
  const [toml] = [...readme.matchAll(/```toml\n([\s\S]*?)```/g)].map((match) => match[1]!)
    .filter((block) => block.includes("127.0.0.1:8080/cargo/"));
  assert.ok(toml !== undefined);
  assert.ok(toldTo("cargo").includes(toml.trim()), toml);
});

Deno.test("README: every client of an ecosystem's set-up is named in its table, and Cargo beside it", () => {
  const named = rows("Clients").flatMap(({ clients }) => clients.map((name) => name.toLowerCase()));
  for (const { client } of CLIENTS) {
    if (client !== "cargo") assert.ok(named.includes(client), client);
  }
});
