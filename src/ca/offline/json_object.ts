/**
 * A JSON object as Go reads it: member names in any case, the last one wins,
 * unknown ones are ignored, null is the same as absent.
 */
import { parseGoDuration } from "../../duration.ts";

/** A member that has another type than it should; the message names it. */
export class JsonTypeError extends Error {
  override readonly name = "JsonTypeError";
}

/** Typed access to one object; `path` is for messages (`authority.claims`). */
export class JsonObject {
  readonly #members: ReadonlyMap<string, unknown>;
  readonly #path: string;

  constructor(value: unknown, path = "") {
    if (
      typeof value !== "object" || value === null || Array.isArray(value)
    ) {
      throw new JsonTypeError(
        `${path === "" ? "the document" : path} has to be an object`,
      );
    }
    this.#members = new Map(
      Object.entries(value).map(([name, member]) => [
        name.toLowerCase(),
        member,
      ]),
    );
    this.#path = path;
  }

  /** The text of a member; empty when it is absent. */
  text(name: string): string {
    const value = this.#get(name);
    if (value === undefined) return "";
    if (typeof value === "string") return value;
    throw this.#wrong(name, "a string");
  }

  /** Undefined when it is absent. */
  boolean(name: string): boolean | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === "boolean") return value;
    throw this.#wrong(name, "true or false");
  }

  /** Undefined when it is absent. */
  number(name: string): number | undefined {
    const value = this.#get(name);
    if (value === undefined || typeof value === "number") return value;
    throw this.#wrong(name, "a number");
  }

  /** Nanoseconds of a Go duration, which is a string; undefined when it is absent. */
  duration(name: string): bigint | undefined {
    if (this.#get(name) === undefined) return undefined;
    const text = this.text(name);
    const duration = parseGoDuration(text);
    if (duration !== undefined) return duration;
    throw this.fault(name, `is not a duration: ${JSON.stringify(text)}`);
  }

  /** An array of strings; `orOne`: one string stands for itself. */
  texts(name: string, options: { readonly orOne: boolean }): string[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (options.orOne && typeof value === "string") return [value];
    if (
      Array.isArray(value) && value.every((item) => typeof item === "string")
    ) {
      return value;
    }
    throw this.#wrong(
      name,
      options.orOne ? "a string or an array of strings" : "an array of strings",
    );
  }

  /** Undefined when it is absent. */
  object(name: string): JsonObject | undefined {
    const value = this.#get(name);
    return value === undefined
      ? undefined
      : new JsonObject(value, this.#name(name));
  }

  /** An array of objects; empty when it is absent. */
  objects(name: string): JsonObject[] {
    const value = this.#get(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.#wrong(name, "an array");
    return value.map((item, index) =>
      new JsonObject(item, `${this.#name(name)}[${index}]`)
    );
  }

  /** A fault of a member, for messages. */
  fault(name: string, text: string): JsonTypeError {
    return new JsonTypeError(`${this.#name(name)} ${text}`);
  }

  #get(name: string): unknown {
    return this.#members.get(name.toLowerCase()) ?? undefined;
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }

  #wrong(name: string, expected: string): JsonTypeError {
    return this.fault(name, `has to be ${expected}`);
  }
}
