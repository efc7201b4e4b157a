/** `GET /`: what is mounted, and the line that points each client at it. */
import type { Ecosystem } from "../ecosystems/ecosystem.ts";
import { htmlPage, jsonPage, textPage } from "./page.tsx";
import { preferredForm } from "./text.ts";

/** What the page shows. */
export interface Welcome {
  readonly ecosystems: readonly Ecosystem[];
  /** The organisation's own address, no trailing slash. */
  readonly site: string;
  /** The base address's own path, no trailing slash. */
  readonly prefix: string;
  readonly version: string;
}

interface Mount {
  readonly id: string;
  readonly purlType: string;
  readonly title: string;
  readonly address: string;
  readonly setup: readonly { readonly client: string; readonly line: string }[];
}

const LEAD =
  "A caching proxy between package managers and their registries. It lets through what this organisation's policy allows, and says why when it refuses.";

/** HTML for a browser, JSON where asked for, text for everybody else. */
export async function welcome(accept: string | null, options: Welcome): Promise<Response> {
  const mounts = options.ecosystems.map((ecosystem) => mountOf(ecosystem, options.site));
  switch (preferredForm(accept)) {
    case "json":
      return jsonPage({ name: "sluice", version: options.version, ecosystems: mounts });
    case "html":
      return await welcomePage(mounts, options);
    case "text":
      return textPage(welcomeText(mounts, options));
  }
}

function mountOf(ecosystem: Ecosystem, site: string): Mount {
  const address = `${site}/${ecosystem.id}`;
  const { id, title, purlType } = ecosystem;
  return { id, title, purlType, address: `${address}/`, setup: ecosystem.setup(address) };
}

/** To be filled in; without braces, which curl would expand. */
function whyAddress(mounts: readonly Mount[], site: string): string {
  return `${site}/-/why/pkg:${mounts[0]?.purlType ?? "TYPE"}/PACKAGE@VERSION`;
}

function welcomeText(mounts: readonly Mount[], { site, version }: Welcome): string {
  const sections = mounts.map(({ title, address, setup }) => {
    const width = Math.max(...setup.map(({ client }) => client.length));
    const indent = `\n${" ".repeat(width + 4)}`;
    const lines = setup.map(({ client, line }) =>
      `  ${client.padEnd(width)}  ${line.replaceAll("\n", indent)}`
    );
    return [`${title}  ${address}`, ...lines, ""].join("\n");
  });
  return [
    `Sluice ${version}`,
    LEAD,
    "",
    ...sections,
    `With a name or token?       curl ${site}/-/setup`,
    `Why was something refused?  curl ${whyAddress(mounts, site)}`,
    `Is it well?                 curl ${site}/-/health`,
    `What is in it?              curl ${site}/-/stats`,
    `What else can be asked?     curl ${site}/-/api/v1/`,
  ].join("\n");
}

async function welcomePage(mounts: readonly Mount[], { site, prefix, version }: Welcome): Promise<Response> {
  return await htmlPage({
    title: "Sluice",
    prefix,
    children: (
      <>
        <h1>Sluice</h1>
        <p class="lead">{LEAD}</p>
        {mounts.map((mount) => (
          <section>
            <h2>{mount.title}</h2>
            <dl>
              {mount.setup.map(({ client, line }) => (
                <div>
                  <dt>{client}</dt>
                  <dd>
                    <pre tabindex={0}>{line}</pre>
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <p class="after">
          <a href={`${site}/-/setup`}>Set-up</a>{" "}
          has the lines with a name or token, and scripts for whole machines.
        </p>
        <h2>Why was something refused?</h2>
        <p>
          Ask for the package by its purl. The answer names the rule, says when it lifts, and which version is
          allowed instead.
        </p>
        <dl>
          <div>
            <dt>Address</dt>
            <dd>
              <pre tabindex={0}>{whyAddress(mounts, site)}</pre>
            </dd>
          </div>
        </dl>
        <footer>
          <a href={`${prefix}/-/admin`}>Policy, installs, waivers</a>
          <a href={`${site}/-/stats`}>Statistics</a>
          <a href={`${site}/-/health`}>Health</a>
          <a href={`${site}/-/schema/policy.json`}>Policy schema</a>
          <a href={`${site}/-/api/v1/`}>API</a>
          <span>Version {version}</span>
        </footer>
      </>
    ),
  });
}
