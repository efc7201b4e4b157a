import assert from "node:assert/strict";
import type { ClientSetup, Ecosystem, SetupFile } from "../../ecosystems/ecosystem.ts";
import { ECOSYSTEMS } from "../../ecosystems/mod.ts";
import { run, sampleView } from "../testing.ts";
import { quotePowerShell, quoteSh } from "./quote.ts";

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };
const ORGANISATIONS = [
  sampleView("default"),
  sampleView("named", { callers: "named" }),
  sampleView("guarded", { callers: "token" }),
];

function start(options: Parameters<typeof run>[0] = {}) {
  return run({ organisations: ORGANISATIONS, ecosystems: ECOSYSTEMS, ...options });
}

Deno.test("GET /-/setup: every client's lines for this address, as text, HTML and JSON, the same in each", async () => {
  await using running = start();
  const text = await running.ask("/-/setup");
  const html = await running.ask("/-/setup", { headers: BROWSER });
  const json = JSON.parse((await running.ask("/-/setup?format=json")).text);
  assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(html.headers.get("content-type"), "text/html; charset=utf-8");
  const clients = json.ecosystems.flatMap((each: { clients: unknown[] }) => each.clients);
  assert.deepEqual(
    clients.map(({ id }: { id: string }) => id).sort(),
    ["bun", "cargo", "deno", "npm", "pdm", "pip", "pipenv", "pnpm", "poetry", "uv", "yarn1", "yarn4"],
  );
  for (const { id, command, steps } of clients) {
    for (
      const line of [command, ...steps.map((step: { text: string }) => step.text)].join("\n").split("\n")
    ) {
      assert.ok(text.text.includes(line), `text, ${id}: ${line}`);
      const escaped = line.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("'", "&#39;")
        .replaceAll(">", "&gt;");
      assert.ok(html.text.includes(escaped), `HTML, ${id}: ${line}`);
    }
    assert.ok(command.includes(`http://${running.host}/`), id);
  }
  assert.equal(json.scripts.sh, `http://${running.host}/-/setup.sh`);
});

Deno.test("GET /-/setup: below an organisation by path and by label the lines are that organisation's", async () => {
  await using running = start({ base: "http://sluice.test:{port}/front" });
  const { port } = running;
  for (
    const [host, path, site] of [
      [`sluice.test:${port}`, "/front/-/setup", `http://sluice.test:${port}/front`],
      [`sluice.test:${port}`, "/front/o/named/-/setup", `http://sluice.test:${port}/front/o/named`],
      [`named.sluice.test:${port}`, "/front/-/setup", `http://named.sluice.test:${port}/front`],
    ] as const
  ) {
    for (
      const [more, line] of [["", `registry=${site}/npm/`], [".sh", `SITE='${site}'`], [
        ".ps1",
        `$Site = '${site}'`,
      ]]
    ) {
      const answer = await running.ask(`${path}${more}`, { headers: { host } });
      assert.ok(answer.text.includes(line!), `${host}${path}${more}: ${answer.text.slice(0, 300)}`);
    }
  }
  const host = `sluice.test:${port}`;
  for (const more of ["", ".sh", ".ps1"]) {
    assert.equal((await running.ask(`/front/o/nobody/-/setup${more}`, { headers: { host } })).status, 404);
  }
});

Deno.test("GET /-/setup: where a name or a token is asked for, the lines show where it goes, and never a secret", async () => {
  await using running = start();
  const named = await running.ask("/o/named/-/setup?client=npm,cargo,pip");
  assert.match(named.text, /\/o\/named\/npm\/:_auth=BASE64\n/);
  assert.match(named.text, /BASE64 is what this prints: printf NAME: \| base64/);
  assert.match(named.text, /index-url = http:\/\/NAME@/);
  assert.match(named.text, /token = "Basic BASE64"/);
  const ada = await running.ask("/o/named/-/setup?client=npm,pip&user=ada%40acme.example");
  assert.match(ada.text, new RegExp(`:_auth=${btoa("ada@acme.example:")}\n`));
  assert.match(ada.text, /http:\/\/ada%40acme\.example@127/);
  assert.doesNotMatch(ada.text, /BASE64|NAME/);
  const guarded = await running.ask("/o/guarded/-/setup");
  assert.match(guarded.text, /:_authToken=TOKEN\n/);
  assert.match(guarded.text, /machine 127\.0\.0\.1 login NAME password TOKEN/);
  assert.match(guarded.text, /cargo login --registry sluice/);
  assert.match(guarded.text, /Best kept in \.npmrc/);
  assert.doesNotMatch(guarded.text, /npm config set registry/, "that alone would be refused");
});

