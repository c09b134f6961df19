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
        rekey: () => import("./rekey.ts"),
        rollback: () => import("./rollback.ts"),
        layout: () => import("./layout.ts"),
      },
    },
    certificate: {
      brief: "show, verify and convert certificates",
      below: {
        inspect: () => import("./inspect.ts"),
        format: () => import("./format.ts"),
        key: () => import("./key.ts"),
        p12: () => import("./p12.ts"),
        "needs-renewal": () => import("./needs_renewal.ts"),
        verify: () => import("./verify.ts"),
        fingerprint: () => import("./fingerprint.ts"),
      },
    },
    path: () => import("./path.ts"),
    systemd: {
      brief: "services that keep certificates fresh",
      below: {
        print: async () => ({ command: (await import("./systemd.ts")).print }),
        install: async () => ({
          command: (await import("./systemd.ts")).install,
        }),
      },
    },
    // The same as `ca rekey`.
    rekey: () => import("./rekey.ts"),
  },
};
