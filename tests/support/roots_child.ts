/** Reads roots and prints the message and the hint of each failure. */
import { readRootCertificates } from "../../src/ca/online/root_certificates.ts";
import { hintOf } from "./hint.ts";

for (const root of Deno.args) {
  try {
    await readRootCertificates(root, { write() {} });
    console.log("readable");
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    console.log(`${error.message} ; ${hintOf(error)}`);
  }
}
