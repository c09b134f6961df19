import type { RekeyOptions } from "../../base/options.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { RENEW_FLAGS } from "../resolve/flags.ts";

export const command = defineCommand({
  path: ["ca", "renew"],
  brief: "renew a certificate",
  programInErrors: "step",
  description: [
    "step-rekey ca renew renews the given certificate (with a request to the certificate authority) and writes the new certificate to disk - either overwriting <crt-file> or using a new file when the --out=<file> flag is used. The key stays as it is: step-rekey ca rekey replaces it, too.",
    "With the --daemon flag the command will periodically update the given certificate. By default, it will renew the certificate before 2/3 of the validity period of the certificate has elapsed. A random jitter is used to avoid multiple services running at the same time. The amount of time between renewal and certificate expiration can be configured using the --expires-in flag, or a fixed period can be set with the --renew-period flag.",
    "The --daemon flag can be combined with --pid, --signal, or --exec to provide certificate reloads on your services.",
    "All else is as in step-rekey ca rekey: locks, repair, layouts, pending reloads, daemon, failures and --offline.",
  ],
  positionals: {
    "crt-file": "The certificate in PEM format that we want to renew.",
    "key-file": "The key file of the certificate.",
  },
  flags: RENEW_FLAGS,
  refusedFlags: {
    "dry-run":
      'ask "step-rekey status <crt-file> <key-file>" how the pair stands, and "step-rekey ca health" whether the CA works',
  },
  exitCodes: exitCodes(
    "renewed; or not due yet; or a daemon that was told to stop",
    ERROR_MEANINGS,
  ),
  examples: [
    [
      "Renew a certificate with the configured CA",
      "ca renew internal.crt internal.key",
    ],
    [
      "Renew a certificate without overwriting the previous certificate",
      "ca renew --out renewed.crt internal.crt internal.key",
    ],
    [
      "Renew a certificate forcing the overwrite of the previous certificate",
      "ca renew --force internal.crt internal.key",
    ],
    [
      "Renew a certificate providing the --ca-url and --root flags",
      "ca renew --ca-url https://ca.smallstep.com:9000 \\\n--root /path/to/root_ca.crt internal.crt internal.key",
    ],
    [
      "Renew a certificate only if it expires within the given time frame",
      "ca renew --expires-in 8h internal.crt internal.key",
    ],
    [
      "Renew the certificate before 2/3 of the validity has passed",
      "ca renew --daemon internal.crt internal.key",
    ],
    [
      "Renew the certificate every 16h",
      "ca renew --daemon --renew-period 16h internal.crt internal.key",
    ],
    [
      "Renew the certificate and reload nginx",
      'ca renew --daemon --exec "nginx -s reload" \\\ninternal.crt internal.key',
    ],
    [
      "Renew a certificate behind a proxy that ends TLS",
      "ca renew --mtls=false internal.crt internal.key",
    ],
    [
      "Renew a certificate using the offline mode, requires the configuration files, certificates, and keys created with step ca init",
      "ca renew --offline internal.crt internal.key",
    ],
  ],
  async resolve(invocation) {
    const { resolveRenew } = await import("../resolve/renew.ts");
    return resolveRenew(invocation);
  },
  async run(options: RekeyOptions, program: Program) {
    const { runPasses } = await import("../process/passes.ts");
    return await runPasses(options, program);
  },
});
