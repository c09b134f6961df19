/**
 * The files of deploy/: valid by the tools of their fields, and run. Without an
 * engine the containers are made of namespaces; see tests/support/pod.ts.
 */
import { validate } from "dockerfile-utils";
import { parse } from "yaml";
import {
  haveValidators,
  type Validator,
  VALIDATORS,
} from "../../scripts/validators.ts";
import { ROOT } from "../../scripts/paths.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";
import { CAN_MOUNT } from "../support/mounts.ts";
import { noNamespaces } from "../support/namespaces.ts";
import { nginxMissing } from "../support/nginx_server.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import {
  type Cluster,
  container,
  deployFile,
  insideOf,
  instruction,
  type Namespaces,
  readPod,
  startContainer,
  wordsOf,
} from "../support/pod.ts";
import { program } from "../support/program.ts";
import { run, runOk } from "../support/run.ts";
import {
  type RunningProgram,
  startProgram,
} from "../support/running_program.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";

const MANIFESTS = ["entrypoint", "sidecar", "init", "daemonset"];
const DOCKERFILES = ["Dockerfile", "nginx.Dockerfile"];

const noValidators = await haveValidators() || Deno.env.get("CI") === "true"
  ? undefined
  : 'no validators; "deno task test" installs them';

function because(reason: string | undefined): string {
  return reason === undefined ? "" : ` (${reason})`;
}

async function check(
  { words: [command, ...args], env = {} }: Validator,
  ...files: readonly string[]
) {
  return await run(command, [...args, ...files], { env, cwd: "/" });
}

Deno.test({
  name: `the manifests fit the published schemas${because(noValidators)}`,
  ignore: noValidators !== undefined,
  async fn() {
    const { kubernetes } = VALIDATORS;
    const files = [...MANIFESTS, "settings"]
      .map((name) => `${ROOT}deploy/kubernetes/${name}.yaml`);
    const { code, stdout, stderr } = await check(kubernetes, ...files);
    assertEquals(code, 0, stdout + stderr);
    const broken = await Deno.makeTempFile({ suffix: ".yaml" });
    const text = await deployFile("kubernetes/init.yaml");
    await Deno.writeTextFile(broken, text.replace("drop:", "dorp:"));
    assert((await check(kubernetes, broken)).code !== 0, "a slip was found");
    await Deno.remove(broken);
  },
});

Deno.test({
  name: `the Compose file is what docker compose takes${because(noValidators)}`,
  ignore: noValidators !== undefined,
  async fn() {
    const { compose } = VALIDATORS;
    const good = await check(compose, `${ROOT}deploy/compose.yaml`);
    assertEquals(good.code, 0, good.stderr);
    const broken = await Deno.makeTempFile({ suffix: ".yaml" });
    const text = await deployFile("compose.yaml");
    await Deno.writeTextFile(broken, text.replace("read_only:", "readonly:"));
    assert((await check(compose, broken)).code !== 0, "a slip was found");
    await Deno.remove(broken);
  },
});

Deno.test("the Dockerfiles have no mistake that a linter finds", async () => {
  for (const name of DOCKERFILES) {
    const found = validate(await deployFile(name));
    assertEquals(found.map(({ message }) => message), [], name);
    // What "runAsNonRoot" of Kubernetes can check.
    assertMatch(await deployFile(name), /\nUSER \d+\n(?![^]*\nUSER )/);
  }
  const text = (await deployFile("Dockerfile")).replace("\nUSER ", "\nUSRE ");
  assert(validate(text).length > 0, "a slip was found");
});

Deno.test("every line of deploy/ is one that the program accepts", async () => {
  const lines: (readonly string[])[] = [];
  for (const name of MANIFESTS) {
    const { initContainers = [], containers } = await readPod(name);
    for (const spec of [...initContainers, ...containers]) {
      lines.push(await wordsOf(spec));
      const { readinessProbe } = spec;
      if (readinessProbe !== undefined) lines.push(readinessProbe.exec.command);
    }
  }
  for (const name of DOCKERFILES) {
    const entry = await instruction(name, "ENTRYPOINT");
    lines.push([...entry, ...await instruction(name, "CMD")]);
    lines.push(await instruction(name, "HEALTHCHECK"));
  }
  const ours = lines.filter(([first]) => first?.endsWith("/step-rekey"));
  assertEquals(ours.length, 10);
  for (const [, ...words] of ours) {
    const env = { STEP_CA_URL: "https://ca.example" };
    const { code, stderr } = await runLine(words, { env });
    assertEquals(code, 0, `${words.join(" ")}: ${stderr}`);
    // As they stand in messages, and as a shell would hand them on.
    const inner = words.slice(words.indexOf("--") + 1);
    if (!inner[0]?.endsWith("/step-rekey")) continue;
    assertEquals((await runLine(inner.slice(1), { env })).code, 0);
  }
});

