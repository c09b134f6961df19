/**
 * The files that make a CA the default of a host, as the original writes them
 * (smallstep/cli utils/cautils/bootstrap.go:98-220, cli-utils step/context.go).
 *
 * Reads the contexts that are there, and writes nothing.
 */
import { escapeForJson } from "../../base/printable.ts";
import {
  type Context,
  CONTEXTS_FILE,
  CURRENT_FILE,
  joinPath,
  readContexts,
} from "./step_path.ts";

/** What a host shall know of its CA. */
export interface NewAuthority {
  /** `https://host[:port]`. */
  readonly url: string;
  /** As the user typed it. */
  readonly fingerprint: string;
  /** Empty where there is none. */
  readonly redirectUrl: string;
}

/** What a context is called; what is undefined is called as the CA's host. */
export type ContextNames = {
  readonly [Name in "context" | "authority" | "profile"]: string | undefined;
};

/** A file to write. */
export interface NewFile {
  readonly path: string;
  /** Undefined: the root certificate, as PEM. */
  readonly content: string | undefined;
  /** Of a file that is new. */
  readonly mode: number;
  /** What happens to one that is there. */
  readonly existing: "ask" | "replace" | "keep";
  /** What it is, where a person is told of it. */
  readonly saved?: string | undefined;
}

export interface NewSettings {
  /** What names another file stands behind it. */
  readonly files: readonly NewFile[];
  readonly rootFile: string;
  readonly defaultsFile: string;
  /** Of the context that becomes the current one. */
  readonly context: string | undefined;
}

/**
 * The files for an authority, with a context where one is named or contexts are
 * in use.
 *
 * @param base `$STEPPATH` or `~/.step`
 * @throws {RekeyError} kind `config` for contexts that cannot be used
 */
export async function newSettings(
  base: string,
  authority: NewAuthority,
  names: ContextNames | undefined,
): Promise<NewSettings> {
  const contexts = await readContexts(base);
  const context = names === undefined && contexts.length === 0
    ? undefined
    : contextFor(authority, names);
  const stepPath = context === undefined
    ? base
    : joinPath(base, "authorities", context.authority);
  const rootFile = joinPath(stepPath, "certs", "root_ca.crt");
  const defaultsFile = joinPath(stepPath, "config", "defaults.json");
  const root: NewFile = {
    path: rootFile,
    content: undefined,
    mode: 0o600,
    existing: "ask",
    saved: "root certificate",
  };
  const defaults: NewFile = {
    path: defaultsFile,
    content: goJson({
      "ca-url": authority.url,
      "fingerprint": authority.fingerprint,
      "root": rootFile,
      "redirect-url": authority.redirectUrl,
    }, 2),
    mode: 0o644,
    existing: "ask",
    saved: "authority configuration",
  };
  return {
    files: [
      root,
      defaults,
      ...context === undefined ? [] : contextFiles(base, context, contexts),
    ],
    rootFile,
    defaultsFile,
    context: context?.name,
  };
}

function contextFor(
  { url }: NewAuthority,
  names: ContextNames | undefined,
): Context {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, "");
  const name = names?.context ?? names?.authority ?? host;
  return {
    name,
    authority: names?.authority ?? name,
    profile: names?.profile ?? name,
  };
}

function contextFiles(
  base: string,
  context: Context,
  others: readonly Context[],
): readonly NewFile[] {
  const all = [
    ...others.filter(({ name }) => name !== context.name),
    context,
  ].sort((one, other) => one.name < other.name ? -1 : 1);
  return [
    {
      path: joinPath(base, "profiles", context.profile, "config/defaults.json"),
      content: "{}",
      mode: 0o600,
      existing: "keep",
      saved: "profile configuration",
    },
    {
      path: joinPath(base, CONTEXTS_FILE),
      content: goJson(
        Object.fromEntries(all.map(({ name, profile, authority }) => [
          name,
          { profile, authority },
        ])),
        4,
      ),
      mode: 0o600,
      existing: "replace",
    },
    {
      path: joinPath(base, CURRENT_FILE),
      content: goJson({ context: context.name }),
      mode: 0o644,
      existing: "replace",
    },
  ];
}

/** As Go's encoding/json writes it: safe inside of HTML, without a line end. */
function goJson(value: object, indent?: number): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[<>&\u2028\u2029]/g,
    escapeForJson,
  );
}
