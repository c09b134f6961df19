/**
 * A JSON object as Go reads it: member names in any case, unknown ones are
 * ignored, and of two members with one name the second is decoded over the
 * first. Objects grow together by that, and for the rest the last one wins.
 */
import { parseGoDuration } from "../../../base/duration.ts";
import { shortened } from "../../../base/printable.ts";
import {
  isJsonMembers,
  type JsonTree,
  parseJsonMembers,
} from "./json_members.ts";

/** A member that has another type than it should; the message names it. */
export class JsonTypeError extends Error {
  override readonly name = "JsonTypeError";
}

/** Typed access to one object; `path` is for messages (`authority.claims`). */
export class JsonObject {
  /** The values of each name, in order, by folded name. */
  readonly #members = new Map<string, JsonTree[]>();
  readonly #path: string;

  constructor(value: JsonTree, path = "") {
    if (!isJsonMembers(value)) {
      throw new JsonTypeError(
        `${path === "" ? "the document" : path} has to be an object`,
      );
    }
    this.#path = path;
    for (const [name, member] of value.members) {
      const values = this.#members.get(foldName(name));
      if (values === undefined) this.#members.set(foldName(name), [member]);
      else values.push(member);
    }
  }

  /**
   * The object that a text holds.
   *
   * @throws {SyntaxError} the engine's own, which may quote the text
   * @throws {JsonTypeError} when it is something else than an object
   */
  static parse(text: string): JsonObject {
    return new JsonObject(parseJsonMembers(text));
  }

  /** The text of a member; empty when it is absent. A null changes nothing. */
  text(name: string): string {
    return this.#all(name, "a string", isString).at(-1) ?? "";
  }

  /** The last of true, false and null; undefined for null, and when absent. */
  boolean(name: string): boolean | undefined {
    return this.#last(name, "true or false", isBoolean);
  }

  /** As a boolean that null cannot take back: false when it is absent. */
  flag(name: string): boolean {
    return this.#all(name, "true or false", isBoolean).at(-1) ?? false;
  }

  /** Nanoseconds of a Go duration, which is a string; undefined when it is absent. */
  duration(name: string): bigint | undefined {
    for (const text of this.#all(name, "a string", isString)) {
      if (parseGoDuration(text) !== undefined) continue;
      throw this.fault(
        name,
        `is not a duration: ${JSON.stringify(shortened(text))}`,
      );
    }
    const text = this.#last(name, "a string", isString);
    return text === undefined ? undefined : parseGoDuration(text);
  }

  /** An array of strings, or a string that stands for itself. */
  texts(name: string): readonly string[] {
    const last = this.#last(
      name,
      "a string or an array of strings",
      isStringOrStrings,
    ) ?? [];
    return typeof last === "string" ? [last] : last;
  }

  /** Undefined when it is absent, or null at last. */
  object(name: string): JsonObject | undefined {
    const values = this.#values(name);
    const path = this.#name(name);
    for (const value of values) {
      if (value !== null && !isJsonMembers(value)) {
        throw new JsonTypeError(`${path} has to be an object`);
      }
    }
    const objects = values.slice(values.lastIndexOf(null) + 1)
      .filter(isJsonMembers);
    if (objects.length === 0) return undefined;
    const members = objects.flatMap(({ members }) => members);
    return new JsonObject({ members }, path);
  }

  objects(
    name: string,
    { skipNull = false }: { readonly skipNull?: boolean } = {},
  ): JsonObject[] {
    const last = this.#last(name, "an array", isArray) ?? [];
    return last.flatMap((item, index) =>
      skipNull && item === null
        ? []
        : [new JsonObject(item, `${this.#name(name)}[${index}]`)]
    );
  }

  fault(name: string, text: string): JsonTypeError {
    return new JsonTypeError(`${this.#name(name)} ${text}`);
  }

  #values(name: string): readonly JsonTree[] {
    return this.#members.get(foldName(name)) ?? [];
  }

  /** Every value but null; each must have the type, as Go decodes each. */
  #all<T extends JsonTree>(
    name: string,
    expected: string,
    isExpected: (value: JsonTree) => value is T,
  ): readonly T[] {
    return this.#values(name).filter((value) => value !== null).map((value) => {
      if (isExpected(value)) return value;
      throw this.fault(name, `has to be ${expected}`);
    });
  }

  /** The last value; undefined when that is null, as in a pointer of Go. */
  #last<T extends JsonTree>(
    name: string,
    expected: string,
    isExpected: (value: JsonTree) => value is T,
  ): T | undefined {
    const values = this.#all(name, expected, isExpected);
    return this.#values(name).at(-1) === null ? undefined : values.at(-1);
  }

  #name(name: string): string {
    return this.#path === "" ? name : `${this.#path}.${name}`;
  }
}

/**
 * Go's encoding/json folds the two letters outside of ASCII whose simple folding
 * is inside: the long s, and the Kelvin sign, which lower case takes care of.
 */
function foldName(name: string): string {
  return name.replaceAll("\u017f", "s").toLowerCase();
}

function isString(value: JsonTree): value is string {
  return typeof value === "string";
}

function isBoolean(value: JsonTree): value is boolean {
  return typeof value === "boolean";
}

function isArray(value: JsonTree): value is readonly JsonTree[] {
  return Array.isArray(value);
}

function isStringOrStrings(
  value: JsonTree,
): value is string | readonly string[] {
  return isString(value) || (isArray(value) && value.every(isString));
}