Deno.test("GET /-/setup: a member is led to where each makes their own token; without a sign-in, to whoever runs this", async () => {
  for (const signInBy of ["provider", "printed-link", null] as const) {
    await using running = start({ signInBy });
    const tokens = `http://${running.host}/-/admin/guarded/tokens`;
    const text = await running.ask("/o/guarded/-/setup?client=npm");
    const html = await running.ask("/o/guarded/-/setup?client=npm", { headers: BROWSER });
    const json = JSON.parse((await running.ask("/o/guarded/-/setup?client=npm&format=json")).text);
    const isLed = signInBy === "provider";
    assert.equal(json.tokens, isLed ? tokens : null);
    assert.equal(html.text.includes(`<a href="${tokens}">${tokens}</a>`), isLed);
    const words = isLed
      ? `Members make their own at ${tokens}, others ask`
      : "stands. Ask whoever runs this Sluice for one.";
    assert.ok(text.text.includes(words), text.text.slice(0, 400));
  }
  await using running = start({ signInBy: "provider" });
  for (const path of ["/-/setup", "/o/named/-/setup"]) {
    const { text } = await running.ask(path, { headers: BROWSER });
    assert.doesNotMatch(text, /\/tokens/, "no token is asked for");
  }
});

Deno.test("GET /-/setup: client, user and by narrow it; what cannot be is said beside its field", async () => {
  await using running = start();
  const one = JSON.parse((await running.ask("/-/setup?client=npm&user=ada&format=json")).text);
  assert.deepEqual(one.ecosystems.map(({ id }: { id: string }) => id), ["npm"]);
  assert.deepEqual([one.by, one.user, one.ecosystems[0].clients.length], ["name", "ada", 1]);
  const token = await running.ask("/-/setup?client=npm&by=token");
  assert.match(token.text, /_authToken=TOKEN/);
  for (
    const query of ["client=nothing", "user=a%20b", "user=%3Cb%3E", "by=magic", `user=${"a".repeat(200)}`]
  ) {
    const text = await running.ask(`/-/setup?${query}`);
    assert.equal(text.status, 400, query);
    assert.equal(text.text.trim().split("\n").length, 1, query);
    const html = await running.ask(`/-/setup?${query}`, { headers: BROWSER });
    assert.equal(html.status, 400, query);
    assert.match(html.text, /aria-invalid="true" aria-describedby="(\w+)-error"/, query);
    assert.match(html.text, /<p class="error" id="\w+-error">/);
    assert.doesNotMatch(html.text, /<b>/);
  }
});

