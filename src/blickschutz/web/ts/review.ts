// The player of a review room: timeline with marks, single pictures, speed, keyboard; and news of what the other person does.
// Without this script the video element plays by itself.

import "./half";

interface Mark { at: number; kind: string; name: string; began: boolean }
interface Facts { length: number; start: number; done: boolean; problem: string; marks: Mark[]; seconds: number; seen: boolean }

const PICTURE_S = 0.1;
const JUMP_S = 5;
const SPEEDS = [0.25, 0.5, 1, 2, 4];
const LOOK_MS = 1500;
const WATCH_MS = 100;

class ReviewPlayer extends HTMLElement {
  private video!: HTMLVideoElement;
  private line!: HTMLInputElement;
  private time!: HTMLElement;
  private play!: HTMLButtonElement;
  private speed!: HTMLElement;
  private marks!: HTMLUListElement;
  private ticks!: HTMLElement;
  private facts: Facts = { length: 0, start: 0, done: false, problem: "", marks: [], seconds: 0, seen: false };
  private played: [number, number][] = [];
  private last = -1;
  private readonly ending = new AbortController();

  connectedCallback(): void {
    const video = this.querySelector("video");
    if (!video) return;
    this.video = video;
    video.controls = false;
    this.build();
    void this.load();
    void this.look();
    this.measure();
    document.addEventListener("keydown", (event) => this.key(event), { signal: this.ending.signal });
  }

  disconnectedCallback(): void {
    this.ending.abort();
  }

  private build(): void {
    const bar = element("div", "player-bar");
    this.play = this.button("", () => this.toggle());
    this.time = element("output", "player-time");
    this.speed = element("span", "quiet");
    bar.append(
      this.play,
      this.button("‹", () => this.step(-1), this.word("back")),
      this.button("›", () => this.step(1), this.word("next")),
      this.button("−", () => this.faster(-1), `${this.word("speed")} −`),
      this.speed,
      this.button("+", () => this.faster(1), `${this.word("speed")} +`),
      this.time,
    );
    const frame = element("div", "player-line");
    this.ticks = element("div", "");
    this.ticks.setAttribute("aria-hidden", "true");
    this.line = document.createElement("input");
    Object.assign(this.line, { type: "range", min: "0", max: "1", step: "0.1", value: "0" });
    this.line.setAttribute("aria-label", this.word("timeline"));
    this.line.addEventListener("input", () => { this.video.currentTime = this.start() + Number(this.line.value); });
    frame.append(this.ticks, this.line);
    this.marks = document.createElement("ul");
    this.marks.className = "player-marks";
    this.marks.setAttribute("aria-label", this.word("marks"));
    this.append(bar, frame, this.marks);
    this.video.addEventListener("click", (event) => this.point(event));
    for (const name of ["timeupdate", "play", "pause", "ratechange", "seeked"]) this.video.addEventListener(name, () => this.show());
    this.show();
  }

  /** A click into the picture enters moment and place into the form for a person's own copy. */
  private point(event: MouseEvent): void {
    const box = this.video.getBoundingClientRect();
    const values = {
      second: Math.max(0, this.video.currentTime - this.start()),
      left: (100 * (event.clientX - box.left)) / box.width,
      top: (100 * (event.clientY - box.top)) / box.height,
    };
    for (const [name, value] of Object.entries(values)) {
      const field = document.querySelector<HTMLInputElement>(`#${name}`);
      if (field) field.value = value.toFixed(1);
    }
  }

  /** What really plays before somebody's eyes: told to the room every second and a half, which does not believe more than its clock. */
  private measure(): void {
    let before = performance.now();
    const watch = window.setInterval(() => {
      const now = performance.now(), elapsed = (now - before) / 1000;
      before = now;
      const at = this.video.currentTime - this.start(), step = at - this.last;
      const plays = !this.video.paused && !this.video.seeking && !document.hidden && this.video.readyState >= 2;
      if (plays && this.last >= 0 && step > 0 && step <= 1.2 * this.video.playbackRate * elapsed + 0.2) this.played.push([this.last, at]);
      this.last = plays || this.video.ended ? at : -1;
    }, WATCH_MS);
    const tell = window.setInterval(() => void this.tell(), LOOK_MS);
    this.ending.signal.addEventListener("abort", () => { clearInterval(watch); clearInterval(tell); });
  }

