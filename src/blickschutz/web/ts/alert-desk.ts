// The alert queue beside the wall: hears of changes (Server-Sent Events), renews the list, sounds, notifies.

type Change = { id: number; state: string; name: string; camera: string; taken: number; clip: boolean };

const TOLD_MS = 60_000;
const BEEP_HZ = 660;
const BEEP_S = 0.25;
const QUIET_S = 0.12;
const RENEW_MS = 150;

export class AlertDesk {
  private readonly texts: Record<string, string>;
  private renewing = false;
  private again = false;
  private shown = "";
  private audio: AudioContext | null = null;
  private readonly told = new Set<number>();

  constructor(private readonly list: HTMLElement) {
    this.texts = JSON.parse(list.dataset["texts"] ?? "{}") as Record<string, string>;
    for (const card of list.querySelectorAll<HTMLElement>("[data-alert]")) this.told.add(Number(card.dataset["alert"]));
    const source = new EventSource("/alerts/stream");
    source.addEventListener("alert", (event) => this.changed(JSON.parse((event as MessageEvent<string>).data) as Change));
    source.addEventListener("error", () => { this.say(this.texts["lost"] ?? ""); void this.renew(); });
    source.addEventListener("open", () => { this.say(""); void this.renew(); });
    const ask = document.querySelector<HTMLButtonElement>("[data-notify]");
    if (ask && "Notification" in window && Notification.permission === "default") {
      ask.hidden = false;
      ask.addEventListener("click", () => void Notification.requestPermission().then(() => { ask.hidden = true; }));
    }
    document.querySelector("[data-sound]")?.addEventListener("change", () => { this.audio ??= new AudioContext(); void this.audio.resume(); });
    // Without leaving the page: eleven live pictures would have to start anew.
    list.addEventListener("submit", (event) => {
      const form = event.target as HTMLFormElement;
      event.preventDefault();
      const body = new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)]));
      fetch(form.action, { method: "POST", body, redirect: "manual" })
        .then((answer) => {
          if (answer.status === 401) form.submit();
          else if (answer.status === 503) this.say(this.texts["busy"] ?? "");
          else void this.renew();
        })
        .catch(() => form.submit());
    });
    window.setInterval(() => this.ages(), 1000);
    this.ages();
  }

  /** The most pressing alert that nobody acknowledged: its form is sent. */
  acknowledge(): void {
    this.list.querySelector<HTMLButtonElement>("[data-acknowledge]")?.form?.requestSubmit();
  }

  /** To the form that orders a recording, at the most pressing alert. */
  record(): void {
    const first = this.list.querySelector<HTMLElement>("[data-alert]")?.dataset["alert"];
    if (first) window.location.assign(`/alerts/${first}#record`);
  }

  private changed(change: Change): void {
    if (change.state === "raised" && !this.told.has(change.id)) {
      this.told.add(change.id);
      const text = `${change.name}, ${change.camera}`;
      this.say(`${this.texts["new"] ?? ""}: ${text}`);
      this.beep();
      if ("Notification" in window && Notification.permission === "granted" && Date.now() - change.taken * 1000 < TOLD_MS) {
        new Notification(this.texts["new"] ?? "", { body: text, tag: `alert-${change.id}` });
      }
    } else if (change.state === "escalated") {
      this.beep();
    }
    void this.renew();
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
      this.say(this.texts["lost"] ?? "");
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
    const old = new Map([...this.list.querySelectorAll(":scope > [data-alert]")].map((card) => [this.key(card), card]));
    const focused = this.list.contains(document.activeElement) ? this.key(document.activeElement?.closest("li") ?? this.list) : "";
    this.list.replaceChildren(...[...parsed.content.children].map((card) => old.get(this.key(card)) ?? document.adoptNode(card)));
    // A video that only left the page keeps its decoded pictures until the browser tidies up; on a wall that may be hours.
    for (const card of old.values()) if (!card.isConnected) for (const video of card.querySelectorAll("video")) release(video);
    // The address comes last: a video with one in a document that is not shown waits for its data for ever and is never freed.
    for (const video of this.list.querySelectorAll<HTMLVideoElement>("video[data-source]")) {
      video.src = video.dataset["source"] ?? "";
      delete video.dataset["source"];
    }
    if (focused) [...this.list.children].find((card) => this.key(card) === focused)?.querySelector<HTMLElement>("button, a")?.focus();
    this.ages();
  }

  private key(card: Element): string {
    const { alert, state } = (card as HTMLElement).dataset;
    return alert ? `${alert} ${state} ${card.querySelector("video") !== null}` : "";
  }

  private ages(): void {
    const english = document.documentElement.lang === "en";
    for (const time of this.list.querySelectorAll<HTMLTimeElement>("time[data-age]")) {
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(time.dateTime)) / 1000));
      const text = seconds < 90 ? `${seconds} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
      time.textContent = english ? `${text} ago` : `vor ${text}`;
    }
  }

  private beep(): void {
    const box = document.querySelector<HTMLInputElement>("[data-sound]");
    if (!box?.checked || !this.audio) return;
    for (const number of [0, 1]) {
      const tone = new OscillatorNode(this.audio, { frequency: BEEP_HZ * (1 + number / 3) });
      const volume = new GainNode(this.audio, { gain: 0.15 });
      const start = this.audio.currentTime + number * (BEEP_S + QUIET_S);
      tone.connect(volume).connect(this.audio.destination);
      tone.start(start);
      tone.stop(start + BEEP_S);
    }
  }

  private say(text: string): void {
    const line = document.querySelector("[data-queue-line]");
    if (line) line.textContent = text;
  }
}

function release(video: HTMLVideoElement): void {
  video.pause();
  video.removeAttribute("src");
  video.load();
}
