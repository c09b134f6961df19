/**
 * `--dry-run`: the plan of a run, printed.
 */
import { formatInstant, formatRoundedDuration } from "../../base/duration.ts";
import type { RekeyOptions } from "../../base/options.ts";
import { printable, shortened } from "../../base/printable.ts";
import { planRekey, type RekeyPlan } from "../../engine/dry_run.ts";
import { jsonAnswer } from "../../observe/json_line.ts";
import { denoRuntime } from "./deno_runtime.ts";
import { makeJob } from "./job.ts";
import type { Program } from "./program.ts";
import { processSignals } from "./signals.ts";

/**
 * Prints what a run with these options would do. The caller has pinned the
 * trust.
 *
 * @returns the exit code
 * @throws {RekeyError} what the run would end with
 */
export async function runDryRun(
  options: RekeyOptions,
  program: Program,
): Promise<number> {
  const { stop } = processSignals("once");
  const runtime = denoRuntime({
    run: "once",
    file: options.output.certificate,
    format: options.logFormat,
  }, program);
  const job = await makeJob(options, runtime);
  const plan = await planRekey(job, runtime, stop);
  program.stdout.write(
    options.dryRun === "json"
      ? jsonAnswer(planJson(plan, options))
      : planText(plan, options, runtime.clock.now()),
  );
  return 0;
}

function planText(plan: RekeyPlan, options: RekeyOptions, now: Date): string {
  const { certificate, files, layout, asks, repairs, tells } = plan;
  const { names } = options;
  const written = [files.certificate, files.key]
    .filter((file) => file !== undefined).map(printable).join(" and ");
  const how = [
    `${layout} layout`,
    asks ? "asks before it overwrites" : "overwrites without asking",
    repairs ? "finishes or undoes an interrupted install first" : undefined,
  ].filter((text) => text !== undefined).join("; ");
  const told = { signal: "signal", exec: names.exec };
  const rows: readonly (readonly [string, string])[] = [
    [
      "certificate",
      `${shortened(certificate.subject) || certificate.serial}, valid until ${
        formatInstant(certificate.notAfter)
      }`,
    ],
    ["new key", newKeyText(options)],
    ["authority", authorityText(plan, options)],
    ["writes", `${written} (${how})`],
    [
      "afterwards",
      tells.length === 0
        ? "nobody is told"
        : tells.map((part) => told[part]).join(" and "),
    ],
  ];
  return [
    `${dueText(plan, options, now)}; nothing was changed`,
    ...rows.map(([name, value]) => `  ${name.padEnd(13)}${value}`),
    "",
  ].join("\n");
}

function dueText(
  { isDue, due: { from, to } }: RekeyPlan,
  { mode }: RekeyOptions,
  now: Date,
): string {
  if (isDue) return "would rekey now";
  const distance = formatRoundedDuration(to.getTime() - now.getTime());
  const when = `${formatInstant(from)} and ${formatInstant(to)}`;
  return mode.run === "daemon"
    ? `would rekey between ${when}, in at most ${distance}`
    : `would not rekey now: due between ${when}, in at most ${distance}`;
}

function newKeyText({ newKey }: RekeyOptions): string {
  if (newKey.from === "file") return `that of ${printable(newKey.path)}`;
  if (newKey.from === "current") return "the one that is there";
  const { spec } = newKey;
  return spec.kty === "RSA" ? `RSA ${spec.bits}` : `${spec.kty} ${spec.curve}`;
}

function authorityText(
  { health }: RekeyPlan,
  { authority }: RekeyOptions,
): string {
  return authority.mode === "online"
    ? `${authority.url} answers: ${health}`
    : `the files of ${printable(authority.config)}`;
}

function planJson(plan: RekeyPlan, options: RekeyOptions): object {
  const { certificate, isDue, due, files } = plan;
  const { authority, mode } = options;
  return {
    action: isDue ? "rekey" : mode.run === "daemon" ? "wait" : "none",
    due: { from: formatInstant(due.from), to: formatInstant(due.to) },
    certificate: {
      file: options.input.certificate,
      subject: certificate.subject,
      serial: certificate.serial,
      notAfter: formatInstant(certificate.notAfter),
    },
    newKey: newKeyText(options),
    authority: {
      mode: authority.mode,
      url: authority.mode === "online" ? authority.url : null,
      health: plan.health ?? null,
    },
    writes: { certificate: files.certificate, key: files.key ?? null },
    layout: plan.layout,
    asks: plan.asks,
    repairs: plan.repairs,
    tells: plan.tells,
  };
}
