import type { RekeyOptions } from "../../base/options.ts";
import { ERROR_MEANINGS, exitCodes } from "../exit_codes.ts";
import { defineCommand } from "../grammar/command.ts";
import type { Program } from "../process/program.ts";
import { REKEY_FLAGS } from "../resolve/flags.ts";

export const command = defineCommand({
  path: ["ca", "rekey"],
  brief: "rekey a certificate",
  programInErrors: "step",
  description: [
    "step-rekey ca rekey rekeys the given certificate (with a request to the certificate authority) and writes the new certificate and private key to disk - either overwriting <crt-file> and <key-file> positional arguments or using new files when the --out-cert=<file> and --out-key=<file> flags are used.",
    "With the --daemon flag the command will periodically update the given certificate. By default, it will rekey the certificate before 2/3 of the validity period of the certificate has elapsed. A random jitter is used to avoid multiple instances running at the same time. The amount of time between rekey and certificate expiration can be configured using the --expires-in flag, or a fixed period can be set with the --rekey-period flag.",
    "The --daemon flag can be combined with --pid, --signal, or --exec to provide certificate reloads on your services.",
    "A daemon rekeys now on SIGHUP and ends on SIGTERM and SIGINT, also as PID 1 of a container, where it collects its own children only: hooks that leave processes behind need an init in front of it. Under systemd it works with Type=notify and WatchdogSec.",
    "Flags that are not given are taken from variables of the environment (STEP_ and the first name of the flag: STEP_CA_URL, STEP_CRV, STEP_F), then from the defaults.json files of the profile and of $(step path).",
    "With the --offline flag the command differs from step on purpose: it reads the files that ca.json names and writes none of them, nor a database, so that the new certificate is not recorded there; of the provisioners only their claims count, and no network, SSH key, SCEP, CRL, federated root, name policy or template file is touched; --root is not needed. The question about overwriting comes before the certificate is made, once for both files. It refuses enableAdmin, a KMS or CAS, a database of type mysql or postgresql and a certificate that step-ca could not read, each by name, and it says the reason of every refusal. An expired certificate is rekeyed where its provisioner has the claim allowRenewalAfterExpiry, and refused otherwise, while step refuses it always. The key of the certificate authority may have other PEM blocks in front; encrypted OpenSSH and Cosign keys are not supported. It warns, and goes on, when the current certificate is not of this authority, when the new one outlives its issuer or has expired already, and when the issuer has expired, is no CA or does not lead to a root of ca.json. With --daemon it makes a new key for every certificate.",
  ],
  positionals: {
    "crt-file": "The certificate in PEM format that we want to rekey.",
    "key-file": "The key file of the certificate.",
  },
  flags: REKEY_FLAGS,
  exitCodes: exitCodes(
    "rekeyed; or not due yet; or a daemon that was told to stop",
    ERROR_MEANINGS,
  ),
  examples: [
    ["Rekey a certificate", "ca rekey internal.crt internal.key"],
    [
      "Rekey a certificate without overwriting the existing certificate and key",
      "ca rekey --out-cert out.crt --out-key out.key \\\ninternal.crt internal.key",
    ],
    [
      "Rekey a certificate forcing the overwrite of the previous certificate and key (overwrites the existing files without prompting)",
      "ca rekey --force internal.crt internal.key",
    ],
    [
      "Rekey a certificate providing the --ca-url and --root flags",
      "ca rekey --ca-url https://ca.smallstep.com:9000 \\\n--root /path/to/root_ca.crt internal.crt internal.key",
    ],
    [
      "Rekey a certificate only if it expires within the given time frame",
      "ca rekey --expires-in 8h internal.crt internal.key",
    ],
    [
      "Rekey the certificate before 2/3 of the validity has passed",
      "ca rekey --daemon internal.crt internal.key",
    ],
    [
      "Rekey the certificate before 8 hours and 30m of the expiration time",
      "ca rekey --daemon --expires-in 8h30m internal.crt internal.key",
    ],
    [
      "Rekey the certificate every 16h",
      "ca rekey --daemon --rekey-period 16h internal.crt internal.key",
    ],
    [
      "Rekey the certificate and reload nginx",
      'ca rekey --daemon --exec "nginx -s reload" \\\ninternal.crt internal.key',
    ],
    [
      "Rekey the certificate and convert it to DER",
      'ca rekey --daemon --rekey-period 16h \\\n--exec "step certificate format --force --out internal.der internal.crt" \\\ninternal.crt internal.key',
    ],
    [
      "Rekey a certificate using the offline mode, requires the configuration files, certificates, and keys created with step ca init",
      "ca rekey --offline internal.crt internal.key",
    ],
    [
      "Rekey the certificate and write it to specified files",
      "ca rekey internal.crt internal.key \\\n--out-crt foo.crt --out-key foo.key",
    ],
    [
      "Rekey the certificate using a given private key",
      "ca rekey internal.crt internal.key --private-key foo.key",
    ],
  ],
  async resolve(invocation) {
    const { resolveRekey }: typeof import("../resolve/rekey.ts") = await import(
      "../resolve/rekey.ts" as string
    );
    return resolveRekey(invocation);
  },
  async run(options: RekeyOptions, program: Program) {
    const { runPasses }: typeof import("../process/passes.ts") = await import(
      "../process/passes.ts" as string
    );
    return await runPasses(options, program);
  },
});
