/**
 * A one-time token by a JWK provisioner: finds it, asks for its password, signs.
 */
import { sha256 } from "../../base/bytes.ts";
import { RekeyError } from "../../base/errors.ts";
import type { ProvisionerChoice } from "../../base/options.ts";
import { printable, shortened } from "../../base/printable.ts";
import type { Hint } from "../../base/remedy.ts";
import { NoTerminalError } from "../../base/runtime.ts";
import {
  createOneTimeToken,
  type TokenRequest,
} from "../../ca/online/one_time_token.ts";
import {
  fetchSealedKey,
  listProvisioners,
  type Provisioner,
} from "../../ca/online/provisioners.ts";
import type { TrustedCa } from "../../ca/online/trusted_ca.ts";
import {
  type PasswordReader,
  readPasswordFile,
} from "../../files/pair/password.ts";
import { resultLine } from "../../observe/log.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { openProvisionerKey } from "../../pki/keys/json_web_token.ts";
import type { Asker } from "./ask_authority.ts";
import { type Program, takesCodes } from "./program.ts";

/** Who takes part in it. */
export interface TokenTools extends Pick<Asker, "terminal" | "signal"> {
  /** Tells a person what was chosen. */
  say(name: string, value: string): void;
  /** Reads each file once. */
  readonly readPassword?: PasswordReader;
}

/** Tells what was chosen, on standard error. */
export function sayTo(program: Program): TokenTools["say"] {
  const { stderr } = program;
  const colour = takesCodes(stderr, (name) => program.env(name));
  return (name, value) => stderr.write(`${resultLine(name, value, colour)}\n`);
}

/** What a token shall say, as far as the CA does not know it. */
export type TokenWish = Omit<TokenRequest, "url" | "rootDigest" | "now">;

/**
 * Makes a token that `ca` accepts.
 *
 * @throws {RekeyError} of the CA's kinds; kind `usage` for a choice that cannot
 *   be; kind `pair` for a password that does not open the key
 */
export async function makeToken(
  ca: TrustedCa,
  choice: ProvisionerChoice,
  { tools, wish }: { readonly tools: TokenTools; readonly wish: TokenWish },
): Promise<string> {
  const [root] = ca.trust;
  if (root === undefined) throw new Error("a CA without roots");
  const provisioner = chooseJwk(await listProvisioners(ca), choice);
  const { name, kid } = provisioner;
  tools.say("Provisioner", described(provisioner));
  const sealed = await fetchSealedKey(ca, kid);
  const password = await findPassword(choice, tools);
  try {
    const key = await openProvisionerKey(sealed, password);
    return await createOneTimeToken({
      ...wish,
      url: ca.url,
      rootDigest: await sha256(root.der),
      now: ca.clock.now(),
    }, { name, kid, key });
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new RekeyError("pair", error.message, {
      hint: error.hint ??
        `is it the password of the provisioner ${shown(name)}?`,
      cause: error,
    });
  }
}

type JwkProvisioner = Provisioner & { readonly kid: string };

/**
 * The one JWK provisioner that the choice leaves. The original asks with a menu,
 * which a timer cannot answer.
 *
 * @throws {RekeyError} kind `usage`
 */
export function chooseJwk(
  provisioners: readonly Provisioner[],
  { name, kid }: Pick<ProvisionerChoice, "name" | "kid">,
): JwkProvisioner {
  if (provisioners.length === 0) {
    throw new RekeyError(
      "usage",
      "cannot create a new token: the CA does not have any provisioner configured",
    );
  }
  const byKid = provisioners.filter((each) =>
    kid === undefined || each.kid === kid
  );
  if (byKid.length === 0) throw notThere("kid", kid, provisioners);
  const left = byKid.filter((each) => name === undefined || each.name === name);
  if (left.length === 0) throw notThere("issuer", name, byKid);
  const usable = left.filter(isJwk);
  const [first, second] = usable;
  if (first === undefined) throw unsupported(left);
  if (second === undefined) return first;
  throw new RekeyError(
    "usage",
    `which provisioner shall make the token? The CA has ${usable.length} of type JWK: ${
      someOf(usable)
    }`,
    { hint: "name one with --provisioner, and its key with --kid" },
  );
}

function isJwk(provisioner: Provisioner): provisioner is JwkProvisioner {
  return provisioner.type === "JWK" && provisioner.kid !== undefined;
}

function notThere(
  flag: "kid" | "issuer",
  value: string | undefined,
  provisioners: readonly Provisioner[],
): RekeyError {
  return new RekeyError(
    "usage",
    `invalid value '${shortened(value ?? "")}' for flag '--${flag}'`,
    { hint: `the CA has ${someOf(provisioners)}` },
  );
}

/** What makes tokens for the other types, or does without. */
const INSTEAD: ReadonlyMap<string, Hint> = new Map<string, Hint>([
  [
    "OIDC",
    { remedy: "make the token elsewhere", command: "step oauth --oidc --bare" },
  ],
  [
    "X5C",
    {
      remedy: "make the token elsewhere",
      command: "step ca token --x5c-cert <file> --x5c-key <file>",
    },
  ],
  ["ACME", "use an ACME client, such as certbot, lego or Caddy"],
  ["SCEP", "use an SCEP client"],
]);

function unsupported(provisioners: readonly Provisioner[]): RekeyError {
  const [first] = provisioners;
  const type = first?.type ?? "";
  return new RekeyError(
    "usage",
    `only provisioners of type JWK make tokens here, and there is ${
      someOf(provisioners)
    }`,
    {
      hint: INSTEAD.get(type) ??
        `Smallstep's step has provisioners of type ${shown(type)}`,
    },
  );
}

/** As many provisioners as fit on a line. */
const MAX_SHOWN = 10;

function someOf(provisioners: readonly Provisioner[]): string {
  const more = provisioners.length - MAX_SHOWN;
  return provisioners.slice(0, MAX_SHOWN).map(described).join(", ") +
    (more > 0 ? ` and ${more} more` : "");
}

/** As the original's menu. */
function described({ name, type, kid }: Provisioner): string {
  const key = kid === undefined ? "" : ` [kid: ${shown(kid)}]`;
  return `${shown(name)} (${shown(type)})${key}`;
}

function shown(text: string): string {
  return shortened(printable(text));
}

async function findPassword(
  { passwordFile }: ProvisionerChoice,
  { terminal, signal, readPassword = readPasswordFile }: TokenTools,
): Promise<string> {
  if (passwordFile !== undefined) {
    const password = await readPassword(passwordFile);
    if (password !== undefined) return password;
    throw new RekeyError(
      "pair",
      `the password file ${JSON.stringify(passwordFile)} is empty`,
      { hint: "write the password of the provisioner into it" },
    );
  }
  try {
    return await terminal.readPassword(
      "Please enter the password to decrypt the provisioner key: ",
      signal,
    );
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new RekeyError(
      "pair",
      `nobody can be asked for the password of the provisioner: ${error.message}`,
      { hint: "use --provisioner-password-file", cause: error },
    );
  }
}
