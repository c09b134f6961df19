/**
 * What `deno task vendor` bundles into stricli.js, and its types.
 */
export * from "@stricli/core";