Deno.test("no container gets the sockets of its host", async () => {
  for (const name of MANIFESTS) {
    const text = await deployFile(`kubernetes/${name}.yaml`);
    const wide = /hostPath: \{ path: (\/|\/run|\/var|\/var\/run)[,\s]/;
    assertEquals(wide.exec(text)?.[1], undefined, name);
  }
});

Deno.test("images, Compose and Kubernetes say the same", async () => {
  const { services: { web } } = parse(await deployFile("compose.yaml"));
  const pod = await readPod("entrypoint");
  const [spec] = pod.containers;
  assert(spec !== undefined);
  const words = [
    ...await instruction("nginx.Dockerfile", "ENTRYPOINT"),
    ...await instruction("nginx.Dockerfile", "CMD"),
  ];
  assertEquals(await wordsOf(spec), words);
  // Unhealthy is a mark in Docker, and the end of the container in Kubernetes.
  assertEquals(spec.livenessProbe?.exec, undefined);
  const probe = spec.readinessProbe?.exec.command ?? [];
  const health = probe.filter((word) => !["--expires-in", "1m"].includes(word));
  assertEquals(web.healthcheck.test, ["CMD", ...health]);
  for (const name of DOCKERFILES) {
    assertEquals(await instruction(name, "HEALTHCHECK"), health);
  }
});

const missing = stepCaMissing ?? noNamespaces ??
  (CAN_MOUNT ? undefined : "this process may not mount") ??
  (nginxMissing ? "nginx is not installed" : undefined);
const directory = await Deno.realPath(
  await Deno.makeTempDir({ prefix: "step-rekey-test-" }),
);
// A network of its own, in which ports are free.
const ca = missing === undefined
  ? await startStepCa(await made("ca"), { admin: {} }, {
    under: [
      "unshare",
      "--net",
      "sh",
      "-c",
      'ip link set lo up; exec "$@"',
      "sh",
    ],
  })
  : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

async function made(name: string, user = 0): Promise<string> {
  const path = `${directory}/${name}`;
  await Deno.mkdir(path, { recursive: true });
  await Deno.chown(path, user, user);
  await Deno.chmod(path, 0o755);
  return path;
}

/** What a cluster would bring to a pod, and the namespaces of its containers. */
async function cluster(
  name: string,
  user: number,
): Promise<Cluster & { readonly network: number }> {
  if (ca === undefined) throw new Error(missing);
  await Deno.chmod(directory, 0o755);
  const volumes = {
    tls: await made(`${name}/tls`, user),
    nginx: await made(`${name}/nginx`, user),
    run: await made(`${name}/run`),
    root: await made(`${name}/root`),
    config: await made(`${name}/config`),
  };
  await Deno.copyFile(ca.rootFile, `${volumes.root}/root_ca.crt`);
  await Deno.chmod(`${volumes.root}/root_ca.crt`, 0o644);
  const nginx = await deployFile("nginx.conf");
  await Deno.writeTextFile(`${volumes.config}/nginx.conf`, nginx);
  const { command, args } = program();
  const { stdout } = await runOk("nsenter", [
    ...[`--net=/proc/${ca.pid}/ns/net`, command, ...args, "ca", "token"],
    ...["--ca-url", ca.url, "--root", ca.rootFile],
    ...["--provisioner-password-file", ca.passwordFile, "web.example"],
  ], { env: { DENO_NO_UPDATE_CHECK: "1" } });
  const settings = {
    STEP_CA_URL: ca.url,
    STEP_ROOT: "/run/step/root_ca.crt",
    STEP_LOG_FORMAT: "json",
  };
  return { volumes, settings, token: stdout.trim(), network: ca.pid };
}

function podTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: name + because(missing),
    ignore: missing !== undefined,
    fn,
  });
}

/** Handshakes in that network until nginx shows a certificate. */
async function shows(certificateFile: string, network: number): Promise<void> {
  const wanted = await serialOf(await Deno.readTextFile(certificateFile));
  let seen = "";
  for (let tries = 0; tries < 100; tries++) {
    const { code, stdout } = await run("nsenter", [
      ...[`--net=/proc/${network}/ns/net`, "openssl", "s_client"],
      ...["-connect", "127.0.0.1:8443"],
    ]);
    seen = code === 0 ? await serialOf(stdout) : "";
    if (seen === wanted) return;
  }
  assertEquals(seen, wanted);
}

async function serialOf(pem: string): Promise<string> {
  const args = ["x509", "-noout", "-serial"];
  return (await runOk("openssl", args, { stdin: pem })).stdout;
}

