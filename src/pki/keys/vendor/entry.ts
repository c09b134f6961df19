/** What `deno task vendor` bundles into jose.js, and its types. */
export { compactDecrypt, decodeJwt, errors, importJWK, SignJWT } from "jose";
