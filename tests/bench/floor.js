// The least that a program on this runtime can do, for `deno task bench`:
// nothing; seed the cryptography library; make one mTLS request; wait.
const [what, url, ...files] = Deno.args;
if (what === "seeding" || what === "request") {
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}
if (what === "request") {
  const [root, cert, key] = files.map((file) => Deno.readTextFileSync(file));
  const options = { caCerts: [root], cert, key, http2: false };
  const client = Deno.createHttpClient(options);
  await (await fetch(url, { client })).text();
}
if (what === "wait") {
  Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
  setInterval(() => {}, 60_000);
} else Deno.exit(0);