podTest(
  "entrypoint.yaml runs: enrols, serves, rotates, is healthy, ends",
  async () => {
    const pod = await readPod("entrypoint");
    const place = await cluster("entrypoint", 101);
    const { network, volumes: { tls } } = place;
    const pair = {
      certificateFile: `${tls}/host.crt`,
      keyFile: `${tls}/host.key`,
    };
    const spaces: Namespaces = { network, processes: "own" };
    await using running = startContainer(
      await container(pod, "web", place),
      spaces,
    );
    await running.says('"scheduled"');
    await shows(pair.certificateFile, network);
    const before = await pairKeyOf(pair);
    const inside = await insideOf(running);
    Deno.kill(inside, "SIGHUP");
    await running.says('"rekeyed"');
    await running.says('"scheduled"');
    assert(await pairKeyOf(pair) !== before);
    await shows(pair.certificateFile, network);
    const [spec] = pod.containers;
    const probe = spec?.readinessProbe?.exec.command ?? [];
    const health = await run("nsenter", [
      ...[`--target=${inside}`, "--mount", "--pid", "setpriv"],
      ...["--reuid=101", "--regid=101", "--clear-groups", "env", "HOME=/"],
      ...probe,
    ]);
    assertEquals(health.code, 0, health.stdout + health.stderr);
    // The user of the pod is its owner, and nothing else was written.
    assertEquals((await Deno.stat(pair.keyFile)).uid, 101);
    Deno.kill(inside, "SIGQUIT");
    assertEquals(await running.ended, 0, running.text);
    assertMatch(running.text, /"event":"command-ended"/);
  },
);

podTest(
  "sidecar.yaml runs: the sidecar signals nginx in the shared process namespace",
  async () => {
    const pod = await readPod("sidecar");
    const place = await cluster("sidecar", 101);
    const { network, volumes: { tls } } = place;
    const pair = {
      certificateFile: `${tls}/host.crt`,
      keyFile: `${tls}/host.key`,
    };
    await using pause = startProgram([], {
      cwd: "/",
      env: {},
      own: {
        command: "unshare",
        args: [
          ...["--pid", "--fork", "--kill-child"],
          ...["sh", "-c", "echo up; exec sleep 60 >&- 2>&-"],
        ],
      },
    });
    await pause.says("up");
    const spaces = { network, processes: await insideOf(pause) };
    const start = async (name: string) =>
      startContainer(await container(pod, name, place), spaces);
    await using first = await start("first-pair");
    assertEquals(await first.ended, 0, first.text);
    await using web = await start("web");
    await shows(pair.certificateFile, network);
    await using sidecar = await start("step-rekey");
    await sidecar.says('"scheduled"');
    Deno.kill(await insideOf(sidecar), "SIGHUP");
    await sidecar.says('"rekeyed"');
    await sidecar.says('"scheduled"');
    await shows(pair.certificateFile, network);
    await ends(sidecar);
    assert(!/reload-failed|"warning"/.test(sidecar.text), sidecar.text);
    Deno.kill(await insideOf(web), "SIGTERM");
    assertEquals(await web.ended, 0, web.text);
  },
);

podTest("init.yaml runs: a pair for an hour, of the pod's user", async () => {
  const pod = await readPod("init");
  const place = await cluster("init", 65532);
  const { tls = "" } = place.volumes;
  await using running = startContainer(
    await container(pod, "pair", place),
    { network: place.network, processes: "own" },
  );
  assertEquals(await running.ended, 0, running.text);
  const certificateFile = `${tls}/host.crt`;
  await pairKeyOf({ certificateFile, keyFile: `${tls}/host.key` });
  const { code } = await run("openssl", [
    ...["x509", "-noout", "-checkend", "3600", "-in", certificateFile],
  ]);
  assertEquals(code, 1, "it lives for longer than an hour");
  assertEquals((await Deno.stat(certificateFile)).uid, 65532);
});

podTest(
  "daemonset.yaml runs: root with one capability signals another user's service",
  async () => {
    if (ca === undefined) throw new Error(missing);
    const pod = await readPod("daemonset");
    const place = await cluster("daemonset", 0);
    const { run: runFolder = "", tls = "" } = place.volumes;
    const issued = await ca.issue("node", "admin");
    await Deno.copyFile(issued.certificateFile, `${tls}/host.crt`);
    await Deno.copyFile(issued.keyFile, `${tls}/host.key`);
    await using service = startProgram([], {
      cwd: "/",
      env: {},
      own: {
        command: "setpriv",
        args: [
          ...["--reuid=101", "--regid=101", "--clear-groups", "bash", "-c"],
          "trap 'echo got-HUP; exit 0' HUP; echo up; while :; do sleep 5 >&- 2>&- & wait $!; done",
        ],
      },
    });
    await service.says("up");
    await Deno.writeTextFile(`${runFolder}/nginx.pid`, `${service.pid}\n`);
    await using running = startContainer(
      await container(pod, "step-rekey", place),
      { network: place.network, processes: "host" },
    );
    await running.says('"scheduled"');
    Deno.kill(await insideOf(running), "SIGHUP");
    await service.says("got-HUP");
    await ends(running);
  },
);

async function ends(running: RunningProgram): Promise<void> {
  Deno.kill(await insideOf(running), "SIGTERM");
  assertEquals(await running.ended, 0, running.text);
}
