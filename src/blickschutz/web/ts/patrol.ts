// The round of the views: which comes next, and when. Pure: time is handed in (milliseconds).
//
// What lies under somebody's hand does not change: each act, and whatever is selected or enlarged, lets the view stay for its whole time.

export class Patrol {
  private since: number;

  /** `views` in their order; `on` whether it goes by itself from the beginning. */
  constructor(private readonly views: readonly string[], private readonly everyMs: number, public on: boolean, now: number) {
    this.since = now;
  }

  toggle(now: number): void {
    this.on = !this.on;
    this.since = now;
  }

  /** Somebody acts. */
  hand(now: number): void { this.since = now; }

  /** The view that comes now; undefined while it is not time. `shown` is the one that is; `held`: somebody is at something. */
  due(shown: string, held: boolean, now: number): string | undefined {
    if (held) this.since = now;
    if (!this.on || now - this.since < this.everyMs) return undefined;
    this.since = now;
    return this.views[(this.views.indexOf(shown) + 1) % this.views.length];
  }
}
