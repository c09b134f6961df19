/** Whether strace(1) works here. Tests that need it are ignored elsewhere. */
import { run } from "./run.ts";

/** False also where the kernel lets nobody trace. */
export const CAN_TRACE: boolean = Deno.build.os === "linux" &&
  await run("strace", ["-qq", "-o", "/dev/null", "true"])
    .then(({ code }) => code === 0, () => false);
