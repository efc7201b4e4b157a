import assert from "node:assert/strict";
import { loadConfig } from "./config.ts";
import { greeting } from "./greeting.ts";

const LINK = "http://127.0.0.1:8080/-/auth/sign-in?link=a-secret";

function said(format: "text" | "json", localLink: string | null) {
  const loaded = loadConfig({
    args: ["--log-format", format],
    env: {},
    readTextFile: () => "",
    ecosystems: [],
  });
  assert.ok(loaded.ok);
  const logged: string[] = [];
  let printed = "";
  greeting({
    config: loaded.config,
    running: {
      baseUrl: "http://127.0.0.1:8080",
      address: { hostname: "127.0.0.1", port: 8080 },
      warnings: [],
      localLink,
    },
    ecosystems: [],
    log: (...line) => void logged.push(JSON.stringify(line)),
    print: (text) => void (printed += text),
  });
  return { printed, logged: logged.join("\n") };
}

Deno.test("greeting: the link that signs in is printed for people, and never logged", () => {
  const text = said("text", LINK);
  assert.match(text.printed, /this link signs you in, once, within an hour:\n {2}http.*link=a-secret\n/);
  assert.ok(!text.logged.includes("a-secret"));
  const json = said("json", LINK);
  assert.ok(!`${json.printed}${json.logged}`.includes("a-secret"));
  assert.match(said("text", null).printed, /Its pages: http:\/\/127\.0\.0\.1:8080\/-\/admin\n/);
});
