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
        renew: () => import("./renew.ts"),
        certificate: () => import("./ca_certificate.ts"),
        token: () => import("./ca_token.ts"),
        revoke: () => import("./ca_revoke.ts"),
        rollback: () => import("./rollback.ts"),
        layout: () => import("./layout.ts"),
        status: () => import("./status.ts"),
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
    // The same as `ca status`.
    status: () => import("./status.ts"),
  },
};
