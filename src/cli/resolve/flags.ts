/**
 * The flags of `ca rekey` and `ca renew`, in the order of the help; other
 * commands take theirs from here.
 *
 * Names and words are those of the manual of `step`; what is added to it says so
 * in its own words. Data only, since `--help` loads it.
 */
import type { FlagDefinition, FlagDefinitions } from "../grammar/command.ts";

const DURATION_HELP =
  `The <duration> is a sequence of decimal numbers, each with optional fraction and a unit suffix, such as "300ms", "1.5h" or "2h45m". Valid time units are "ns", "us" (or "µs"), "ms", "s", "m", "h".`;

/** Of every command that answers; what its object holds stands in the reference. */
export const JSON_FLAG = {
  kind: "boolean",
  group: "program",
  help: "Print one JSON object on standard output, instead of text.",
} as const satisfies FlagDefinition;

/** Every flag of `ca rekey`. */
export const REKEY_FLAGS = {
  "out-cert": {
    kind: "text",
    names: ["out-cert", "out-crt"],
    group: "files",
    placeholder: "file",
    help:
      "The <file> where the new certificate will be saved to. Defaults to overwriting the <crt-file> positional argument.",
  },
  "out-key": {
    kind: "text",
    group: "files",
    placeholder: "file",
    help:
      "The <file> to store the new private key. Defaults to overwriting the <key-file> positional argument.",
  },
  "private-key": {
    kind: "text",
    group: "key",
    placeholder: "file",
    help:
      "The <file> containing the private key for rekey-ing the certificate. By default, a new random key pair will be generated. The key is written to another file only with --out-key.",
  },
  "expires-in": {
    kind: "text",
    group: "schedule",
    placeholder: "duration",
    help:
      `The amount of time remaining before certificate expiration, at which point a rekey should be attempted. The certificate rekey will not be performed if the time to expiration is greater than the --expires-in value. A random jitter (duration/20) will be added to avoid multiple services hitting the rekey endpoint at the same time. The <duration> is a sequence of decimal numbers, each with optional fraction and a unit suffix, such as "300ms", "-1.5h" or "2h45m". Valid time units are "ns", "us" (or "µs"), "ms", "s", "m", "h".`,
  },
  "pid": {
    kind: "integer",
    group: "reload",
    placeholder: "value",
    help:
      "The process id to signal after the certificate has been rekeyed. By default the SIGHUP (1) signal will be used, but this can be configured with the --signal flag.",
    badValueHint: "name the process by its number",
  },
  "pid-file": {
    kind: "text",
    group: "reload",
    placeholder: "file",
    help:
      "The <file> from which to read the process id that will be signaled after the certificate has been rekeyed. It is read at that moment. By default the SIGHUP (1) signal will be used, but this can be configured with the --signal flag.",
  },
  "signal": {
    kind: "integer",
    group: "reload",
    placeholder: "number",
    help:
      "The signal <number> to send to the selected PID, so it can reload the configuration and load the new certificate. Default value is SIGHUP (1).",
    badValueHint: "name the signal by its number, 1 to 31; SIGHUP is 1",
  },
  "exec": {
    kind: "text",
    group: "reload",
    placeholder: "command",
    help:
      `The <command> to run after the certificate has been rekeyed. Quotes and backslashes group words as in a shell; operators, redirections and variables, which need one, are refused: use "sh -c '…'". It finds STEP_REKEY_CERT, STEP_REKEY_KEY, STEP_REKEY_SERIAL, STEP_REKEY_PREVIOUS_SERIAL, STEP_REKEY_NOT_AFTER and STEP_REKEY_ATTEMPT in its environment.`,
  },
  "exec-timeout": {
    kind: "text",
    group: "reload",
    placeholder: "duration",
    help:
      "The longest <duration> that the commands of --exec and --exec-on-failure may take. Then they are ended with all that they started. 0 means no limit. Defaults to 5m.",
  },
  "exec-on-failure": {
    kind: "text",
    group: "reload",
    placeholder: "command",
    help:
      "The <command> that tells somebody of failures: of a single run that failed, of a daemon that ends or gives up a reload, and of tries that fail when less than a sixth of the certificate's life is left, then at most once an hour. It finds STEP_REKEY_ERROR, STEP_REKEY_ERROR_CLASS, STEP_REKEY_ERROR_KIND, STEP_REKEY_NOT_AFTER, STEP_REKEY_ATTEMPT and STEP_REKEY_CERT in its environment, and never changes the exit code.",
  },
  "reload-attempts": {
    kind: "integer",
    group: "reload",
    placeholder: "number",
    help:
      "The <number> of times that the daemon tries to signal the process and to run the command of --exec for one certificate, with growing pauses. 0 means no limit. Defaults to 20, which takes about an hour. Requires the --daemon flag.",
    badValueHint: "name a number of tries, or 0 for no limit",
  },
  "daemon": {
    kind: "boolean",
    group: "schedule",
    help:
      "Run the rekey command as a daemon, rekeying and overwriting the certificate periodically. By default the daemon will rekey a certificate before 2/3 of the time to expiration has elapsed. The period can be configured using the --rekey-period or --expires-in flags.",
  },
  "rekey-period": {
    kind: "text",
    group: "schedule",
    placeholder: "duration",
    help:
      `The period with which to schedule rekeying of the certificate in daemon mode. Requires the --daemon flag. At least a minute, or a twentieth of the certificate's life if that is less; shorter ones are raised to it. ${DURATION_HELP}`,
  },
  "kty": {
    kind: "text",
    group: "key",
    placeholder: "kty",
    help:
      "The <kty> to build the certificate upon. If unset, default is EC, or what --curve or --size ask for.",
    choices: {
      EC: "Create an elliptic curve keypair",
      OKP: 'Create an octet key pair (for "Ed25519" curve)',
      RSA: "Create an RSA keypair",
    },
  },
  "curve": {
    kind: "text",
    names: ["crv", "curve"],
    group: "key",
    placeholder: "curve",
    help:
      `The elliptic <curve> to use for EC and OKP key types. Corresponds to the "crv" JWK parameter. Valid curves are defined in JWA [RFC7518]. If unset, default is P-256 for EC keys and Ed25519 for OKP keys.`,
    choices: {
      "P-256": "NIST P-256 Curve",
      "P-384": "NIST P-384 Curve",
      "P-521": "NIST P-521 Curve",
      Ed25519: "Ed25519 Curve",
    },
  },
  "size": {
    kind: "integer",
    group: "key",
    placeholder: "size",
    help:
      "The <size> (in bits) of the key for RSA key types. RSA keys require a minimum key size of 2048 bits, at most 16384. If unset, default is 2048 bits for RSA keys.",
    badValueHint: "name the size in bits, for example 3072",
  },
  "force": {
    kind: "boolean",
    names: ["f", "force"],
    group: "files",
    help: "Force the overwrite of files without asking.",
  },
  "layout": {
    kind: "text",
    group: "files",
    placeholder: "layout",
    help: "How the pair stands on disk. By default it stays as it is.",
    choices: {
      plain:
        "Two files, each replaced by a rename. Between the two renames, for some microseconds, a reader can see the new key and the old certificate.",
      versioned:
        'Numbered pairs in a hidden directory beside <crt-file>; <crt-file> and <key-file> are links to the current one, which changes in one rename. The last 5 pairs are kept, keys included, and "ca rollback" returns to the one before.',
    },
  },
  "in-place": {
    kind: "boolean",
    group: "files",
    help:
      "Overwrite the files where they are, for files that cannot be replaced, such as a single file that is mounted into a container; it keeps ACLs and labels, too. A weaker promise: while it happens a reader can see a part of each content, and an interrupted run is only repaired by the next one, as long as the hidden files beside the pair are still there.",
  },
  "state-dir": {
    kind: "text",
    group: "files",
    placeholder: "directory",
    help:
      "The <directory> for safety copies and locks of files whose own directory cannot be written: such files are overwritten where they are. Defaults to step-rekey in $STATE_DIRECTORY, $STEPPATH, $XDG_STATE_HOME or ~/.local/state, the first of them that can be had; it is private to the user who runs the command.",
  },
  "key-mode": {
    kind: "text",
    group: "files",
    placeholder: "mode",
    help:
      "The <mode> of the new private key in octal, such as 0640. Defaults to that of the file that it replaces, or 0600.",
  },
  "cert-mode": {
    kind: "text",
    group: "files",
    placeholder: "mode",
    help:
      "The <mode> of the new certificate in octal, such as 0644. Defaults to that of the file that it replaces, or 0600.",
  },
  "owner": {
    kind: "text",
    group: "files",
    placeholder: "user",
    help:
      "The <user> who shall own both new files: a name or a number. Defaults to the owner of the files that they replace.",
  },
  "group": {
    kind: "text",
    group: "files",
    placeholder: "group",
    help:
      "The <group> of both new files: a name or a number. Defaults to the group of the files that they replace.",
  },
  "lock-timeout": {
    kind: "text",
    group: "files",
    placeholder: "duration",
    help:
      "The longest <duration> to wait while another process works on the same pair. By default that is an error at once, with exit code 75.",
  },
  "offline": {
    kind: "boolean",
    group: "authority",
    help:
      "Creates a certificate without contacting the certificate authority. Offline mode uses the configuration, certificates, and keys created with step ca init, but can accept a different configuration file using --ca-config flag.",
  },
  "password-file": {
    kind: "text",
    group: "key",
    placeholder: "file",
    help:
      "The path to the <file> containing the password to encrypt or decrypt the private key.",
  },
  "private-key-password-file": {
    kind: "text",
    group: "key",
    placeholder: "file",
    help:
      "The path to the <file> containing the password of the --private-key file. Defaults to --password-file.",
  },
  "ca-password-file": {
    kind: "text",
    group: "authority",
    placeholder: "file",
    help:
      "The path to the <file> containing the password of the certificate authority's own key, with --offline. Defaults to --password-file.",
  },
  "root": {
    kind: "text",
    group: "authority",
    placeholder: "file",
    help:
      "The path to the PEM <file> used as the root certificate authority. Defaults to $(step path)/certs/root_ca.crt. A directory or a comma-separated list of files is accepted too.",
  },
  "ca-url": {
    kind: "text",
    group: "authority",
    placeholder: "URI",
    help: "<URI> of the targeted Step Certificate Authority.",
  },
  "renew-fallback": {
    kind: "boolean",
    group: "authority",
    help:
      "Where no rekey is possible, renew the certificate for the current key by token, and say so: behind a proxy that ends TLS, which cannot hand the client certificate on, and, with a certificate that is not for clients, at a certificate authority that takes it in a token. Not with --private-key.",
  },
  "connect-timeout": {
    kind: "text",
    group: "authority",
    placeholder: "duration",
    help:
      "The longest <duration> to wait for a connection to the certificate authority. Defaults to 30s.",
  },
  "timeout": {
    kind: "text",
    group: "authority",
    placeholder: "duration",
    help:
      "The longest <duration> of the whole request, connection and answer included. Defaults to 30s.",
  },
  "ca-config": {
    kind: "text",
    group: "authority",
    placeholder: "file",
    help:
      "The certificate authority configuration <file>. Defaults to $(step path)/config/ca.json.",
  },
  "log-format": {
    kind: "text",
    group: "program",
    placeholder: "format",
    help: "The <format> of log lines and errors. If unset, default is text.",
    choices: {
      text: "Lines for people",
      json:
        "One JSON object a line, with the keys time, level, event, file, serial, notAfter, nextAttempt, class, attempt and message, null where they do not apply",
    },
  },
  "ignore-database": {
    kind: "boolean",
    group: "authority",
    help:
      "Do not read the certificate authority's database. Requires the --offline flag. DANGEROUS: a certificate that was revoked is rekeyed all the same, and the new one is not revoked. Only for a database that cannot be read, and only for a certificate that is known to be good.",
  },
  "context": {
    kind: "text",
    group: "program",
    placeholder: "name",
    help:
      "The <name> of the context whose authority and defaults are used, instead of the current one.",
  },
  "dry-run": {
    kind: "boolean",
    group: "program",
    help:
      "Do everything up to the request for a certificate, change nothing, and say what would happen and when: files, passwords, whether they may be written, and, online, a connection with the current certificate.",
  },
  "json": {
    ...JSON_FLAG,
    help:
      "Print one JSON object on standard output, instead of text. Requires the --dry-run flag.",
  },
} as const satisfies FlagDefinitions;

