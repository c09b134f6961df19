/** What a pass does to a certificate, and how messages call it. */
import type { RekeyOptions } from "./options.ts";

/** `rekey`: a new certificate for a new key; `renew`: one for the key that is there. */
export type Act = "rekey" | "renew";

/** The words of an act. */
export const ACT_WORDS = {
  rekey: { noun: "rekey", doing: "rekeying", done: "rekeyed" },
  renew: { noun: "renewal", doing: "renewing", done: "renewed" },
} as const;

/** What these options ask for. */
export function actOf({ newKey }: Pick<RekeyOptions, "newKey">): Act {
  return newKey.from === "current" ? "renew" : "rekey";
}
