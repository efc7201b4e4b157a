/** `deno task clients`: installs the package managers that tests/e2e runs, exact versions, under `.cache/clients`. */
import { CLIENT_VERSIONS, findClient } from "./clients.ts";

const root = new URL("../../.cache/clients/", import.meta.url).pathname;

for (const [name, spec] of Object.entries(CLIENT_VERSIONS)) {
  if (spec === "" || await findClient(name as keyof typeof CLIENT_VERSIONS) !== null) continue;
  const folder = `${root}${name}`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(`${folder}/package.json`, '{"private":true}\n');
  const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact", spec];
  const { success, stderr } = await new Deno.Command("npm", {
    args,
    cwd: folder,
    stdout: "null",
    stderr: "piped",
  }).output();
  console.log(
    success
      ? `installed ${spec}`
      : `could not install ${spec}: ${new TextDecoder().decode(stderr).slice(-500)}`,
  );
}
