/**
 * Tells the service: signal first, then exec; both run, both are reported.
 */
import type { ReloadOptions } from "../options.ts";

/** Tells the service that the pair is new. */
export interface Reloader {
  /**
   * @throws {RekeyError} kind `signal` or `hook`; when both fail, the hook's
   *   with the signal's message in front of it
   */
  reload(signal: AbortSignal): Promise<void>;
}

/** The reloader for these options; without any it does nothing. */
export function createReloader(_options: ReloadOptions): Reloader {
  throw new Error("contract only");
}
