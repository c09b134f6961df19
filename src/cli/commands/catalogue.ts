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
        bootstrap: () => import("./ca_bootstrap.ts"),
        federation: () => import("./ca_federation.ts"),
        health: () => import("./ca_health.ts"),
        root: () => import("./ca_root.ts"),
        roots: () => import("./ca_roots.ts"),
        rekey: () => import("./rekey.ts"),
        renew: () => import("./renew.ts"),
        rollback: () => import("./rollback.ts"),
        layout: () => import("./layout.ts"),
      },
    },
    // The same as `ca rekey`.
    rekey: () => import("./rekey.ts"),
  },
};
