/**
 * The command tree: a new command is a file beside this one, and a line here.
 *
 * Only names: a command is loaded when it is called. A start from source reads
 * whatever a plain literal names: that is the definition of the rekey, and `as
 * string` keeps all else out of it (bundles find it all the same).
 */
import type { CommandGroup } from "../grammar/command.ts";

/** Every command, by the words that call it. */
export const COMMANDS: CommandGroup = {
  brief: "rotate a certificate and its private key with a step-ca",
  below: {
    ca: {
      brief: "commands for certificates of an authority",
      below: {
        bootstrap: () => import("./bootstrap.ts" as string),
        federation: async () => ({
          command: (await import("./roots.ts" as string)).federation,
        }),
        health: () => import("./health.ts" as string),
        root: () => import("./root.ts" as string),
        roots: async () => ({
          command: (await import("./roots.ts" as string)).roots,
        }),
        rekey: () => import("./rekey.ts"),
        renew: () => import("./renew.ts" as string),
        certificate: () => import("./ca_certificate.ts" as string),
        token: () => import("./ca_token.ts" as string),
        revoke: () => import("./ca_revoke.ts" as string),
        rollback: () => import("./rollback.ts" as string),
        layout: () => import("./layout.ts" as string),
        status: () => import("./status.ts" as string),
      },
    },
    certificate: {
      brief: "show, verify and convert certificates",
      below: {
        inspect: () => import("./inspect.ts" as string),
        format: () => import("./format.ts" as string),
        key: () => import("./key.ts" as string),
        p12: () => import("./p12.ts" as string),
        "needs-renewal": () => import("./needs_renewal.ts" as string),
        verify: () => import("./verify.ts" as string),
        fingerprint: () => import("./fingerprint.ts" as string),
      },
    },
    path: () => import("./path.ts" as string),
    run: () => import("./run.ts" as string),
    systemd: {
      brief: "services that keep certificates fresh",
      below: {
        print: async () => ({
          command: (await import("./systemd.ts" as string)).print,
        }),
        install: async () => ({
          command: (await import("./systemd.ts" as string)).install,
        }),
      },
    },
    // The same as `ca rekey`.
    rekey: () => import("./rekey.ts"),
    // The same as `ca status`.
    status: () => import("./status.ts" as string),
  },
};
