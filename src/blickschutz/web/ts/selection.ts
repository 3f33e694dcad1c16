// Which alert the keys act on. Pure: time is handed in (milliseconds), nothing is drawn here.
//
// The selection never changes by itself: only a key or a click of this person moves it. What came or was selected a moment ago is
// not acknowledged, because the hand was on its way before the eye had seen it.

/** A row of the queue: the alert that leads it, and others of the same cause that stand in it. */
export interface Item { readonly id: number; readonly waiting: boolean; readonly others?: readonly number[] }
export type Act = { readonly kind: "acknowledge" | "select"; readonly id: number } | { readonly kind: "wait" | "nothing" };

/** So long an alert must have been in sight before it can be acknowledged (ms). */
export const SEEN_MS = 1000;
/** So long it must have been the selected one: longer than a hand needs that is already on its way (ms). */
export const CHOSEN_MS = 500;

export class Selection {
  private items: readonly Item[] = [];
  private chosen: number | null = null;
  private chosenAt = 0;
  private readonly inSight = new Map<number, number>();
  private readonly placed = new Map<number, number>();
  private spots = new Map<number, string>();

  /** The alert that keys act on; null where none is selected. */
  get selected(): number | null {
    return this.chosen;
  }

  /** The list as it stands on the page from `now` on. What is not in it any more is not selected any more; nothing takes its place. */
  list(items: readonly Item[], now: number): void {
    const spots = new Map<number, string>();
    let alerts = 0;
    items.forEach((item, place) => {
      for (const id of named(item)) if (!this.inSight.has(id)) this.inSight.set(id, now);
      // A row that names one more is higher than it was, and moves its own button and all below.
      alerts += named(item).length;
      spots.set(item.id, `${place} ${alerts}`);
      if (this.spots.get(item.id) !== spots.get(item.id)) this.placed.set(item.id, now);
    });
    const ids = new Set(items.map((item) => item.id)), all = new Set(items.flatMap(named));
    for (const id of this.inSight.keys()) if (!all.has(id)) this.inSight.delete(id);
    for (const id of this.placed.keys()) if (!ids.has(id)) this.placed.delete(id);
    this.items = items;
    this.spots = spots;
    if (this.chosen !== null && !ids.has(this.chosen)) this.chosen = null;
  }

  /** Nobody could see the list until `now`: the page was behind another. */
  unseenUntil(now: number): void {
    for (const item of this.items) {
      for (const id of named(item)) this.inSight.set(id, now);
      this.placed.set(item.id, now);
    }
    this.chosenAt = now;
  }

  /** Select the next (1) or the one before (-1); from nothing the first. Stays at either end. */
  move(step: 1 | -1, now: number): void {
    const at = this.items.findIndex((item) => item.id === this.chosen);
    const next = at < 0 ? this.items[0] : this.items[Math.min(this.items.length - 1, Math.max(0, at + step))];
    if (next) this.choose(next.id, now);
  }

  /** Nothing is selected any more. */
  clear(): void { this.chosen = null; }

  choose(id: number, now: number): void {
    if (id === this.chosen || !this.items.some((item) => item.id === id)) return;
    this.chosen = id;
    this.chosenAt = now;
  }

  /** The key for acknowledging: the selected alert, if it waits; else the most pressing one that waits becomes the selected one. */
  press(now: number): Act {
    const own = this.items.find((item) => item.id === this.chosen);
    if (own?.waiting) {
      return this.isSeen(own.id, now) && now - this.chosenAt >= CHOSEN_MS ? { kind: "acknowledge", id: own.id } : { kind: "wait" };
    }
    const first = this.items.find((item) => item.waiting);
    if (!first) return { kind: "nothing" };
    this.choose(first.id, now);
    return { kind: "select", id: first.id };
  }

  /** Whether a click on that alert's button is meant for it: it did not come, and did not move there, a moment ago. */
  mayClick(id: number, now: number): boolean {
    return this.isSeen(id, now) && now - (this.placed.get(id) ?? now) >= SEEN_MS;
  }

  /** The others in its row that have been in sight for long enough: what is acknowledged with it. What joined just now is not. */
  seenWith(id: number, now: number): number[] {
    return (this.items.find((item) => item.id === id)?.others ?? []).filter((other) => this.isSeen(other, now));
  }

  /** Whether it has been in sight for long enough. */
  isSeen(id: number, now: number): boolean {
    return now - (this.inSight.get(id) ?? now) >= SEEN_MS;
  }
}

function named(item: Item): number[] {
  return [item.id, ...(item.others ?? [])];
}
