/**
 * `ca renew` beside the real `step ca renew`: the lines that clients use, and
 * what goes wrong with them.
 *
 * The suite does a sample; `deno task sweep` does all.
 */
import { assertEquals } from "../support/assert.ts";
import {
  assertAgree,
  CLEARER,
  FORCED,
  type InteropCase,
  NEWER,
  PAIR,
  write,
} from "../support/interop.ts";
import { runOk } from "../support/run.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { sample } from "../support/sweep.ts";
import { closedPort } from "../support/tcp_peers.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = stepCaMissing === undefined
  ? await startStepCa(directory, {
    admin: {},
    late: { allowRenewalAfterExpiry: true },
    "no renewal": { disableRenewal: true },
  })
  : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

const cases: (readonly [name: string, test: InteropCase])[] = [];

function compare(name: string, test: InteropCase): void {
  cases.push([name, { command: "renew", ...test }]);
}

compare("in place", { args: FORCED });
compare("flags last", { args: [...PAIR, "--force"] });
compare("a new file", { args: ["--out", "a", ...PAIR] });
compare("a new file by its other name", {
  args: ["--output-file=a", ...PAIR],
});
compare("variables", { args: PAIR, env: { STEP_F: "true" } });
compare("due", { args: ["--expires-in", "24h30m", ...FORCED] });
compare("not due", {
  args: ["--expires-in", "8h", ...PAIR],
  otherText: {
    why: "a second may pass between the two",
    ours: /^certificate not renewed: expires in \d+h\d+m\d+s$/,
    theirs: /^certificate not renewed: expires in \d+h\d+m\d+s$/,
  },
});
compare("a command that reads the new files", {
  args: ["--exec", "cp internal.crt copy", ...FORCED],
});
compare("an expired certificate that may be renewed", {
  provisioner: "late",
  expired: true,
  args: FORCED,
});

// An encrypted key stays as it is.
compare("an encrypted key", {
  prepare: async (path) => {
    await write("password", "secret\n")(path);
    await runOk("openssl", [
      ...["pkcs8", "-topk8", "-v2", "aes-256-cbc", "-in", "internal.key"],
      ...["-passout", "pass:secret", "-out", "encrypted.key"],
    ], { cwd: path });
    await Deno.copyFile(`${path}/encrypted.key`, `${path}/before`);
  },
  args: [
    ...["--force", "--password-file", "password"],
    ...["internal.crt", "encrypted.key"],
  ],
  afterwards: async (path) => {
    assertEquals(
      await Deno.readTextFile(`${path}/encrypted.key`),
      await Deno.readTextFile(`${path}/before`),
    );
  },
});

// Rules.
for (
  const [name, args] of [
    ["too few arguments", ["internal.crt"]],
    ["too many arguments", [...PAIR, "more"]],
    ["a bad window", ["--expires-in", "1d", ...PAIR]],
    ["a bad period", ["--renew-period", "1d", ...PAIR]],
    ["a period without daemon", ["--renew-period", "1h", ...PAIR]],
    ["window and period", [
      ...["--daemon", "--renew-period=1h", "--expires-in=1h"],
      ...PAIR,
    ]],
    ["two processes to signal", ["--pid", "1", "--pid-file", "x", ...PAIR]],
    ["a window longer than the life", ["--expires-in", "90h", ...PAIR]],
    ["a period as long as the life", [
      ...["--daemon", "--renew-period", "90h"],
      ...PAIR,
    ]],
    ["a window longer than the life, as a daemon", [
      ...["--daemon", "--expires-in", "90h"],
      ...PAIR,
    ]],
    ["a flag of the other command", ["--out-key", "k", ...PAIR]],
  ] as const
) {
  compare(name, { args, code: 64 });
}
compare("no CA address", { args: PAIR, env: { STEPPATH: "none" }, code: 64 });

// Failures.
compare("a missing certificate", {
  args: ["--force", "none.crt", "internal.key"],
  code: 65,
  otherText: {
    why: CLEARER,
    ours: /^error reading certificate chain: open none\.crt/,
    theirs: /^error reading certificate chain: : no such file or directory$/,
  },
});
compare("a CA that is not there", {
  args: ["--ca-url", `https://127.0.0.1:${closedPort()}`, ...FORCED],
  code: 69,
  otherText: {
    why: NEWER,
    ours:
      /^error renewing certificate: client POST https:\S+\/renew failed: dial tcp \S+ connect: connection refused$/,
    theirs:
      /^error renewing certificate: client\.Renew; client POST \S+\/renew failed: Post "\S+\/renew": dial tcp \S+ connect: connection refused$/,
  },
});
compare("a CA that refuses", {
  provisioner: "no renewal",
  args: FORCED,
  code: 77,
  otherText: {
    why: NEWER,
    ours:
      /^The request lacked necessary authorization to be completed\. Please/,
    theirs:
      /^error renewing certificate: The request lacked necessary authorization/,
  },
});
compare("an expired certificate", {
  expired: true,
  args: FORCED,
  code: 65,
  otherText: {
    why: "it says that the certificate has expired, and when",
    ours:
      /^cannot renew an expired certificate: expired on 2024-01-02T00:00:00Z; The request lacked necessary authorization to be completed: certificate expired on /,
    theirs:
      /^error renewing certificate: The request lacked necessary authorization to be completed: certificate expired on /,
  },
});
compare("a command that fails", {
  prepare: write("hook", "#!/bin/sh\nexit 7\n", 0o755),
  args: ["--exec", "./hook", ...FORCED],
  code: 7,
  sameCode: true,
  otherText: {
    why: "it says that the pair is new, and what is still pending",
    ours:
      /^the new pair is installed, but telling the service failed: exit status 7; still pending: --exec, /,
    theirs: /^exit status 7$/,
  },
});

for (const [name, test] of sample("renew interop", cases, 12)) {
  Deno.test({
    name: `step and step-rekey agree: ca renew: ${name}`,
    ignore: stepCaMissing !== undefined,
    async fn() {
      if (ca === undefined) throw new Error(stepCaMissing);
      await assertAgree(ca, test);
    },
  });
}
