/**
 * A repair on a disk that has been filled since the crash: what needs no space
 * is done, so that certificate and key belong together.
 */
import { RekeyError } from "../../src/base/errors.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { open } from "../support/install_child.ts";
import { CAN_MOUNT, mountTmpfs } from "../support/mounts.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  layOut,
  type NamedFixture,
  readFixtures,
} from "../support/upgrade/fixtures.ts";

const FIXTURES = readFixtures().filter(({ name, files, input, ends }) =>
  ends !== "none" && files.certificate === input.certificate &&
  /^(plain|to|versioned|reload)-/.test(name)
);

/** All that the disk has, to the last byte. */
async function fill(file: string): Promise<void> {
  using opened = await Deno.open(file, { write: true, createNew: true });
  const page = new Uint8Array(4096);
  try {
    while (true) await opened.write(page);
  } catch (error) {
    assertMatch(String(error), /[Nn]o space left/);
  }
}

/** @returns what the repair failed with */
async function repair(
  fixture: NamedFixture,
  folder: string,
): Promise<string | undefined> {
  const { certificate, key } = fixture.files;
  const files = {
    certificate: `${folder}/${certificate}`,
    key: `${folder}/${key}`,
  };
  let failure: string | undefined;
  try {
    using _pair = await open(files);
  } catch (error) {
    assert(error instanceof RekeyError, String(error));
    failure = error.message;
  }
  await pairKeyOf({ certificateFile: files.certificate, keyFile: files.key });
  return failure;
}

Deno.test({
  name: "a repair on a full disk makes the pair one (needs root)",
  ignore: !CAN_MOUNT,
  async fn(t) {
    await using dir = await tempDir();
    const folder = dir.file("disk");
    await Deno.mkdir(folder);
    await using _disk = await mountTmpfs(folder, "512k");
    for (const fixture of FIXTURES) {
      await t.step(`${fixture.name} of ${fixture.set}`, async () => {
        layOut(fixture.entries, folder);
        await fill(`${folder}/full`);
        const failure = await repair(fixture, folder) ?? "no space left";
        assertMatch(failure, /no space left/);
        await Deno.remove(`${folder}/full`);
        assertEquals(await repair(fixture, folder), undefined);
        for await (const { name } of Deno.readDir(folder)) {
          await Deno.remove(`${folder}/${name}`, { recursive: true });
        }
      });
    }
  },
});
