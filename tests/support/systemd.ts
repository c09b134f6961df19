/**
 * A real systemd, PID 1 of namespaces of its own, with one service.
 */
import { run, type RunResult } from "./run.ts";

const SYSTEMD = "/lib/systemd/systemd";

/** A running system. Disposing it ends every process in it. */
export interface System extends AsyncDisposable {
  /** Runs systemctl in it. */
  systemctl(...args: readonly string[]): Promise<RunResult>;
  /** One property of the service. */
  show(property: string): Promise<string>;
}

/** Why there is none here; undefined when there is. */
export async function systemdMissing(): Promise<string | undefined> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return "not root on Linux";
  const found = await Deno.stat(SYSTEMD).then(() => true, () => false);
  if (!found) return "systemd is not installed";
  const { code, stderr } = await run("unshare", ["-fpmC", "true"])
    .catch((error) => ({ code: 1, stderr: String(error) }));
  return code === 0 ? undefined : stderr.trim();
}

/** Boots one in `directory`; `service` is the [Service] section. */
export async function bootSystem(
  directory: string,
  service: string,
): Promise<System> {
  await Deno.writeTextFile(`${directory}/probe.service`, service);
  await Deno.writeTextFile(
    `${directory}/probe.target`,
    "[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\nWants=probe.service\n",
  );
  const boot = [
    "mount --make-rprivate /",
    // Among the services of this system, as credentials need it.
    "mount --make-rshared /",
    "mount -t tmpfs tmpfs /run",
    "mkdir -p /run/systemd/system",
    `cp ${directory}/probe.service ${directory}/probe.target /run/systemd/system/`,
    `exec env container=lxc ${SYSTEMD} --system --unit=probe.target`,
  ].join(" && ");
  const child = new Deno.Command("unshare", {
    args: ["-fpmC", "--kill-child", "--mount-proc", "sh", "-c", boot],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const systemctl = async (...args: readonly string[]) => {
    const children = await Deno.readTextFile(
      `/proc/${child.pid}/task/${child.pid}/children`,
    );
    return await run("nsenter", [
      ...["-t", children.trim(), "-p", "-m", "systemctl", ...args],
    ]);
  };
  return {
    systemctl,
    async show(property) {
      const { stdout } = await systemctl(
        ...["show", "probe.service", "--value", "-p", property],
      );
      return stdout.trim();
    },
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}
