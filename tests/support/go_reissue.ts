/**
 * Go's crypto/x509 as the judge of reissued certificates.
 *
 * Where Go is missing, tests say so and are ignored; on CI (`CI=true`) they
 * fail instead.
 */
import type { Reissue } from "../../src/pki/reissue.ts";
import { ROOT } from "../../scripts/paths.ts";
import { runOk } from "./run.ts";

const goMissing = findGo();

function findGo(): string | undefined {
  if (Deno.env.get("CI") === "true") return undefined;
  try {
    new Deno.Command("go", { args: ["version"] }).outputSync();
    return undefined;
  } catch {
    // Any reason is the same here: it cannot be run.
    return "Go is not installed";
  }
}

const built: { program?: Promise<string> } = {};

/** The program in tests/support/go/reissue, built at the first call. */
function goProgram(): Promise<string> {
  return built.program ??= buildGoProgram();
}

async function buildGoProgram(): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
  addEventListener(
    "unload",
    () => Deno.removeSync(directory, { recursive: true }),
  );
  const path = `${directory}/reissue`;
  await runOk("go", ["build", "-o", path, "."], {
    cwd: `${ROOT}tests/support/go/reissue`,
    env: { GOTOOLCHAIN: "local", GOWORK: "off" },
  });
  return path;
}

/** A test that compares with Go. */
export function goTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: goMissing === undefined ? name : `${name} (${goMissing})`,
    ignore: goMissing !== undefined,
    fn,
  });
}

/** The tbsCertificate that Go makes of the request, as hexadecimal. */
export async function goTbs(request: Reissue): Promise<string> {
  const { stdout } = await runOk(await goProgram(), [], {
    stdin: JSON.stringify({
      old: request.previous.der.toHex(),
      issuer: request.issuer.der.toHex(),
      key: request.issuerKey.pkcs8.toHex(),
      spki: request.publicKey.toHex(),
      serial: request.serial.toHex(),
      now: String(BigInt(request.now.getTime()) * 1_000_000n),
      backdate: String(request.backdate),
    }),
  });
  return stdout;
}
