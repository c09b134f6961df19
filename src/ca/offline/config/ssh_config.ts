/**
 * The sections `ssh` and `templates` of ca.json. A rekey has no use for them,
 * but a ca.json that step-ca does not start with is not one to sign by
 * (smallstep/certificates authority/config/ssh.go, templates/templates.go).
 *
 * Pure: unlike step-ca it does not look whether the files of templates are
 * there, since they may well be on another machine than this one.
 */
import { JsonObject } from "./json_object.ts";

/**
 * Why step-ca refuses the public keys of `ssh.keys`, in its words.
 *
 * @throws {JsonTypeError} when one has members of another type
 */
export function sshFault(config: JsonObject): string | undefined {
  for (const entry of config.object("ssh")?.objects("keys") ?? []) {
    const type = entry.text("type");
    const key = entry.object("key");
    if (type === "") return "type cannot be empty";
    if (type !== "host" && type !== "user") {
      return `invalid type ${type}, it must be user or host`;
    }
    if (key === undefined || !isPublic(key)) {
      return "invalid key type, it must be a public key";
    }
  }
  return undefined;
}

/** By RFC 7517 §4.1 and RFC 7518 §6: `d` is what makes a key private. */
function isPublic(key: JsonObject): boolean {
  return ["EC", "RSA", "OKP"].includes(key.text("kty")) && key.text("d") === "";
}

const TEMPLATE_TYPES = ["snippet", "prepend-line", "file", "directory"];

/**
 * Why step-ca refuses `templates`, in its words.
 *
 * @throws {JsonTypeError} when one has members of another type
 */
export function templatesFault(config: JsonObject): string | undefined {
  const templates = config.object("templates");
  const ssh = templates?.object("ssh");
  for (const kind of ["user", "host"]) {
    for (const template of ssh?.objects(kind) ?? []) {
      const fault = templateFault(template);
      if (fault !== undefined) return fault;
    }
  }
  const data = templates?.raw("data");
  if (data === undefined) return undefined;
  const reserved = ["Step", "User"]
    .find((name) => JsonObject.hasExactly(data, name));
  return reserved &&
    `templates variables cannot contain '${reserved}' as a property`;
}

function templateFault(template: JsonObject): string | undefined {
  const type = template.text("type");
  const source = template.text("template");
  if (template.text("name") === "") return "template name cannot be empty";
  if (!TEMPLATE_TYPES.includes(type)) {
    return `invalid template type ${type}, it must be snippet, prepend-line, file, or directory`;
  }
  if (source === "" && type !== "directory") {
    return "template template cannot be empty";
  }
  if (source !== "" && type === "directory") {
    return "template template must be empty with directory type";
  }
  return template.text("path") === ""
    ? "template path cannot be empty"
    : undefined;
}
