/** The Debian package around a program that only says its version. */
import { debianPackage } from "../../scripts/debian_package.ts";
import { COMMANDS } from "../../src/cli/commands/catalogue.ts";
import { VERSION } from "../../src/cli/grammar/command.ts";
import { placesIn } from "../../src/cli/grammar/route.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { changedRootMissing, inChangedRoot } from "../support/changed_root.ts";
import { run, runOk } from "../support/run.ts";
import { systemdMissing } from "../support/systemd.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const noPackages = await run("dpkg-deb", ["--version"])
  .then(() => undefined, (error: Error) => error.message);
const noRoot = noPackages ?? await changedRootMissing();
const noUnits = noPackages ?? await systemdMissing();

const title = (name: string, missing: string | undefined) =>
  missing === undefined ? name : `${name} (${missing})`;

/** The package of `version` in a folder of that name. */
async function packageOf(version: string, dir: TempDir): Promise<string> {
  const program = dir.file(`program-${version}`);
  await Deno.writeTextFile(program, `#!/bin/sh\necho ${version}\n`);
  await Deno.mkdir(dir.file(version), { recursive: true });
  return await debianPackage(dir.file(version), {
    program,
    target: "x86_64-unknown-linux-gnu",
    licenses: "none\n",
    billOfMaterials: "{}\n",
    version,
    date: new Date("2026-11-30T00:00:00Z"),
    compression: ["-Zgzip", "-z1"],
  });
}

Deno.test({
  name: title("debianPackage() makes the same bytes twice", noPackages),
  ignore: noPackages !== undefined,
  async fn() {
    await using dir = await tempDir();
    await using other = await tempDir();
    const [one, two] = [
      await packageOf(VERSION, dir),
      await packageOf(VERSION, other),
    ];
    assertEquals(await Deno.readFile(one), await Deno.readFile(two));
  },
});

Deno.test({
  name: title(
    "debianPackage() holds a page for each command, and root owns all",
    noPackages,
  ),
  ignore: noPackages !== undefined,
  async fn() {
    await using dir = await tempDir();
    const { stdout } = await runOk("dpkg-deb", [
      "--contents",
      await packageOf(VERSION, dir),
    ]);
    for (const { path } of placesIn({ path: [], entry: COMMANDS })) {
      const name = ["step-rekey", ...path].join("-");
      assertStringIncludes(stdout, `./usr/share/man/man1/${name}.1.gz\n`);
    }
    for (const line of stdout.trim().split("\n")) {
      const [mode, owner] = line.split(/\s+/);
      assertEquals(owner, "root/root", line);
      assert(/^(drwxr-xr-x|-rwxr-xr-x|-rw-r--r--)$/.test(mode ?? ""), line);
    }
  },
});

Deno.test({
  name: title("the unit of the package is one that systemd likes", noUnits),
  ignore: noUnits !== undefined,
  async fn() {
    await using dir = await tempDir();
    await runOk("dpkg-deb", [
      "--extract",
      await packageOf(VERSION, dir),
      dir.file("root"),
    ]);
    const unit = dir.file("step-rekey@host.service");
    const packaged = await Deno.readTextFile(
      dir.file("root/usr/lib/systemd/system/step-rekey@.service"),
    );
    assertStringIncludes(packaged, "\nEnvironment=STEPPATH=/etc/step-rekey\n");
    assertStringIncludes(
      packaged,
      "\nEnvironmentFile=-/etc/step-rekey/%i.env\n",
    );
    // It asks whether the program is there.
    await Deno.writeTextFile(
      unit,
      packaged.replace("/usr/bin/step-rekey", "/bin/true"),
    );
    const verified = await run("systemd-analyze", [
      ...["verify", "--man=no", unit],
    ]);
    assertEquals([verified.code, verified.stderr], [0, ""]);
    const { stdout } = await run("systemd-analyze", [
      ...["security", "--offline=true", "--no-pager", unit],
    ]);
    const score = /level for .*: ([\d.]+) OK/.exec(stdout)?.[1];
    assert(Number(score) <= 2, score ?? stdout);
  },
});

/** What an administrator does, in a system that says what systemctl is told. */
const LIFE = `
rm -f /etc/dpkg/dpkg.cfg.d/* /usr/sbin/policy-rc.d
mkdir -p /run/systemd/system /etc/systemd/system/multi-user.target.wants
printf '#!/bin/sh\\necho "systemctl $*" >>/told\\n' >/usr/local/bin/systemctl
chmod +x /usr/local/bin/systemctl
# Without the index of all manual pages, and without fsync.
dpkg() { command dpkg --no-triggers --force-unsafe-io "$@"; }
dpkg -i /input/0.9.0/*.deb
echo "runs $(step-rekey)"
echo pair >/etc/step-rekey/host.crt
wanted=/etc/systemd/system/multi-user.target.wants/step-rekey@host.service
ln -s /usr/lib/systemd/system/step-rekey@.service "$wanted"
own=/etc/systemd/system/step-rekey@own.service
touch "$own"
ln -s "$own" /etc/systemd/system/multi-user.target.wants
dpkg -i /input/1.0.0-rc.1/*.deb
dpkg -i /input/1.0.0/*.deb
echo "runs $(step-rekey)"
dpkg --verify step-rekey
dpkg -L step-rekey | grep step-rekey >/files
dpkg -r step-rekey
test ! -e /usr/bin/step-rekey
test -L "$wanted"
dpkg -P step-rekey
test -L /etc/systemd/system/multi-user.target.wants/step-rekey@own.service
for path in $(cat /files) "$wanted" /etc/step-rekey/host.crt; do
  if [ -e "$path" ] || [ -L "$path" ]; then echo "left $path"; fi
done
cat /told
`;

Deno.test({
  name: title(
    "the package is installed, upgraded, removed and purged, and leaves what is the administrator's",
    noRoot,
  ),
  ignore: noRoot !== undefined,
  async fn() {
    await using dir = await tempDir();
    for (const version of ["0.9.0", "1.0.0-rc.1", "1.0.0"]) {
      await packageOf(version, dir);
    }
    const { code, stdout, stderr } = await inChangedRoot(dir.path, LIFE);
    assertEquals(code, 0, stdout + stderr);
    const lines = stdout.split("\n");
    assertEquals(
      lines.filter((line) => /^(runs|left|systemctl) /.test(line)),
      [
        "runs 0.9.0",
        "runs 1.0.0",
        "left /etc/step-rekey",
        "left /etc/step-rekey/host.crt",
        "systemctl daemon-reload",
        "systemctl daemon-reload",
        "systemctl try-restart step-rekey@*.service",
        "systemctl daemon-reload",
        "systemctl try-restart step-rekey@*.service",
        "systemctl stop step-rekey@*.service",
        "systemctl daemon-reload",
        "systemctl daemon-reload",
      ],
    );
    assertStringIncludes(stdout, "Unpacking step-rekey (1.0.0~rc.1-1) over");
    assertStringIncludes(stdout, "Unpacking step-rekey (1.0.0-1) over");
  },
});
