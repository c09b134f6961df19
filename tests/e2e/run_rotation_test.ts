/** `run` while its command runs: rotations, and how the command hears of them. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { CAN_MOUNT } from "../support/mounts.ts";
import { nginxMissing, nginxPlace } from "../support/nginx_server.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { namesIn, type Place, runTests } from "../support/run_place.ts";
import { runOk } from "../support/run.ts";

const runTest = await runTests();

/** A shell that says what it reads, at its start and on each of these signals. */
function reader(...signals: readonly string[]): readonly string[] {
  const show =
    'openssl x509 -in "$STEP_REKEY_CERT" -noout -serial | sed "s/^/$1 /"';
  const traps = signals.map((name) => `trap 'show ${name}' ${name}`);
  return [
    ...["bash", "-c"],
    [
      `show() { ${show}; }`,
      ...traps,
      "show start; while :; do sleep 5 <&- >&- 2>&- & wait $!; done",
    ].join("; "),
  ];
}

/** The serial in a line of such a shell. */
function serialIn(line: string): string {
  return /serial=(\w+)/.exec(line)?.[1] ?? line;
}

runTest(
  "run rotates a short-lived certificate by itself, with a new key each time, and the command reads it",
  async ({ empty, token, start }) => {
    const place = await empty();
    await using running = start(place, reader("HUP"), {
      env: { STEP_TOKEN: await token("host.example") },
      // A busy machine may take 13 s for a start.
      flags: ["--not-after", "25s", "--rekey-period", "2s"],
    });
    const serials = [serialIn(await running.says("start serial="))];
    const keys = [await pairKeyOf(place)];
    for (let cycle = 0; cycle < 2; cycle++) {
      serials.push(serialIn(await running.says("HUP serial=")));
      keys.push(await pairKeyOf(place));
    }
    assertEquals([new Set(serials).size, new Set(keys).size], [3, 3]);
    running.kill("SIGTERM");
    assertEquals(await running.ended, 143, running.text);
    assertEquals(await namesIn(place.folder), ["host.crt", "host.key"]);
  },
);

runTest(
  "run gives the command the signal of --signal, none with 0, and none beside --exec",
  async ({ pair, start }) => {
    await Promise.all(([
      [["--signal", "12"], "USR2 serial="],
      [["--signal", "0"], "certificate rekeyed, next in "],
      [["--exec", "sh -c 'echo told $STEP_REKEY_CERT'"], "told /"],
    ] as const).map(async ([flags, says]) => {
      const place = await pair(600);
      await using running = start(place, reader("HUP", "USR2", "WINCH"), {
        flags,
      });
      await running.says("start serial=");
      running.kill("SIGHUP");
      await running.says(says);
      // Behind what the command may have got: signals come in their order.
      running.kill("SIGWINCH");
      await running.says("WINCH serial=");
      const got = running.text.match(/^(HUP|USR2) /gm) ?? [];
      assertEquals(got.length, flags[1] === "12" ? 1 : 0, running.text);
      running.kill("SIGTERM");
      assertEquals(await running.ended, 143, running.text);
    }));
  },
);

runTest(
  "run outlives a CA that is gone, and a pair that does not belong together: the command goes on",
  async ({ ca, pair, start }) => {
    const [place, other] = [await pair(600), await pair(600)];
    const key = await Deno.readTextFile(place.keyFile);
    await using running = start(place, reader("HUP", "USR1"));
    await running.says("start serial=");
    const lives = async () => {
      running.kill("SIGUSR1");
      return serialIn(await running.says("USR1 serial="));
    };
    const before = await lives();
    await ca.stop();
    running.kill("SIGHUP");
    await running.says("next attempt in ");
    assertEquals(await lives(), before);
    await ca.restart();
    await Deno.copyFile(other.keyFile, place.keyFile);
    running.kill("SIGHUP");
    await running.says("is not the key of the certificate");
    await running.says("next attempt in ");
    // Not even a certificate that can be read.
    const certificate = await Deno.readTextFile(place.certificateFile);
    await Deno.writeTextFile(place.certificateFile, "nothing");
    running.kill("SIGHUP");
    await running.says("next attempt in ");
    await Deno.writeTextFile(place.certificateFile, certificate);
    assertEquals(await lives(), before);
    await Deno.writeTextFile(place.keyFile, key);
    running.kill("SIGHUP");
    assert(serialIn(await running.says("HUP serial=")) !== before);
    await pairKeyOf(place);
    running.kill("SIGTERM");
    assertEquals(await running.ended, 143, running.text);
  },
);

