/**
 * Containers of deploy/ without an engine: the same words, user, capabilities,
 * volumes and read-only root file system, in namespaces of Linux.
 *
 * All mount points are below /run, which is a file system of the container's.
 * Programs and libraries are those of this machine.
 */
import { parseAllDocuments } from "yaml";
import { ROOT } from "../../scripts/paths.ts";
import { program } from "./program.ts";
import { type RunningProgram, startProgram } from "./running_program.ts";

/** One container, as far as this can make it. */
export interface Container {
  readonly name: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  readonly user: number;
  readonly capabilities: readonly string[];
}

export interface Mount {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** What a cluster would bring. */
export interface Cluster {
  /** Folders of the volumes by their names. */
  readonly volumes: Readonly<Record<string, string>>;
  /** Of the config map that all containers share. */
  readonly settings: Readonly<Record<string, string>>;
  readonly token: string;
}

interface PodSpec {
  readonly securityContext?: { readonly runAsUser?: number };
  readonly initContainers?: readonly ContainerSpec[];
  readonly containers: readonly ContainerSpec[];
}

interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string }[];
  readonly livenessProbe?: { readonly exec?: unknown };
  readonly readinessProbe?: {
    readonly exec: { readonly command: readonly string[] };
  };
  readonly securityContext: {
    readonly runAsUser?: number;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly add?: readonly string[] };
  };
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
}

/** A file of deploy/. */
export function deployFile(name: string): Promise<string> {
  return Deno.readTextFile(`${ROOT}deploy/${name}`);
}

/** The one pod of a manifest. */
export async function readPod(manifest: string): Promise<PodSpec> {
  const text = await deployFile(`kubernetes/${manifest}.yaml`);
  const [document] = parseAllDocuments(text);
  return document?.toJS().spec.template.spec;
}

/** The words of an instruction of a Dockerfile in its exec form. */
export async function instruction(
  dockerfile: string,
  name: "ENTRYPOINT" | "CMD" | "HEALTHCHECK",
): Promise<readonly string[]> {
  const text = (await deployFile(dockerfile)).replaceAll("\\\n", " ");
  const line = text.split("\n").find((line) => line.startsWith(`${name} `));
  return JSON.parse(/\[.*\]/.exec(line ?? "")?.[0] ?? "[]");
}

/** What a container of a pod runs. */
export async function wordsOf(
  { command, args = [], image }: ContainerSpec,
): Promise<readonly string[]> {
  return [
    ...command ??
      (image === "step-rekey"
        ? await instruction("Dockerfile", "ENTRYPOINT")
        : []),
    ...args,
  ];
}

/** A container of a pod, by its name. */
export async function container(
  pod: PodSpec,
  name: string,
  { volumes, settings, token }: Cluster,
): Promise<Container> {
  const spec = [...pod.initContainers ?? [], ...pod.containers]
    .find((each) => each.name === name);
  if (spec === undefined) throw new Error(`no container ${name}`);
  const { securityContext, volumeMounts, env = [] } = spec;
  if (!securityContext.readOnlyRootFilesystem) throw new Error("writable");
  const hasToken = env.some((variable) => variable.name === "STEP_TOKEN");
  return {
    name,
    words: await wordsOf(spec),
    // What every engine sets.
    env: { HOME: "/", ...settings, ...hasToken && { STEP_TOKEN: token } },
    mounts: volumeMounts.map(({ name, mountPath, readOnly = false }) => ({
      source: volumes[name] ?? "",
      target: mountPath,
      readOnly,
    })),
    user: securityContext.runAsUser ?? pod.securityContext?.runAsUser ?? 0,
    capabilities: securityContext.capabilities.add ?? [],
  };
}

/** Namespaces that a container joins or gets. */
export interface Namespaces {
  /** A process whose network it has. */
  readonly network: number;
  /** `own`: it is PID 1; a number: a process whose processes it sees. */
  readonly processes: "own" | "host" | number;
}

/** Starts a container. */
export function startContainer(
  { words, env, mounts, user, capabilities }: Container,
  { network, processes }: Namespaces,
): RunningProgram {
  const isJoined = typeof processes === "number";
  const enter = ["nsenter", `--net=/proc/${network}/ns/net`];
  if (isJoined) enter.push(`--pid=/proc/${processes}/ns/pid`);
  const unshare = ["unshare", "--mount", "--kill-child"];
  if (processes === "own") unshare.push("--pid", "--fork");
  const added = capabilities.map((name) => `,+${name.toLowerCase()}`).join("");
  const become = [
    ...["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"],
    ...[
      "--no-new-privs",
      "--pdeathsig=KILL",
      "--inh-caps=-all",
      `--bounding-set=-all${added}`,
    ],
    ...["env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...words,
  ];
  const script = rootScript(mounts, processes !== "host");
  const [command = "", ...args] = [
    ...[...enter, ...unshare, "sh", "-c", script, "sh"],
    ...become,
  ];
  return startProgram([], { cwd: "/", env: {}, own: { command, args } });
}

/** The process of a container behind those that enter namespaces. */
export async function insideOf(
  { pid: outside }: RunningProgram,
): Promise<number> {
  let pid = outside;
  while (/^(nsenter|unshare)\n$/.test(await comm(pid))) {
    const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
    pid = Number(text.trim().split(" ")[0]);
  }
  return pid;
}

function comm(pid: number): Promise<string> {
  return Deno.readTextFile(`/proc/${pid}/comm`);
}

/** Makes the file systems of a container, then becomes its other words. */
function rootScript(mounts: readonly Mount[], ownProcesses: boolean): string {
  const { command, args } = program();
  const main = args.at(-1);
  const lines = mounts.flatMap(({ source, target }) => [
    `mkdir -p ${target}`,
    `mount --bind '${source}' ${target}`,
  ]);
  const writable = mounts.filter(({ readOnly }) => !readOnly)
    .map(({ target }) => target);
  return `set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 none /run
mkdir /run/.bin /run/.source
touch /run/.program
mount --bind '${command}' /run/.program
${main === undefined ? "" : `mount --bind '${sourceOf(main)}' /run/.source`}
cat > /run/.bin/step-rekey <<'END'
#!/bin/sh
DENO_NO_UPDATE_CHECK=1 DENO_DIR=/run/.deno exec /run/.program ${
    args.slice(0, -1).join(" ")
  } ${main === undefined ? "" : `/run/.source/${nameOf(main)}`} "$@"
END
chmod 755 /run/.bin /run/.bin/step-rekey
mount -t overlay -o lowerdir=/run/.bin:/usr/local/bin none /usr/local/bin
${lines.join("\n")}
${ownProcesses ? "mount -t proc proc /proc" : ""}
for at in $(findmnt -rno TARGET); do
  case $at in
    /proc|/proc/*|/dev|/dev/*|/sys|/sys/*) ;;
    ${[...writable, "/none"].join("|")}) ;;
    *) mount -o remount,bind,ro "$at" 2>/dev/null || true ;;
  esac
done
exec "$@"`;
}

function sourceOf(main: string): string {
  return main.slice(0, main.lastIndexOf("/"));
}

function nameOf(main: string): string {
  return main.slice(main.lastIndexOf("/") + 1);
}
