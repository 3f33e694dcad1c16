// Which cameras stand on the wall, and which is large by itself. Pure.

import type { Priority } from "./sound.js";

export interface View { readonly cameras: readonly string[]; readonly large: string }

const RANK: Record<Priority, number> = { high: 0, medium: 1, low: 2 };

/** The cameras of a view in its order, of those that there are; all where it names none of them. */
export function staged(all: readonly string[], view: View | undefined): readonly string[] {
  const found = view?.cameras.filter((camera) => all.includes(camera)) ?? [];
  return found.length ? found : all;
}

/** A camera that becomes large by itself, and what becomes of one that was. The hand comes first: what somebody enlarged stays. */
export class Attention {
  private before: Record<string, Priority> = {};
  private own = "";

  /** Which camera is to be large now: "" for none by itself, undefined to leave all as it is. `enlarged` is the one that is. */
  alarmed(now: Record<string, Priority>, enlarged: string): string | undefined {
    const fresh = Object.keys(now).filter((camera) => !(camera in this.before) || rank(now[camera]) < rank(this.before[camera]));
    this.before = { ...now };
    if (enlarged !== this.own) this.own = "";
    const byHand = enlarged !== "" && this.own === "";
    if (byHand) return undefined;
    if (this.own && !(this.own in now)) {
      const next = Object.keys(now).sort((one, other) => rank(now[one]) - rank(now[other]))[0] ?? "";
      this.own = next;
      return next;
    }
    const next = fresh.sort((one, other) => rank(now[one]) - rank(now[other]))[0];
    if (next === undefined || (this.own && rank(now[next]) >= rank(now[this.own]))) return undefined;
    this.own = next;
    return next;
  }
}

function rank(priority: Priority | undefined): number {
  return priority === undefined ? 3 : RANK[priority];
}
