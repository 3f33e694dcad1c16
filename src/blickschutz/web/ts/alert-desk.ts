// The alert queue beside the wall: hears of changes (Server-Sent Events), renews the list, lets keys act on the selected alert.

import { Panel } from "./panel.js";
import { Selection, type Item } from "./selection.js";
import { PRIORITIES, Sound, type Priority } from "./sound.js";
import { send } from "./sending.js";

type Change = { id: number; state: string; name: string; camera: string; taken: number; clip: boolean; priority: Priority };

/** What the queue does to the wall. */
export interface Wall {
  readonly enlargedCamera: string;
  show(camera: string): void;
  alarm(cameras: Record<string, Priority>): void;
  select(camera: string): void;
  name(camera: string): string;
}

const TOLD_MS = 60_000;
const RENEW_MS = 150;
const UNDO_MS = 10_000;
const HAND_MS = 1000;

export class AlertDesk {
  private readonly texts: Record<string, string>;
  private readonly selection = new Selection();
  private readonly sound: Sound | null;
  private readonly panel: Panel | null;
  private renewing = false;
  private again = false;
  private shown = "";
  private undoable: { id: number; also: string; until: number } | null = null;
  private storm = false;
  private pointedAt = -Infinity;
  private readonly told = new Set<number>();

  constructor(private readonly list: HTMLElement, private readonly wall: Wall) {
    this.texts = JSON.parse(list.dataset["texts"] ?? "{}") as Record<string, string>;
    for (const card of this.cards()) for (const id of [Number(card.dataset["alert"]), ...others(card)]) this.told.add(id);
    const panel = document.querySelector<HTMLElement>("[data-panel]");
    this.panel = panel ? new Panel(panel, (act, id, also) => this.decided(act, id, also)) : null;
    const box = document.querySelector<HTMLInputElement>("[data-sound]"), volume = document.querySelector<HTMLInputElement>("[data-volume]");
    this.sound = box && volume ? new Sound(box, volume) : null;
    document.querySelector("[data-sound-test]")?.addEventListener("click", () => {
      if (box && !box.checked) box.click();
      this.sound?.play("high", Date.now());
    });
    const source = new EventSource("/alerts/stream");
    source.addEventListener("alert", (event) => this.changed(JSON.parse((event as MessageEvent<string>).data) as Change));
    source.addEventListener("bar", () => document.dispatchEvent(new CustomEvent("bar-changed")));
    source.addEventListener("error", () => { this.say("lost"); void this.renew(); });
    source.addEventListener("open", () => { this.say(""); void this.renew(); });
    this.askForNotices();
    list.addEventListener("pointerdown", () => { this.pointedAt = performance.now(); });
    list.addEventListener("click", (event) => this.clicked(event));
    // Without leaving the page: the live pictures would have to start anew.
    list.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target as HTMLFormElement;
      const id = Number(form.closest<HTMLElement>("[data-alert]")?.dataset["alert"]), now = performance.now();
      const meant = now - this.pointedAt < HAND_MS ? this.selection.mayClick(id, now) : this.selection.isSeen(id, now);
      if (meant) void this.acknowledge(id);
      else this.say("wait");
    });
    document.querySelector("[data-undo]")?.addEventListener("click", () => void this.undo());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.selection.unseenUntil(performance.now()); });
    window.setInterval(() => this.tick(), 1000);
    this.listed();
    this.tick();
  }

  /** A key that is for the alerts; returns whether it was. */
  key(key: string): boolean {
    if (key === "ArrowDown" || key === "ArrowUp") {
      this.selection.move(key === "ArrowDown" ? 1 : -1, performance.now());
      this.mark(true);
      if (this.wall.enlargedCamera) this.enlarge();
    } else if (key === " ") this.press();
    else if (key === "Enter") this.open();
    else if (key.toLowerCase() === "u") void this.undo();
    else if (key.toLowerCase() === "r") void this.record();
    else if (key === "Escape" && this.panel?.isOpen) this.panel.close();
    else if (key === "Escape") {
      // The picture goes back, too: that is the wall's.
      this.selection.clear();
      this.mark(false);
      return false;
    } else return false;
    return true;
  }

  private press(): void {
    const act = this.selection.press(performance.now());
    this.mark(true);
    if (act.kind === "acknowledge") void this.acknowledge(act.id);
    else if (act.kind === "select") {
      this.enlarge();
      this.say("selected", this.words(act.id));
    } else this.say(act.kind === "wait" ? "wait" : "none");
  }

  private open(): void {
    const id = this.selection.selected;
    if (id === null) return;
    this.enlarge();
    void this.panel?.open(id);
  }

  /** The camera of the selected alert becomes the large picture. */
  private enlarge(): void {
    const camera = this.card(this.selection.selected)?.dataset["camera"];
    if (camera) this.wall.show(camera);
  }

  private async acknowledge(id: number): Promise<void> {
    const further = this.selection.seenWith(id, performance.now()), also = further.join(" ");
    const what = this.words(id) + (further.length ? ` (${1 + further.length})` : "");
    this.selection.choose(id, performance.now());
    const { done, problem } = await send(`/alerts/${id}/acknowledge`, { back: "wall", also });
    if (done) {
      this.undoable = { id, also, until: Date.now() + UNDO_MS };
      this.say("acknowledged", what);
    } else this.say(problem === "busy" ? "busy" : "late");
    this.tick();
    await this.renew();
    this.panel?.renew(id);
  }

  private async undo(): Promise<void> {
    const last = this.undoable;
    if (!last) return;
    this.undoable = null;
    const { done } = await send(`/alerts/${last.id}/undo`, { back: "wall", also: last.also });
    this.say(done ? "undone" : "over", done ? this.words(last.id) : "");
    this.tick();
    await this.renew();
    this.panel?.renew(last.id);
  }

  /** Order a recording: of the enlarged camera, else of the selected alert's. The wall stays, and says whether it was ordered. */
  private async record(): Promise<void> {
    const card = this.card(this.selection.selected);
    const camera = this.wall.enlargedCamera || (card?.dataset["camera"] ?? "");
    if (!camera) { this.say("nothing"); return; }
    const ofAlert = card?.dataset["camera"] === camera ? `/alerts/${card.dataset["alert"]}/record` : "";
    const { done, problem } = await send(ofAlert || `/cameras/${encodeURIComponent(camera)}/record`, { text: this.texts["record"] ?? "" });
    this.say(done ? "ordered" : "unordered", done ? this.wall.name(camera) : `${this.wall.name(camera)}. ${problem === "busy" ? this.texts["busy"] ?? "" : problem}`);
  }

  /** Something was done in the panel: what can be taken back is offered. */
  private decided(act: string, id: number, also: string): void {
    if (act === "close" || act === "together" || act === "acknowledge") {
      this.undoable = { id, also, until: Date.now() + UNDO_MS };
      const what = document.querySelector("[data-panel] h2")?.textContent ?? "";
      this.say(act === "acknowledge" ? "acknowledged" : "closed", what + (also ? ` (${also.split(" ").length + 1})` : ""));
    } else if (act === "undo") this.undoable = null;
    this.tick();
    void this.renew();
  }

  private clicked(event: Event): void {
    const target = event.target as Element;
    const card = target.closest<HTMLElement>("[data-alert]");
    if (!card) return;
    this.selection.choose(Number(card.dataset["alert"]), performance.now());
    this.mark(false);
    const link = target.closest("a[data-open]"), mouse = event as MouseEvent;
    if (link && !mouse.ctrlKey && !mouse.metaKey && !mouse.shiftKey) {
      event.preventDefault();
      this.open();
    }
  }

  private changed(change: Change): void {
    if (change.state === "raised") this.came([change.id], change.priority, `${change.name}, ${change.camera}`, change.taken * 1000);
    void this.renew();
  }

  /** Tell of alerts, once each, whether the stream or the list names them first. `taken`: in milliseconds, as `Date.now()`. */
  private came(ids: number[], priority: Priority, text: string, taken: number): void {
    const isNew = ids.some((id) => !this.told.has(id));
    for (const id of ids) this.told.add(id);
    if (!isNew || this.storm) return;
    this.say("new", text);
    this.sound?.came(priority, Date.now());
    if ("Notification" in window && Notification.permission === "granted" && Date.now() - taken < TOLD_MS) {
      new Notification(this.texts["new"] ?? "", { body: text, tag: `alert-${ids[0]}` });
    }
  }

  /** Get the list anew, a few times a second at most. Playing pictures go on where the card stays the same. */
  private async renew(): Promise<void> {
    if (this.renewing) { this.again = true; return; }
    this.renewing = true;
    try {
      const answer = await fetch("/alerts/queue", { headers: { Accept: "text/html" } });
      if (answer.status === 401) window.location.reload();
      else if (answer.ok) this.show(await answer.text());
    } catch {
      this.say("lost");
    }
    window.setTimeout(() => {
      this.renewing = false;
      if (this.again) { this.again = false; void this.renew(); }
    }, RENEW_MS);
  }

  private show(html: string): void {
    if (html === this.shown) return;
    this.shown = html;
    const parsed = document.createElement("template");
    parsed.innerHTML = html;
    const old = new Map(this.cards().map((card) => [this.identity(card), card]));
    const focused = this.list.contains(document.activeElement) ? document.activeElement?.closest<HTMLElement>("[data-alert]")?.dataset["alert"] : "";
    this.list.replaceChildren(...[...parsed.content.children].map((card) => old.get(this.identity(card as HTMLElement)) ?? document.adoptNode(card)));
    // A video that only left the page keeps its decoded pictures until the browser tidies up; on a wall that may be hours.
    for (const card of old.values()) if (!card.isConnected) for (const video of card.querySelectorAll("video")) release(video);
    // The address comes last: a video with one in a document that is not shown waits for its data for ever and is never freed.
    for (const video of this.list.querySelectorAll<HTMLVideoElement>("video[data-source]")) {
      video.src = video.dataset["source"] ?? "";
      delete video.dataset["source"];
    }
    if (focused && !this.list.contains(document.activeElement)) this.card(Number(focused))?.querySelector<HTMLElement>("button, a")?.focus();
    this.listed();
    this.tick();
  }

  /** The list on the page is another one now. */
  private listed(): void {
    const items: Item[] = this.cards().map((card) => ({ id: Number(card.dataset["alert"]), waiting: isWaiting(card), others: others(card) }));
    this.selection.list(items, performance.now());
    const storm = this.list.querySelector("[data-storm]") !== null;
    if (storm !== this.storm) this.say(storm ? "storm" : "");
    this.storm = storm;
    this.sound?.storm(storm);
    for (const card of this.cards().filter(isWaiting)) this.cameWith(card);
    this.wall.alarm(JSON.parse(this.list.querySelector<HTMLElement>("[data-alarming]")?.dataset["alarming"] ?? "{}") as Record<string, Priority>);
    this.mark(false);
  }

  /** What is in the list was not always in the stream: it opens after the page, and may have been away. */
  private cameWith(card: HTMLElement): void {
    const id = Number(card.dataset["alert"]), priority = PRIORITIES.find((one) => one === card.dataset["priority"]);
    const taken = card.querySelector<HTMLTimeElement>("time[data-age]")?.dateTime ?? "";
    if (priority) this.came([id, ...others(card)], priority, this.words(id), Date.parse(taken));
  }

  /** Show which alert is the selected one, in the list and on the wall. */
  private mark(scroll: boolean): void {
    const selected = this.selection.selected;
    for (const card of this.cards()) {
      if (Number(card.dataset["alert"]) === selected) {
        card.setAttribute("aria-current", "true");
        if (scroll) card.scrollIntoView({ block: "nearest" });
      } else card.removeAttribute("aria-current");
    }
    this.wall.select(this.card(selected)?.dataset["camera"] ?? "");
  }

  private tick(): void {
    const english = document.documentElement.lang === "en";
    for (const time of this.list.querySelectorAll<HTMLTimeElement>("time[data-age]")) {
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
      const text = seconds < 90 ? `${seconds} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
      time.textContent = english ? `${text} ago` : `vor ${text}`;
    }
    const waiting = new Set(this.cards().filter(isWaiting).map((card) => card.dataset["priority"]));
    this.sound?.waiting(PRIORITIES.find((priority) => waiting.has(priority)) ?? null, Date.now());
    const left = this.undoable ? Math.ceil((this.undoable.until - Date.now()) / 1000) : 0;
    if (left <= 0) this.undoable = null;
    const line = document.querySelector<HTMLElement>("[data-undo-line]");
    if (line) line.hidden = left <= 0;
    const seconds = document.querySelector("[data-undo-left]");
    if (seconds) seconds.textContent = left > 0 ? `${left} s` : "";
  }

  private askForNotices(): void {
    const ask = document.querySelector<HTMLButtonElement>("[data-notify]");
    if (!ask || !("Notification" in window) || Notification.permission !== "default") return;
    ask.hidden = false;
    ask.addEventListener("click", () => void Notification.requestPermission().then(() => { ask.hidden = true; }));
  }

  private cards(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>(":scope > [data-alert]")];
  }

  private card(id: number | null): HTMLElement | undefined {
    return this.cards().find((card) => Number(card.dataset["alert"]) === id);
  }

  private identity(card: HTMLElement): string {
    const { alert, state, others } = card.dataset;
    return alert ? `${alert} ${state} ${card.querySelector("video") !== null} ${others}` : "";
  }

  private words(id: number): string {
    const card = this.card(id);
    return `${card?.querySelector("strong")?.textContent ?? ""}, ${card?.querySelector("[data-place]")?.textContent ?? ""}`;
  }

  private say(text: string, about = ""): void {
    const line = document.querySelector("[data-queue-line]");
    if (line) line.textContent = text ? [this.texts[text] ?? "", about].filter(Boolean).join(": ") : "";
  }
}

function isWaiting(card: HTMLElement): boolean {
  return card.dataset["state"] === "raised" || card.dataset["state"] === "escalated";
}

/** The other alerts in the row that this card is of. */
function others(card: HTMLElement): number[] {
  return (card.dataset["others"] ?? "").split(" ").filter(Boolean).map(Number);
}

function release(video: HTMLVideoElement): void {
  video.pause();
  video.removeAttribute("src");
  video.load();
}
