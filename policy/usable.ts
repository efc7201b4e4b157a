/** What only an ecosystem's version order can tell of a document: whether its ranges can be used there. */
import type { Override } from "./documents.ts";
import { type Parsed, parseFloor, parsePolicy } from "./config.ts";
import type { PolicyError } from "./config_errors.ts";
import type { FloorDocument, PolicyDocument } from "./documents.ts";
import { compileOverrides, type PolicyEcosystem } from "./overrides.ts";

/** parsePolicy and parseFloor that also refuse what `resolvePolicy` would throw on, for these ecosystems. */
export function createParsers(ecosystems: readonly PolicyEcosystem[]): {
  readonly parsePolicy: (input: unknown) => Parsed<PolicyDocument>;
  readonly parseFloor: (input: unknown) => Parsed<FloorDocument>;
} {
  return {
    parsePolicy: (input) =>
      usable(parsePolicy(input), ({ overrides, ecosystems: own }) => [
        ...inEach(overrides, ecosystems, "overrides"),
        ...ecosystems.flatMap((ecosystem) =>
          [...new Set([ecosystem.id, ecosystem.purlType])].flatMap((name) =>
            inEach(
              Object.hasOwn(own, name) ? own[name]!.overrides : [],
              [ecosystem],
              `ecosystems.${name}.overrides`,
            )
          )
        ),
      ]),
    parseFloor: (input) => usable(parseFloor(input), ({ deny }) => inEach(deny, ecosystems, "deny")),
  };
}

function usable<T>(parsed: Parsed<T>, mistakesOf: (document: T) => readonly PolicyError[]): Parsed<T> {
  if (!parsed.ok) return parsed;
  const errors = mistakesOf(parsed.document);
  return errors.length === 0 ? parsed : { ok: false, errors };
}

function inEach(
  overrides: readonly Override[],
  ecosystems: readonly PolicyEcosystem[],
  path: string,
): readonly PolicyError[] {
  return overrides.filter((override) => override.range !== null).flatMap((override) => {
    const problem = ecosystems.map((ecosystem) => problemIn(override, ecosystem)).find((found) =>
      found !== null
    );
    return problem === undefined ? [] : [{ path, value: JSON.stringify(override.range), expected: problem }];
  });
}

/** null: it can be used, or is another ecosystem's. */
function problemIn(override: Override, ecosystem: PolicyEcosystem): string | null {
  try {
    compileOverrides([override], ecosystem);
    return null;
  } catch (error) {
    if (error instanceof SyntaxError) {
      return `a range in the version order of ${ecosystem.id} (${error.message})`;
    }
    throw error;
  }
}