runTest(
  "run tells again by --exec until that succeeds, and a signal that was pending is delivered by the start",
  async ({ pair, start }) => {
    const place = await pair(600);
    const flag = `${place.folder}.up`;
    const exec = `sh -c 'test -e ${flag} && echo told'`;
    {
      await using running = start(place, reader("HUP"), {
        flags: ["--exec", exec],
      });
      await running.says("start serial=");
      running.kill("SIGHUP");
      await running.says("still pending: --exec");
      running.kill("SIGTERM");
      assertEquals(await running.ended, 143, running.text);
    }
    const [note = ""] = await notesOf(place);
    await using running = start(place, reader("HUP"), {
      flags: ["--exec", exec],
    });
    await running.says("start serial=");
    await running.says("next attempt to tell the service in ");
    await Deno.writeTextFile(flag, "");
    await running.says("told");
    await running.says("the service was told at last");
    assertEquals(await notesOf(place), []);
    running.kill("SIGTERM");
    assertEquals(await running.ended, 143, running.text);
    // As a process leaves it that is killed between swap and signal.
    await Deno.writeTextFile(
      `${place.folder}/${note}`,
      "step-rekey pending reload 1\npart signal\n\ntry\n",
    );
    await using next = start(place, ["sh", "-c", "echo runs; exit 0"]);
    assertEquals(await next.ended, 0, next.text);
    assertEquals(await notesOf(place), []);
    assert(!/WARN|ERROR/.test(next.text), next.text);
  },
);

runTest(
  "run starts nginx, which shows each new certificate after its SIGHUP",
  async ({ empty, token, start }) => {
    const { folder } = await empty();
    // The names that its settings have.
    const place = {
      folder,
      certificateFile: `${folder}/internal.crt`,
      keyFile: `${folder}/internal.key`,
    };
    const nginx = await nginxPlace(folder);
    await using running = start(place, nginx.command, {
      env: { STEP_TOKEN: await token("localhost") },
    });
    await running.says("first rekey in ");
    await nginx.shows(await serialOf(place));
    running.kill("SIGHUP");
    await running.says("certificate rekeyed, next in ");
    await nginx.shows(await serialOf(place));
    // As the image of nginx has it: STOPSIGNAL SIGQUIT.
    running.kill("SIGQUIT");
    assertEquals(await running.ended, 0, running.text);
  },
  nginxMissing ? "nginx is not installed" : undefined,
);

runTest(
  "run that is killed leaves a pair that the next start takes over",
  async ({ ca, pair, start }) => {
    const place = await pair(600);
    // It ends when nobody holds its input any more.
    await using running = start(place, [
      "sh",
      "-c",
      "exec sleep 5 >&- 2>&-",
    ]);
    await running.says("first rekey in ");
    ca.freeze();
    running.kill("SIGHUP");
    await running.says("rekeying now");
    running.kill("SIGKILL");
    ca.thaw();
    await using next = start(place, ["sh", "-c", "exit 3"]);
    assertEquals(await next.ended, 3, next.text);
    await pairKeyOf(place);
    assertEquals(await namesIn(place.folder), ["host.crt", "host.key"]);
  },
);

/** Makes everything read-only but one folder, then becomes a program. */
const READ_ONLY = `
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
for at in $(findmnt -rno TARGET | grep -vE "^(/proc|/sys|/dev)(/|$)|^$1$"); do
  mount -o remount,bind,ro "$at" 2>/dev/null || true
done
shift
exec "$@"
`;

runTest(
  "run enrols, and rekeys, where the pair's folder is all that can be written",
  async ({ empty, token, start }) => {
    const place = await empty();
    const command = reader("HUP");
    const script = `touch /tmp/x /var/x "$HOME/x" || echo refused; ${
      command.at(-1)
    }`;
    await using running = start(place, ["bash", "-c", script], {
      env: { STEP_TOKEN: await token("host.example") },
      under: ["unshare", "-m", "sh", "-c", READ_ONLY, "sh", place.folder],
    });
    await running.says("refused");
    const before = serialIn(await running.says("start serial="));
    running.kill("SIGHUP");
    assert(serialIn(await running.says("HUP serial=")) !== before);
    running.kill("SIGTERM");
    assertEquals(await running.ended, 143, running.text);
    assertEquals(running.text.match(/Read-only file system/g)?.length, 3);
    assertMatch(running.text, /issued, the first one/);
    assertStringIncludes(running.text, "bash ended by SIGTERM");
    await pairKeyOf(place);
  },
  CAN_MOUNT ? undefined : "this process may not mount",
);

async function serialOf({ certificateFile }: Place): Promise<string> {
  const { stdout } = await runOk("openssl", [
    ...["x509", "-noout", "-serial", "-in", certificateFile],
  ]);
  return stdout.trim().replace(/^serial=/, "");
}

async function notesOf({ folder }: Place): Promise<readonly string[]> {
  return (await namesIn(folder)).filter((name) => name.includes("reload"));
}
