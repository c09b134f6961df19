import { listCommand } from "./roots.ts";

export const command = listCommand({
  list: "federation",
  brief: "download all the federated certificates",
  content:
    "all root certificates of the federation that the certificate authority is part of",
  argument: {
    "federation-file": "File to write federation certificates (PEM format)",
  },
  saved: "The federation certificate bundle",
});