Deno.test("GET /-/setup.sh, /-/setup.ps1: text that is not guessed at, without script policy, ASCII alone", async () => {
  await using running = start();
  for (
    const [path, type] of [["/-/setup.sh", "text/x-shellscript"], ["/-/setup.ps1", "text/plain"]] as const
  ) {
    const answer = await running.ask(path, { headers: BROWSER });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("content-type"), `${type}; charset=utf-8`);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    assert.match(answer.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
    assert.match(
      answer.headers.get("content-disposition") ?? "",
      /^inline; filename="sluice-setup\.(?:sh|ps1)"$/,
    );
    // Windows PowerShell reads what is not marked otherwise in the machine's own code page.
    assert.match(answer.text, /^[\n\x20-\x7e]*$/);
    assert.doesNotMatch(answer.text, /\\\$\{|undefined|\[object/);
  }
});

Deno.test("setup.sh: what comes from configuration and plugins is quoted, whatever is in it", async () => {
  const odd = `it's $(touch /tmp/never) \`x\` "q" ; rm`;
  const file: SetupFile = { home: odd, syntax: "npmrc" };
  const client: ClientSetup = {
    id: "odd",
    client: odd,
    line: odd,
    programs: [odd],
    settings: () => [{ id: "odd", file, section: odd, lines: [`key=${odd}{user}${odd}`] }],
    keeps: odd,
    environment: () => ({ ODD: odd }),
    check: () => ({ prints: { command: [odd], answer: odd }, asks: [odd] }),
  };
  const ecosystem: Ecosystem = { ...ECOSYSTEMS[0]!, setup: () => [client] };
  await using running = start({ ecosystems: [ecosystem] });
  const script = (await running.ask("/-/setup.sh")).text;
  const folder = await Deno.makeTempDir({ prefix: "sluice-setup-" });
  try {
    await Deno.writeTextFile(`${folder}/setup.sh`, script);
    const { code, stdout, stderr } = await new Deno.Command("sh", {
      args: ["setup.sh", "--clients", "odd", "--dry-run", "--no-verify", "--user", "ada"],
      cwd: folder,
      env: { HOME: folder },
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.ok(said.includes(`~/${odd}: would get`), said);
    assert.ok(said.includes(`    key=${odd}ada${odd}\n`), said);
    assert.ok(said.includes(`    export ODD='${odd.replaceAll("'", `'\\''`)}'\n`), said);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("every client's lines: of one line each, in files of a syntax that the scripts know, ids of their own", () => {
  const callers = (["nobody", "name", "token"] as const).flatMap((by) =>
    [true, false].map((isAsked) => ({ by, isAsked }))
  );
  for (const caller of callers) {
    const texts = new Map<string, string>();
    const clients = ECOSYSTEMS.flatMap(({ id, setup }) => setup(`https://sluice.example/o/acme/${id}`));
    assert.equal(new Set(clients.map(({ id }) => id)).size, clients.length);
    for (const client of clients) {
      assert.match(client.id, /^[a-z][a-z0-9]*$/);
      for (const { id, file, section, lines } of client.settings(caller)) {
        // Who shares a file shares what is written there.
        const text = JSON.stringify([file.home, section, lines]);
        assert.equal(texts.get(id) ?? text, text, `${client.id}: ${id}`);
        texts.set(id, text);
        assert.ok(lines.length > 0 && lines.every((line) => !line.includes("\n")), id);
      }
      const secrets = client.settings(caller).filter(({ lines }) => lines.join().includes("{token}"));
      assert.ok(secrets.every(({ isSecret }) => isSecret === true), client.id);
      if (caller.by !== "token") assert.deepEqual(secrets, []);
    }
  }
});

Deno.test("setup.sh and setup.ps1 tell every client the same, word by word", async () => {
  await using running = start();
  const [sh, ps1] = await Promise.all([".sh", ".ps1"].map((more) => running.ask(`/o/named/-/setup${more}`)));
  for (const { id, setup } of ECOSYSTEMS) {
    for (const client of setup(`http://${running.host}/o/named/${id}`)) {
      for (const by of ["nobody", "name", "token"] as const) {
        const caller = { by, isAsked: true };
        const lines = client.settings(caller).flatMap((setting) => setting.lines);
        const values = Object.values(client.environment?.(caller) ?? {});
        for (const part of [...lines, ...values].flatMap((text) => text.split(/\{[a-z:]+\}/))) {
          for (const { text } of [sh!, ps1!]) assert.ok(text.includes(part), `${client.id}: ${part}`);
        }
      }
    }
  }
});

Deno.test("quoteSh, quotePowerShell: no text ends its quotes, and none is more than one line", () => {
  assert.equal(quoteSh("it's $(x)"), `'it'\\''s $(x)'`);
  assert.equal(quotePowerShell("it's \u2019x $(y)"), "'it''s \u2019\u2019x $(y)'");
  for (const text of ["a\nb", "a\rb", "\0", "\u2028"]) {
    assert.throws(() => quoteSh(text), TypeError);
    assert.throws(() => quotePowerShell(text), TypeError);
  }
});
