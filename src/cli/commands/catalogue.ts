/**
 * The command tree: a new command is a file beside this one, and a line here.
 *
 * Only names: a command is loaded when it is called.
 */
import type { CommandGroup } from "../grammar/command.ts";

/** Every command, by the words that call it. */
export const COMMANDS: CommandGroup = {
  brief: "rotate a certificate and its private key with a step-ca",
  below: {
    ca: {
      brief: "commands for certificates of an authority",
      below: {
        bootstrap: () => import("./bootstrap.ts"),
        federation: () => import("./federation.ts"),
        health: () => import("./health.ts"),
        root: () => import("./root.ts"),
        roots: () => import("./roots.ts"),
        rekey: () => import("./rekey.ts"),
        rollback: () => import("./rollback.ts"),
        layout: () => import("./layout.ts"),
        status: () => import("./status.ts"),
      },
    },
    // The same as `ca rekey`.
    rekey: () => import("./rekey.ts"),
    // The same as `ca status`.
    status: () => import("./status.ts"),
  },
};
