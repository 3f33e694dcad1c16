// The sound of each priority: how urgent it is can be heard. Repeats until nothing of that priority waits any more.

export type Priority = "high" | "medium" | "low";
export const PRIORITIES: readonly Priority[] = ["high", "medium", "low"];

interface Pattern { readonly hertz: readonly number[]; readonly seconds: number; readonly everyMs: number }

const PATTERNS: Record<Priority, Pattern> = {
  high: { hertz: [880, 660, 880, 660, 880], seconds: 0.14, everyMs: 4_000 },
  medium: { hertz: [660, 880], seconds: 0.25, everyMs: 12_000 },
  low: { hertz: [440], seconds: 0.4, everyMs: 45_000 },
};
const QUIET_S = 0.08;
const STORED = "volume";

export class Sound {
  private audio: AudioContext | null = null;
  private last = 0;
  private repeating: Priority | null = null;
  /** In a storm the place of the most urgent priority that has sounded in it; null without one. */
  private stormed: number | null = null;

  constructor(private readonly box: HTMLInputElement, private readonly volume: HTMLInputElement) {
    volume.value = localStorage.getItem(STORED) ?? volume.value;
    volume.addEventListener("input", () => localStorage.setItem(STORED, volume.value));
    // A browser lets a page sound only after somebody did something on it.
    box.addEventListener("change", () => { this.audio ??= new AudioContext(); void this.audio.resume(); });
  }

  /** Whether more come than somebody can look at: then one sound, and another only for something more urgent. Nothing repeats. */
  storm(on: boolean): void {
    this.stormed = on ? this.stormed ?? PRIORITIES.length : null;
  }

  /** The most urgent priority that waits; null where nothing does. Called every second. */
  waiting(priority: Priority | null, now: number): void {
    this.repeating = priority;
    if (this.stormed !== null) {
      const urgency = priority === null ? this.stormed : PRIORITIES.indexOf(priority);
      if (priority === null || urgency >= this.stormed) return;
      this.stormed = urgency;
      this.play(priority, now);
      return;
    }
    if (priority && now - this.last >= PATTERNS[priority].everyMs) this.play(priority, now);
  }

  /** Something of that priority came: heard at once, unless something more urgent sounds anyway. */
  came(priority: Priority, now: number): void {
    if (this.stormed !== null) return;
    if (this.repeating === null || PRIORITIES.indexOf(priority) <= PRIORITIES.indexOf(this.repeating)) this.play(priority, now);
  }

  play(priority: Priority, now: number): void {
    this.last = now;
    const audio = this.audio;
    if (!this.box.checked || !audio) return;
    const { hertz, seconds } = PATTERNS[priority];
    hertz.forEach((frequency, number) => {
      const tone = new OscillatorNode(audio, { frequency });
      const gain = new GainNode(audio, { gain: 0.3 * Number(this.volume.value) / 100 });
      const start = audio.currentTime + number * (seconds + QUIET_S);
      tone.connect(gain).connect(audio.destination);
      tone.start(start);
      tone.stop(start + seconds);
    });
  }
}
