/**
 * Signs of life while a pass is at work.
 *
 * Not from a timer that would go on beside a loop that is stuck: the beats
 * belong to one piece of work, and end with it or at its limit.
 */
import type { ServiceManager } from "./service_manager.ts";

/** Who is told, and for how long at the most. */
export interface BeatOptions {
  readonly service: Pick<ServiceManager, "beatMs" | "beat">;
  /** Work that takes longer is stuck, in ms. */
  readonly limitMs: number;
}

/** The result of `work`, which gives signs of life until then or until its limit. */
export async function withBeats<T>(
  work: Promise<T>,
  { service, limitMs }: BeatOptions,
): Promise<T> {
  const { beatMs } = service;
  if (beatMs === undefined) return await work;
  let beats = Math.floor(limitMs / beatMs);
  service.beat();
  const timer = setInterval(() => {
    if (--beats >= 0) service.beat();
  }, beatMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
