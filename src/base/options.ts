/**
 * RekeyOptions: the contract between the command line and everything else.
 *
 * Data only: printable, comparable, no functions. `cli/resolve` makes it,
 * `engine` and `daemon` read it; the folders below them take plain arguments
 * instead. A combination that cannot work has no place in these types.
 * Durations are milliseconds and end in `Ms`.
 */

/** The two files of a pair, as the user named them. */
export interface KeyPairFiles {
  /** PEM chain, leaf first. */
  readonly certificate: string;
  /** PEM private key. */
  readonly key: string;
}

/** Curves of RFC 7518 §6.2.1.1 that `--curve` accepts for EC keys. */
export type EcCurve = "P-256" | "P-384" | "P-521";

/** Largest RSA modulus, in bits: above it, one signature costs seconds and a new key many minutes. */
export const MAX_RSA_BITS = 16384;

/** Which key to generate. */
export type KeySpec =
  | { readonly kty: "EC"; readonly curve: EcCurve }
  | { readonly kty: "OKP"; readonly curve: "Ed25519" }
  | { readonly kty: "RSA"; readonly bits: number };

/** Where the new key comes from. */
export type NewKey =
  | { readonly from: "generate"; readonly spec: KeySpec }
  | {
    readonly from: "file";
    /** `--private-key`. */
    readonly path: string;
    /** True when `--out-key` asks for a copy of it. */
    readonly writeCopy: boolean;
  }
  /** There is none: the certificate is renewed. */
  | { readonly from: "current"; readonly by: RenewBy };

/**
 * How a renewal proves whose it is: by mutual TLS as long as the certificate is
 * valid, or by a token that its key has signed.
 */
export type RenewBy = "certificate" | "token";

/** Who signs. */
export type AuthorityOptions =
  | {
    readonly mode: "online";
    /** `https://host[:port]`, without path. */
    readonly url: string;
    /** File, directory or comma-separated list of files with root certificates. */
    readonly root: string;
    /** Limit for the TCP connection. */
    readonly connectTimeoutMs: number;
    /** Limit for the whole request: connection, TLS, answer. */
    readonly timeoutMs: number;
  }
  | {
    readonly mode: "offline";
    /** Path of ca.json, or `-` for standard input. */
    readonly config: string;
    /** `--ignore-database`: revocation is not checked. */
    readonly ignoreDatabase?: boolean | undefined;
  };

/** Files that hold passwords; read again each time one is needed. */
export interface PasswordFiles {
  /** For `<key-file>`: decrypts the current key, encrypts the new one. */
  readonly key?: string | undefined;
  /** For the file of `--private-key`. */
  readonly privateKey?: string | undefined;
  /** For the CA's own key in offline mode. */
  readonly ca?: string | undefined;
}

/** What happens after the pair is installed: signal first, then exec. */
export interface ReloadOptions {
  readonly signal?:
    | {
      readonly target:
        | { readonly pid: number }
        /** Read at the moment of the signal, not before. */
        | { readonly pidFile: string };
      /** 1..31; 1 is SIGHUP. */
      readonly number: number;
    }
    | undefined;
  /** Program and arguments; no shell. */
  readonly exec?: readonly string[] | undefined;
  /** `--exec-timeout`: limit for a program, in ms; 0 for none. Absent: five minutes. */
  readonly execTimeoutMs?: number | undefined;
  /** `--reload-attempts`: tries of the daemon for one certificate; 0 for no limit. Absent: 20. */
  readonly attempts?: number | undefined;
  /** `--exec-on-failure`: program and arguments that tell somebody. */
  readonly onFailure?: readonly string[] | undefined;
}

/** One of the two ways to tell a service. Each is pending, and tried again, by itself. */
export type ReloadPart = "signal" | "exec";

/**
 * What messages call a setting. Only `cli/` knows how a flag is spelled, so it
 * passes the spelling down: `--exec`.
 */
export interface SettingNames {
  readonly exec: string;
  readonly execOnFailure: string;
  readonly pid: string;
  readonly pidFile: string;
  readonly expiresIn: string;
  readonly period: string;
}

