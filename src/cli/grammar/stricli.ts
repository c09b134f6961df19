/**
 * The door to the command-line library: the only file that imports it.
 *
 * `vendor/stricli.js` is @stricli/core, bundled by `deno task vendor` from the
 * version that deno.lock pins, so that a checkout starts without a download.
 */
// @ts-types="../vendor/entry.ts"
export {
  buildApplication,
  buildCommand,
  buildRouteMap,
  run,
} from "../vendor/stricli.js";
export type { Command, CommandContext, RouteMap } from "../vendor/entry.ts";
