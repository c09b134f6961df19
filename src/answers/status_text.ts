/**
 * The status of a pair as text and as JSON. Pure.
 */
import { formatInstant, formatRoundedDuration } from "../base/duration.ts";
import type { KeyPairFiles, KeySpec } from "../base/options.ts";
import { printable, shortened } from "../base/printable.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { KeyStatus, Status } from "./status.ts";

export interface StatusText {
  readonly files: KeyPairFiles;
  readonly now: Date;
  /** Characters in a line of a terminal; undefined where nobody wants a picture. */
  readonly columns: number | undefined;
}

/** Lines for people, each with its end. */
export function statusText(
  { verdict, problem, chain, key, due, disk }: Status,
  { files, now, columns }: StatusText,
): string {
  const [leaf] = chain ?? [];
  const rows: (readonly [name: string, value: string | undefined])[] = [
    ["certificate", printable(files.certificate)],
    ...leaf === undefined ? [] : certificateRows(leaf, chain?.length ?? 0),
    ["key", `${printable(files.key)}: ${keyText(key)}`],
    [
      "due",
      due &&
      `${dueText(due.to, now)}, by jitter from ${formatInstant(due.from)} on`,
    ],
    ["layout", disk && layoutText(disk)],
    [
      "unfinished",
      disk?.isInterrupted
        ? "an install was interrupted; the next run finishes or undoes it"
        : undefined,
    ],
    ["reload", disk?.pendingReload && reloadText(disk.pendingReload)],
    ["in use", disk?.isLocked ? "another process works on it" : undefined],
    [
      "status",
      problem === undefined ? verdict : `${verdict}: ${printable(problem)}`,
    ],
    [
      "lifetime",
      columns && leaf && due && lifetimeBar(leaf, {
          due: due.to,
          now,
          columns: columns - NAME_WIDTH,
        }) || undefined,
    ],
  ];
  return rows.filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name.padEnd(NAME_WIDTH)}${value}\n`).join("");
}

/** Characters of the first column. */
const NAME_WIDTH = 13;

function certificateRows(
  leaf: Certificate,
  count: number,
): readonly (readonly [string, string])[] {
  const { subject, names, issuer, serial, notBefore, notAfter } = leaf;
  return [
    ["  subject", shown(subject) || "(none)"],
    ["  names", shown(names.join(", ")) || "(none)"],
    ["  issuer", shown(issuer)],
    ["  serial", serial],
    ["  valid", `${formatInstant(notBefore)} to ${formatInstant(notAfter)}`],
    ["  chain", count === 1 ? "1 certificate" : `${count} certificates`],
  ];
}

function shown(text: string): string {
  return shortened(printable(text));
}

function keyText(key: KeyStatus): string {
  switch (key.state) {
    case "encrypted":
      return "encrypted, not checked";
    case "unusable":
      return "unusable";
    case "matches":
      return `${specText(key.spec)}, belongs to the certificate`;
    case "mismatch":
      return `${specText(key.spec)}, does not belong to the certificate`;
    case "unchecked":
      return specText(key.spec);
  }
}

function specText(spec: KeySpec): string {
  return spec.kty === "RSA" ? `RSA ${spec.bits}` : `${spec.kty} ${spec.curve}`;
}

function dueText(to: Date, now: Date): string {
  const leftMs = to.getTime() - now.getTime();
  const distance = formatRoundedDuration(Math.abs(leftMs));
  return `${formatInstant(to)}, ${
    leftMs > 0 ? `in ${distance}` : `${distance} ago`
  }`;
}

type Disk = NonNullable<Status["disk"]>;

function layoutText({ layout, version, versions }: Disk): string {
  if (layout === "mixed") {
    return "mixed: the two names do not belong to one pair";
  }
  if (layout === "plain") return layout;
  const others = versions.filter((each) => each !== version);
  const kept = others.length === 0 ? "" : `; kept: ${others.join(", ")}`;
  return `${layout}, version ${version ?? "unknown"}${kept}`;
}

function reloadText(
  { undelivered, since }: NonNullable<Disk["pendingReload"]>,
): string {
  const parts = undelivered?.join(" and ") ?? "unknown";
  const from = since === undefined ? "" : ` since ${formatInstant(since)}`;
  return `pending${from}: ${parts}`;
}

/** Shortest and longest picture, in characters. */
const BAR = { least: 20, most: 62 } as const;

/**
 * The life of a certificate in one line: `=` is over, `>` is now, `|` is when it
 * is due, and after that come dots.
 */
function lifetimeBar(
  { notBefore, notAfter }: Certificate,
  { due, now, columns }: {
    readonly due: Date;
    readonly now: Date;
    readonly columns: number;
  },
): string | undefined {
  const width = Math.min(columns - " 100 %".length - 2, BAR.most);
  if (width < BAR.least) return undefined;
  const [begin, end] = [notBefore.getTime(), notAfter.getTime()];
  const shareOf = (time: Date) =>
    Math.min(Math.max((time.getTime() - begin) / (end - begin), 0), 1);
  const place = (time: Date) => Math.round(shareOf(time) * (width - 1));
  const [nowAt, dueAt] = [place(now), place(due)];
  const bar = Array.from({ length: width }, (_, at) => {
    if (at === nowAt) return ">";
    if (at < nowAt) return "=";
    if (at === dueAt) return "|";
    return at < dueAt ? "-" : ".";
  });
  return `[${bar.join("")}] ${Math.floor(shareOf(now) * 100)} %`;
}

/** The object that the reference describes. */
export function statusJson(
  { verdict, problem, chain, key, due, disk }: Status,
  { files }: Pick<StatusText, "files">,
): object {
  const [leaf] = chain ?? [];
  return {
    status: verdict,
    problem: problem ?? null,
    certificate: {
      file: files.certificate,
      subject: leaf?.subject ?? null,
      names: leaf?.names ?? null,
      issuer: leaf?.issuer ?? null,
      serial: leaf?.serial ?? null,
      notBefore: leaf === undefined ? null : formatInstant(leaf.notBefore),
      notAfter: leaf === undefined ? null : formatInstant(leaf.notAfter),
      chain: chain?.length ?? null,
    },
    key: {
      file: files.key,
      state: key.state,
      type: "spec" in key ? specText(key.spec) : null,
    },
    due: due === undefined
      ? null
      : { from: formatInstant(due.from), to: formatInstant(due.to) },
    layout: disk?.layout ?? null,
    version: disk?.version ?? null,
    versions: disk?.versions ?? null,
    interrupted: disk?.isInterrupted ?? null,
    locked: disk?.isLocked ?? null,
    pendingReload: disk?.pendingReload === undefined ? null : {
      parts: disk.pendingReload.undelivered ?? null,
      since: disk.pendingReload.since === undefined
        ? null
        : formatInstant(disk.pendingReload.since),
    },
  };
}
