/**
 * Command lines that the original and this program refuse before the CA is
 * asked, in the order in which the original checks them.
 */
import {
  CLEARER,
  FORCED,
  type InteropCase,
  NEWER,
  PAIR,
  write,
} from "./interop.ts";

/** Flags and arguments, all with exit code 64. */
const USAGE: readonly (readonly [string, InteropCase])[] = [
  ["too few arguments", { args: ["internal.crt"] }],
  ["too many arguments", { args: [...PAIR, "more"] }],
  ["no CA address", { args: PAIR, env: { STEPPATH: "none" } }],
  ["a bad window", { args: ["--expires-in", "1d", ...PAIR] }],
  ["a bad period", { args: ["--rekey-period", "1d", ...PAIR] }],
  ["a period without daemon", { args: ["--rekey-period", "1h", ...PAIR] }],
  ["window and period", {
    args: ["--daemon", "--rekey-period=1h", "--expires-in=1h", ...PAIR],
  }],
  ["two processes to signal", {
    args: ["--pid", "1", "--pid-file", "x", ...PAIR],
  }],
  ["no such process number", { args: ["--pid", "0", ...PAIR] }],
  ["a negative process number", { args: ["--pid=-7", ...PAIR] }],
  ["no such signal", { args: ["--pid", "1", "--signal=-1", ...PAIR] }],
  ["signal 0", { args: ["--pid", "1", "--signal", "0", ...PAIR] }],
  ["an unknown key type", { args: ["--kty", "oct", ...FORCED] }],
  ["an empty key type", { args: ["--kty=", ...FORCED] }],
  ["a size for EC", { args: ["--kty=EC", "--size=256", ...FORCED] }],
  ["a size for OKP", { args: ["--kty=OKP", "--size=256", ...FORCED] }],
  ["a curve for RSA", { args: ["--kty=RSA", "--curve=P-256", ...FORCED] }],
  ["a short RSA key", { args: ["--kty=RSA", "--size=1024", ...FORCED] }],
  ["a wrong curve", { args: ["--kty=EC", "--curve=p-256", ...FORCED] }],
  ["a wrong curve for OKP", {
    args: ["--kty=OKP", "--curve=P-256", ...FORCED],
  }],
  ["a period as long as the life", {
    args: ["--daemon", "--rekey-period", "90h", ...PAIR],
  }],
  ["an empty CA configuration", {
    args: ["--offline", "--ca-config=", ...FORCED],
  }],
  ["a bad integer", { args: ["--size", "abc", ...PAIR] }],
  ["an integer that is too great", {
    args: ["--size", "99999999999999999999", ...PAIR],
  }],
  ["a bad boolean", { args: ["--force=maybe", ...PAIR] }],
  ["an unknown flag", { args: ["--nonsense", ...PAIR] }],
  ["two forms of one flag", { args: ["-f", "--force", ...PAIR] }],
];

/** Settings and files. */
const INPUT: readonly (readonly [string, InteropCase])[] = [
  ["a CA address without TLS", {
    args: ["--ca-url", "http://ca", ...PAIR],
    code: 78,
  }],
  ["a CA address that is none", {
    args: ["--ca-url", "https://[::1", ...PAIR],
    code: 78,
  }],
  ["a CA address without host", {
    args: ["--ca-url", "https://", ...FORCED],
    code: 78,
  }],
  ["no root certificate", {
    args: ["--root", "/nowhere/root.crt", ...FORCED],
    code: 78,
    otherText: {
      why: NEWER,
      ours:
        /^error reading cert pool: open \/nowhere\/root\.crt: no such file or/,
      theirs: /^open \/nowhere\/root\.crt failed: no such file or directory$/,
    },
  }],
  ["a root file without certificate", {
    prepare: write("root", "nothing"),
    args: ["--root", "root", ...FORCED],
    code: 78,
    otherText: {
      why: NEWER,
      ours: /^error reading cert pool: not certificates found$/,
      theirs: /^error loading Root certificates$/,
    },
  }],
  ["a missing certificate", {
    args: ["--force", "none.crt", "internal.key"],
    code: 65,
    otherText: {
      why: CLEARER,
      ours: /^error reading certificate chain: open none\.crt/,
      theirs: /^error reading certificate chain: : no such file or directory$/,
    },
  }],
  ["a file without certificate", {
    prepare: write("none.crt", "nothing"),
    args: ["--force", "none.crt", "internal.key"],
    code: 65,
    otherText: {
      why: CLEARER,
      ours:
        /^error reading certificate chain: none\.crt: malformed certificate$/,
      theirs: /^error reading certificate chain: x509: malformed certificate$/,
    },
  }],
  ["an expired certificate", {
    expired: true,
    args: FORCED,
    code: 65,
    otherText: {
      why: "the original does not ask the CA, which may allow it",
      ours:
        /^cannot rekey an expired certificate: expired on 2024-01-02T00:00:00Z; The request lacked necessary authorization/,
      theirs: /^cannot rekey an expired certificate$/,
    },
  }],
  ["a missing key", {
    args: ["--force", "internal.crt", "none.key"],
    code: 65,
    otherText: {
      why: CLEARER,
      ours: /^error loading private key: open none\.key failed: no such file/,
      theirs: /^error parsing private key: : no such file or directory$/,
    },
  }],
  ["a certificate where the key should be", {
    prepare: (path) =>
      Deno.copyFile(`${path}/internal.crt`, `${path}/other.crt`),
    args: ["--force", "internal.crt", "other.crt"],
    code: 65,
    otherText: {
      why: CLEARER,
      ours:
        /^error loading private key: other\.crt: does not contain a valid private/,
      theirs:
        /^error parsing private key: : contains more than one PEM encoded block$/,
    },
  }],
  ["a missing password file", {
    args: ["--password-file", "none", ...FORCED],
    code: 65,
    otherText: {
      why: CLEARER,
      ours:
        /^error loading private key: open none failed: no such file or directory$/,
      theirs: /^error parsing private key: : no such file or directory$/,
    },
  }],
  ["a given key that is missing", {
    args: ["--private-key", "none", "--out-key", "b", ...FORCED],
    code: 65,
    otherText: {
      why: "a reason begins in the same way for every key",
      ours: /^error loading private key: open none failed: no such file or/,
      theirs: /^open none failed: no such file or directory$/,
    },
  }],
  ["a given key that is none", {
    prepare: write("given", "nothing"),
    args: ["--private-key", "given", "--out-key", "b", ...FORCED],
    code: 65,
    otherText: {
      why: "a reason begins in the same way for every key",
      ours: /^error loading private key: given: not a valid PEM encoded block$/,
      theirs: /^error decoding given: not a valid PEM encoded block$/,
    },
  }],
  ["a directory that is missing", {
    args: ["--out-cert", "none/a", "--out-key", "b", ...PAIR],
    code: 73,
  }],
];

/** Every one by name. */
export const INTEROP_REFUSALS: readonly (readonly [string, InteropCase])[] = [
  ...USAGE.map(([name, test]) => [name, { code: 64, ...test }] as const),
  ...INPUT,
];