  private async tell(): Promise<void> {
    if (!this.played.length) return;
    const parts: [number, number][] = [];
    for (const [first, last] of this.played.splice(0)) {
      const before = parts.at(-1);
      if (before && Math.abs(first - before[1]) < 0.05) before[1] = last;
      else parts.push([first, last]);
    }
    const body = new URLSearchParams({ parts: parts.map(([first, last]) => `${first.toFixed(2)}-${last.toFixed(2)}`).join(",") });
    const answer = await fetch(this.word("shown"), { method: "POST", body }).catch(() => null);
    if (!answer) { this.played.unshift(...parts); return; }
    if (!answer.ok) return;
    const said = (await answer.json()) as { seconds: number; seen: boolean };
    const line = document.querySelector("[data-shown-seconds]");
    if (line) line.textContent = String(said.seconds);
  }

  private word(name: string): string {
    return this.dataset[name] ?? "";
  }

  private button(text: string, work: () => void, label = ""): HTMLButtonElement {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "button";
    made.textContent = text;
    if (label) made.setAttribute("aria-label", label);
    made.addEventListener("click", work);
    return made;
  }

  /** The whole video into one buffer, part by part, so that every moment that is there can be gone to. */
  private async load(): Promise<void> {
    const answer = await fetch(this.word("src"), { signal: this.ending.signal }).catch(() => null);
    const type = answer?.headers.get("content-type") ?? "";
    if (!answer?.ok || !answer.body || !("MediaSource" in window) || !MediaSource.isTypeSupported(type)) {
      this.video.controls = true;
      return;
    }
    const source = new MediaSource();
    const opened = new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    this.video.src = URL.createObjectURL(source);
    await opened;
    const buffer = source.addSourceBuffer(type);
    const reader = answer.body.getReader();
    for (;;) {
      const part = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (part.done || !part.value) break;
      const added = new Promise((done) => buffer.addEventListener("updateend", done, { once: true }));
      buffer.appendBuffer(part.value as Uint8Array<ArrayBuffer>);
      await added;
      if (this.video.currentTime < this.start()) this.video.currentTime = this.start();
    }
    if (source.readyState === "open") source.endOfStream();
  }

