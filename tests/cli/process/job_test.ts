/** What is found out before a job begins. */
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { runProgram } from "../../support/program.ts";
import { type ReloadPlace, reloadPlace } from "../../support/reload_place.ts";

for (const flag of ["out-cert", "out-key"] as const) {
  for (const force of [[], ["--force"]] as const) {
    for (const end of ["", "/", "/."]) {
      const words = [...force, `--${flag}`, `folder${end}`].join(" ");
      Deno.test(`ca rekey ${words} says that it is a directory`, async () => {
        await using place = await reloadPlace();
        await Deno.mkdir(place.dir.file("folder"));
        const folder = place.dir.file("folder") + end;
        const name = flag === "out-cert" ? "host.crt" : "host.key";
        const { code, stderr } = await runProgram(
          place.words(...force, `--${flag}`, folder),
          { env: place.env },
        );
        assertEquals(
          [code, stderr],
          [
            73,
            `flag '--${flag}' names a file, and "${folder}" is a directory\nhint: name a file in it: ${
              folder.replace(/\/$/, "")
            }/${name}\n`,
          ],
        );
        assertEquals(place.ca.requests.length, 0);
      });
    }
  }
}

async function passwordFile(place: ReloadPlace): Promise<string> {
  const file = place.dir.file("password");
  await Deno.writeTextFile(file, "secret\n");
  return file;
}

Deno.test("ca rekey encrypts a plain key for a --password-file on the line, with one warning", async () => {
  await using place = await reloadPlace();
  const file = await passwordFile(place);
  const first = await place.once("--password-file", file);
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(
    first.stderr,
    "warning: the private key was not encrypted",
  );
  assertStringIncludes(first.stderr, "leave --password-file out");
  assertStringIncludes(await Deno.readTextFile(place.pair[1]), "ENCRYPTED");
  const second = await place.once("--password-file", file);
  assertEquals(second.code, 0, second.stderr);
  assertEquals(second.stderr.includes("warning"), false, second.stderr);
});

for (const origin of ["STEP_PASSWORD_FILE", "defaults.json"]) {
  Deno.test(`ca rekey encrypts no plain key for a password file of ${origin}, and keeps an encrypted one so`, async () => {
    await using place = await reloadPlace();
    const file = await passwordFile(place);
    const steppath = place.dir.file("step");
    await Deno.mkdir(`${steppath}/config`, { recursive: true });
    await Deno.writeTextFile(
      `${steppath}/config/defaults.json`,
      JSON.stringify(
        origin === "defaults.json" ? { "password-file": file } : {},
      ),
    );
    const env = {
      ...place.env,
      STEPPATH: steppath,
      ...origin !== "defaults.json" && { [origin]: file },
    };
    const rekey = (...more: string[]) =>
      runProgram(place.words("--force", ...more), { env });
    const plain = await rekey();
    assertEquals(plain.code, 0, plain.stderr);
    assertEquals(plain.stderr.includes("warning"), false, plain.stderr);
    const key = await Deno.readTextFile(place.pair[1]);
    assertEquals(key.includes("ENCRYPTED"), false);
    assertEquals((await rekey("--password-file", file)).code, 0);
    const encrypted = await rekey();
    assertEquals(encrypted.code, 0, encrypted.stderr);
    assertStringIncludes(await Deno.readTextFile(place.pair[1]), "ENCRYPTED");
  });
}
