/** `/-/setup`, `/-/setup.sh`, `/-/setup.ps1`: open to everybody, since they hold no secret. */
import type { Ecosystem } from "../../ecosystems/ecosystem.ts";
import { putHeader } from "../headers.ts";
import type { Resolved } from "../organisations.ts";
import { pageResponse } from "../page.tsx";
import { sayProblem } from "../say_problem.ts";
import type { OwnTokensAt } from "../sign_in_by.ts";
import { formOf, setupPage } from "./page.tsx";
import { ps1Script } from "./ps1.ts";
import { mountsOf, readSetupQuery, type SetupQuery } from "./query.ts";
import { type ScriptOptions, shScript } from "./sh.ts";

export interface SetupPages {
  page(
    request: Request,
    asked: { readonly resolved: Resolved; readonly query: URLSearchParams },
  ): Promise<Response>;
  sh(resolved: Resolved): Response;
  ps1(resolved: Resolved): Response;
}

/** `prefix` is the base address's own path, no trailing slash. */
export function createSetupPages({ ecosystems, prefix, ownTokensAt }: {
  readonly ecosystems: readonly Ecosystem[];
  readonly prefix: string;
  readonly ownTokensAt: OwnTokensAt | null;
}): SetupPages {
  function optionsOf({ view, site }: Resolved): ScriptOptions {
    const mounts = mountsOf({ ecosystems, site });
    return { mounts, organisation: view.id, site, callers: view.policy.callers };
  }
  return {
    async page(request, { resolved: { view, site }, query: parameters }) {
      const form = formOf(parameters.get("format"), request.headers.get("accept"));
      const options = { ecosystems, site, callers: view.policy.callers };
      const tokens = ownTokensAt?.(view.id) ?? null;
      const whole = (query: SetupQuery) => ({ query, organisation: view.id, site, prefix, tokens });
      const read = readSetupQuery(parameters, options);
      if (read.ok) return await setupPage(form, whole(read.query));
      const { field, message } = read;
      const rest = readSetupQuery(new URLSearchParams(), options);
      if (form !== "html" || !rest.ok) {
        return sayProblem(request, { status: 400, code: "bad-query", message });
      }
      const given = (parameters.get(field) ?? "").slice(0, 128);
      return await setupPage("html", whole(rest.query), { field, message, given });
    },
    sh: (resolved) =>
      file("sluice-setup.sh", "text/x-shellscript; charset=utf-8", shScript(optionsOf(resolved))),
    ps1: (resolved) => file("sluice-setup.ps1", "text/plain; charset=utf-8", ps1Script(optionsOf(resolved))),
  };
}

function file(name: string, contentType: string, body: string): Response {
  const response = pageResponse({ status: 200, contentType, body });
  putHeader(response.headers, "content-disposition", `inline; filename="${name}"`);
  return response;
}