/** Every flag of `ca renew`. */
export const RENEW_FLAGS = {
  "out": {
    kind: "text",
    names: ["out", "output-file"],
    group: "files",
    placeholder: "file",
    help:
      "The new certificate <file> path. Defaults to overwriting the <crt-file> positional argument.",
  },
  "expires-in": {
    ...REKEY_FLAGS["expires-in"],
    help:
      `The amount of time remaining before certificate expiration, at which point a renewal should be attempted. The certificate renewal will not be performed if the time to expiration is greater than the --expires-in value. A random jitter (duration/20) will be added to avoid multiple services hitting the renew endpoint at the same time. ${DURATION_HELP}`,
  },
  "pid": REKEY_FLAGS.pid,
  "pid-file": REKEY_FLAGS["pid-file"],
  "signal": REKEY_FLAGS.signal,
  "exec": REKEY_FLAGS.exec,
  "exec-timeout": REKEY_FLAGS["exec-timeout"],
  "exec-on-failure": REKEY_FLAGS["exec-on-failure"],
  "reload-attempts": REKEY_FLAGS["reload-attempts"],
  "daemon": {
    ...REKEY_FLAGS.daemon,
    help:
      "Run the renew command as a daemon, renewing and overwriting the certificate periodically. By default the daemon will renew a certificate before 2/3 of the time to expiration has elapsed. The period can be configured using the --renew-period or --expires-in flags.",
  },
  "renew-period": {
    ...REKEY_FLAGS["rekey-period"],
    help:
      `The period with which to schedule renewals of the certificate in daemon mode. Requires the --daemon flag. At least a minute, or a twentieth of the certificate's life if that is less; shorter ones are raised to it. ${DURATION_HELP}`,
  },
  "force": REKEY_FLAGS.force,
  "in-place": REKEY_FLAGS["in-place"],
  "state-dir": REKEY_FLAGS["state-dir"],
  "cert-mode": REKEY_FLAGS["cert-mode"],
  "owner": REKEY_FLAGS.owner,
  "group": REKEY_FLAGS.group,
  "lock-timeout": REKEY_FLAGS["lock-timeout"],
  "mtls": {
    kind: "boolean",
    group: "authority",
    help:
      "Use mutual TLS to renew the certificate, which is the default. --mtls=false authenticates by a token instead, which goes through a proxy that ends TLS. An expired certificate is renewed by token in any case.",
  },
  "offline": REKEY_FLAGS.offline,
  "password-file": {
    ...REKEY_FLAGS["password-file"],
    help:
      "The path to the <file> containing the password to decrypt the private key, which stays as it is.",
  },
  "ca-password-file": REKEY_FLAGS["ca-password-file"],
  "root": REKEY_FLAGS.root,
  "ca-url": REKEY_FLAGS["ca-url"],
  "connect-timeout": REKEY_FLAGS["connect-timeout"],
  "timeout": REKEY_FLAGS.timeout,
  "ca-config": REKEY_FLAGS["ca-config"],
  "log-format": REKEY_FLAGS["log-format"],
  "ignore-database": REKEY_FLAGS["ignore-database"],
  "context": REKEY_FLAGS.context,
} as const satisfies FlagDefinitions;

/** What both commands have, by whose rules either is resolved. */
export const PAIR_FLAGS = {
  ...RENEW_FLAGS,
  ...REKEY_FLAGS,
} as const satisfies FlagDefinitions;