/** When the daemon rekeys. */
export type Schedule =
  | { readonly rule: "two-thirds" }
  | { readonly rule: "before-expiry"; readonly beforeMs: number }
  | { readonly rule: "period"; readonly periodMs: number };

/** How the new pair is written. */
export interface WriteOptions {
  /** Undefined: as the pair is now; two plain files where there is none. */
  readonly layout?: "plain" | "versioned" | undefined;
  /** Overwrite existing files where they are, instead of replacing them. */
  readonly inPlace: boolean;
  /** What is undefined is as the old file's. */
  readonly attributes: {
    /** Permission bits. */
    readonly certificateMode?: number | undefined;
    readonly keyMode?: number | undefined;
    /** Names or numbers. */
    readonly owner?: string | undefined;
    readonly group?: string | undefined;
  };
  /** Longest wait for another process on the same pair; 0: none. */
  readonly lockTimeoutMs: number;
  /**
   * Folders that stand in for one that cannot be written, while its files can:
   * safety copies and locks are in the first that can be had.
   */
  readonly stateFolders: readonly string[];
}

/** One rekey, or a daemon that repeats it. */
export type RunMode =
  | {
    readonly run: "once";
    /** `--expires-in`: skip when more than this is left. Always above 0. */
    readonly onlyIfExpiresInMs?: number | undefined;
  }
  | { readonly run: "daemon"; readonly schedule: Schedule };

/** How log lines and errors are written; `json` is one object a line. */
export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = typeof LOG_FORMATS[number];

/** Everything that one certificate's rekey depends on. */
export interface RekeyOptions {
  /** Positional `<crt-file> <key-file>`. */
  readonly input: KeyPairFiles;
  /** `--out-cert`, `--out-key`; else the same paths as `input`. */
  readonly output: KeyPairFiles;
  readonly newKey: NewKey;
  /** `--renew-fallback`: where no rekey is possible, the key may stay. */
  readonly renewFallback?: boolean | undefined;
  readonly authority: AuthorityOptions;
  readonly passwordFiles: PasswordFiles;
  /**
   * `as-current`: the new key is encrypted when the current one is;
   * `always`: a password for it was named, so it is encrypted in any case.
   */
  readonly encryptNewKey: "as-current" | "always";
  readonly overwrite: "ask" | "always";
  readonly write: WriteOptions;
  readonly reload: ReloadOptions;
  readonly mode: RunMode;
  readonly names: SettingNames;
  /** `text` unless given. */
  readonly logFormat?: LogFormat | undefined;
  /** `--dry-run`: nothing is changed, and the plan is printed so. */
  readonly dryRun?: "text" | "json" | undefined;
}

/** Everything that `ca rollback` depends on. */
export interface RollbackOptions {
  readonly pair: KeyPairFiles;
  /** Opens the key, to prove that the pair belongs together. */
  readonly passwordFile?: string | undefined;
  readonly allowExpired: boolean;
  readonly lockTimeoutMs: number;
  readonly reload: ReloadOptions;
  readonly names: SettingNames;
}

/** Everything that `ca layout` depends on. */
export interface LayoutOptions {
  readonly pair: KeyPairFiles;
  readonly layout: "plain" | "versioned";
  readonly lockTimeoutMs: number;
}

/** How a CA is reached that nobody has a certificate of yet. */
export interface CaChoice {
  /** `https://host[:port]`. */
  readonly url: string;
  readonly root: RootChoice;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
}

export type RootChoice =
  /** File, directory or comma-separated list of files. */
  | { readonly from: "file"; readonly path: string }
  /** The one with that SHA-256; `path` may hold it, else the CA has it. */
  | {
    readonly from: "digest";
    readonly digest: string;
    readonly path: string;
  };

/** Which provisioner makes a token. */
export interface ProvisionerChoice {
  readonly name: string | undefined;
  readonly kid: string | undefined;
  readonly passwordFile: string | undefined;
}
