// Two windows of one person in step: the first says what it shows, the second follows. Nothing leaves the browser.

import type { Priority } from "./sound.js";

export type Told =
  | { kind: "shown"; camera: string }
  | { kind: "alarm"; cameras: Record<string, Priority> }
  | { kind: "select"; camera: string }
  | { kind: "here" };

const BEAT_MS = 2000;
const GONE_MS = 5000;

export class Step {
  private readonly channel = new BroadcastChannel("blickschutz-wall");
  private heardAt = -Infinity;
  private last: Told[] = [];

  /** `follow` hears what the first window says; without it this is the first. */
  constructor(private readonly follow?: (told: Told) => void) {
    this.channel.addEventListener("message", (event: MessageEvent<Told | { kind: "who" }>) => {
      if (event.data.kind === "who") { if (!this.follow) for (const told of [...this.last, { kind: "here" } as const]) this.channel.postMessage(told); }
      else if (this.follow) { this.heardAt = performance.now(); this.follow(event.data); }
    });
    if (follow) this.channel.postMessage({ kind: "who" });
    else window.setInterval(() => this.channel.postMessage({ kind: "here" }), BEAT_MS);
  }

  /** Whether the first window was heard of lately. */
  get together(): boolean { return performance.now() - this.heardAt < GONE_MS; }

  tell(told: Told): void {
    if (this.follow) return;
    this.last = [...this.last.filter((one) => one.kind !== told.kind), told];
    this.channel.postMessage(told);
  }
}