  private async look(): Promise<void> {
    while (!this.ending.signal.aborted && !this.facts.done) {
      const answer = await fetch(this.word("facts")).catch(() => null);
      if (answer?.ok) {
        this.facts = (await answer.json()) as Facts;
        this.line.max = String(Math.max(0.1, this.facts.length));
        this.showMarks();
        this.show();
      }
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }

  private showMarks(): void {
    this.ticks.replaceChildren();
    this.marks.replaceChildren();
    for (const mark of this.facts.marks) {
      if (!mark.began) continue;
      const at = Math.min(mark.at, this.facts.length);
      const tick = element("span", "player-tick");
      tick.style.setProperty("left", `${(100 * at) / Math.max(0.1, this.facts.length)}%`);
      this.ticks.append(tick);
      const item = document.createElement("li");
      item.append(this.button(`${stamp(at)} ${mark.name}`, () => { this.video.currentTime = this.start() + at; }));
      this.marks.append(item);
    }
  }

  private start(): number {
    return this.video.buffered.length ? this.video.buffered.start(0) : 0;
  }

  private show(): void {
    const at = Math.max(0, this.video.currentTime - this.start());
    this.line.value = String(at);
    this.time.textContent = `${stamp(at)} / ${stamp(this.facts.length)}`;
    this.speed.textContent = `${this.video.playbackRate}×`;
    this.play.textContent = this.video.paused ? `▶ ${this.word("play")}` : `■ ${this.word("pause")}`;
  }

  private toggle(): void {
    if (this.video.paused) void this.video.play().catch(() => undefined);
    else this.video.pause();
  }

  private step(pictures: number): void {
    this.video.pause();
    this.video.currentTime = Math.max(this.start(), this.video.currentTime + pictures * PICTURE_S);
  }

  private faster(steps: number): void {
    const index = SPEEDS.indexOf(this.video.playbackRate) + steps;
    this.video.playbackRate = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index))] ?? 1;
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA|BUTTON|SUMMARY|A)$/.test(target.tagName)) return;
    const acts: Record<string, () => void> = {
      " ": () => this.toggle(),
      ",": () => this.step(-1),
      ".": () => this.step(1),
      ArrowLeft: () => this.step(-JUMP_S / PICTURE_S),
      ArrowRight: () => this.step(JUMP_S / PICTURE_S),
      "+": () => this.faster(1),
      "-": () => this.faster(-1),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

function element(tag: string, name: string): HTMLElement {
  const made = document.createElement(tag);
  made.className = name;
  return made;
}

function stamp(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

/** The other person came, went, asked or agreed: the page shows it. What was typed here is kept until it was sent. */
async function follow(layout: HTMLElement): Promise<void> {
  const seat = layout.dataset["seat"] ?? "";
  for (;;) {
    await new Promise((done) => setTimeout(done, LOOK_MS));
    const answer = await fetch(`${seat}/state.json`).catch(() => null);
    if (!answer) continue;
    if (!answer.ok) {
      location.reload();
      return;
    }
    const state = (await answer.json()) as { version: number };
    if (String(state.version) === layout.dataset["version"] || typing(layout)) continue;
    if (!(await renewed(layout, seat))) {
      location.assign(seat);
      return;
    }
  }
}

// What the other person did changes the words beside the picture. Those alone are replaced: playback goes on, and whoever
// works by keyboard stays where they are. Where the picture itself is another one, the page is loaded anew.
async function renewed(layout: HTMLElement, seat: string): Promise<boolean> {
  const answer = await fetch(seat).catch(() => null);
  if (!answer?.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const next = page.querySelector<HTMLElement>("[data-seat]");
  if (!next || picture(next) !== picture(layout)) return false;
  if (typing(layout)) return true; // begun while the answer came; the next look tries again
  const main = layout.parentElement ?? layout;
  const focused = main.contains(document.activeElement) ? whatIs(document.activeElement) : "";
  for (const part of [".title-row", "[data-seat] > section"]) {
    const fresh = page.querySelector(part);
    if (fresh) document.querySelector(part)?.replaceWith(document.adoptNode(fresh));
  }
  for (const old of document.querySelectorAll("main > .problem")) old.remove();
  layout.before(...page.querySelectorAll("main > .problem"));
  layout.dataset["version"] = next.dataset["version"] ?? "";
  if (focused && !main.contains(document.activeElement)) main.querySelector<HTMLElement>(focused)?.focus();
  return true;
}

// Which picture a page shows: the redacted player, the clear one, or the words in its place.
function picture(layout: Element): string {
  if (layout.querySelector("review-player")) return "redacted";
  return layout.querySelector("video") ? "clear" : (layout.firstElementChild?.textContent ?? "").trim();
}

// A selector by which the same control is found on the next page.
function whatIs(control: Element | null): string {
  if (!control || control === document.body) return "";
  if (control.id) return `#${CSS.escape(control.id)}`;
  const name = control.getAttribute("name");
  if (name) return `[name="${CSS.escape(name)}"][value="${CSS.escape(control.getAttribute("value") ?? "")}"]`;
  const action = control.closest("form")?.getAttribute("action");
  return action ? `form[action="${CSS.escape(action)}"] ${control.localName}` : "";
}

function typing(layout: HTMLElement): boolean {
  return [...layout.querySelectorAll<HTMLInputElement>("section input")].some((field) =>
    ["radio", "checkbox"].includes(field.type) ? field.checked : field.value !== "",
  );
}

function countDown(): void {
  const left = document.querySelector<HTMLElement>("[data-countdown]");
  if (!left) return;
  const end = Date.now() + 1000 * Number(left.dataset["countdown"]);
  const tick = setInterval(() => {
    const seconds = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    left.textContent = String(seconds);
    if (seconds > 0) return;
    clearInterval(tick);
    document.querySelector<HTMLVideoElement>("video.clear")?.removeAttribute("src");
    location.reload();
  }, 500);
}

customElements.define("review-player", ReviewPlayer);
const layout = document.querySelector<HTMLElement>("[data-seat]");
if (layout) void follow(layout);
countDown();
