/** A Sluice that people have used for weeks: what its pages show when there is something to show. */
import { HOSTILE } from "../fakes/hostile.ts";
import { startNpmRegistry } from "../fakes/npm_registry.ts";
import { ADMIN_TOKEN, HOLDERS_ENV } from "../fakes/holders.ts";
import { daysAgo, startSluice, type TestSluice } from "../fakes/sluice.ts";
import { ask } from "../system/ask.ts";

export interface AdminWorld extends AsyncDisposable {
  readonly sluice: TestSluice;
  /** As the instance's admin; throws where it is refused. */
  api(method: string, path: string, body?: unknown): Promise<unknown>;
}

export async function createAdminWorld(): Promise<AdminWorld> {
  const registry = await startNpmRegistry();
  registry.publish({
    name: "left-pad",
    releases: {
      "1.2.0": { publishedAt: daysAgo(400) },
      "1.3.0": { publishedAt: daysAgo(300) },
      "1.3.1": { publishedAt: daysAgo(2) },
    },
  });
  registry.publish({ name: "@acme/tools", releases: { "2.0.0": { publishedAt: daysAgo(40) } } });
  registry.publish({
    name: "a-package-with-a-rather-long-name-that-somebody-found-fitting",
    releases: { "10.20.30-beta.12345": { publishedAt: daysAgo(90), manifest: { description: HOSTILE } } },
  });
  const env = {
    ...HOLDERS_ENV,
    SLUICE_UPSTREAM_NPM: registry.upstream.url,
    SLUICE_OWNERS: "github:ada",
    // Nobody listens there.
    SLUICE_ALLOW_PRIVATE_WEBHOOKS: "127.0.0.1:9",
  };
  const sluice = await startSluice({ env });

  async function api(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${sluice.url}/-/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  // When all below is done it ends within days: an alert.
  const expiresAt = new Date(sluice.now() + 9 * 86_400_000).toISOString();
  await api("POST", "/tokens", { user: "train", description: "release train", scopes: ["read"], expiresAt });
  for (const [name, version] of RELEASES) {
    const base = name.split("/").at(-1);
    for (const user of ["ada", "grace", "a.very.long.user.name@an-organisation.example", undefined]) {
      await ask(`${sluice.url}/npm/${name.replace("/", "%2f")}`);
      await ask(`${sluice.url}/npm/${name}/-/${base}-${version}.tgz`, user === undefined ? {} : { user });
    }
    sluice.advance(86_400_000);
  }
  // The same refusal again and again, as a build that is tried all night leaves it.
  for (let times = 0; times < 3; times++) {
    await ask(`${sluice.url}/npm/left-pad/-/left-pad-1.3.1.tgz`, { user: "grace" });
  }
  await api("POST", "/freeze", { purl: "pkg:npm/left-pad", reason: HOSTILE });
  await api("POST", "/cache/pin", { purl: "pkg:npm/%40acme/tools", reason: "for the train" });
  await api("POST", "/tokens", { user: "ci", description: HOSTILE, scopes: ["read"] });
  await api("PUT", "/organisations/default/policy", {
    document: {
      minimumAge: "14d",
      block: [{ purl: "pkg:npm/axios", range: "vers:npm/0.30.4", reason: HOSTILE, owner: "grace" }],
      webhooks: [{ url: "http://127.0.0.1:9/nobody", events: ["refused", "alert"] }],
    },
    message: HOSTILE,
  });
  await sluice.maintain();

  return {
    sluice,
    api,
    async [Symbol.asyncDispose]() {
      await sluice[Symbol.asyncDispose]();
      await registry[Symbol.asyncDispose]();
    },
  };
}

const RELEASES = [
  ["left-pad", "1.2.0"],
  ["left-pad", "1.3.0"],
  ["left-pad", "1.3.1"],
  ["@acme/tools", "2.0.0"],
  ["a-package-with-a-rather-long-name-that-somebody-found-fitting", "10.20.30-beta.12345"],
] as const;
