// One camera on the wall. Says at every moment, in words and by shape, what its picture is worth.
//
//   <wall-tile camera="vorplatz-nord" state="starting" data-labels='{"live": "...", ...}'>   (or around many of them)

import { Player } from "./player.js";

type State = "starting" | "live" | "stale" | "lost" | "redaction-fault" | "stopped";
type Message = { kind: "state"; state: State; detail: string; note: string; recording: string } | { kind: "head"; codec: string };

const STALE_MS = 2000;
const CHECK_MS = 500;
const FIRST_WAIT_MS = 500;
const MOST_WAIT_MS = 8000;

let asking = false;

/** Where the session is over, the page for signing in is better than a tile that tries for ever. */
async function stillSignedIn(): Promise<void> {
  if (asking) return;
  asking = true;
  try {
    if ((await fetch("/session")).status === 401) location.reload();
  } catch {
    // No answer at all: the server is away, and the tile says that the camera is lost.
  }
  asking = false;
}

export class WallTile extends HTMLElement {
  private readonly video = document.createElement("video");
  private player: Player | null = null;
  private socket: WebSocket | null = null;
  private told: State = "starting";
  private pictureAt = 0;
  private openedAt = 0;
  private failures = 0;
  private timer = 0;
  private retry = 0;
  private labels: Record<string, string> = {};

  connectedCallback(): void {
    this.labels = JSON.parse(this.closest<HTMLElement>("[data-labels]")?.dataset["labels"] ?? "{}") as Record<string, string>;
    this.video.muted = true;
    this.video.playsInline = true;
    this.video.disablePictureInPicture = true;
    this.video.setAttribute("aria-hidden", "true");
    this.querySelector(".tile-picture")?.prepend(this.video);
    this.video.addEventListener("error", this.restart);
    this.video.addEventListener("resize", this.reshape);
    this.player = new Player(this.video, this.restart);
    document.addEventListener("visibilitychange", this.onVisible);
    this.timer = window.setInterval(() => this.show(), CHECK_MS);
    this.connect();
  }

  disconnectedCallback(): void {
    window.clearInterval(this.timer);
    window.clearTimeout(this.retry);
    document.removeEventListener("visibilitychange", this.onVisible);
    this.video.removeEventListener("error", this.restart);
    this.video.removeEventListener("resize", this.reshape);
    this.close();
    this.player?.end();
    this.video.remove();
  }

  get state(): State {
    return (this.getAttribute("state") ?? "starting") as State;
  }

  private connect(): void {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const camera = encodeURIComponent(this.getAttribute("camera") ?? "");
    const socket = new WebSocket(`${scheme}://${location.host}/cameras/${camera}/live`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.openedAt = performance.now();
    socket.addEventListener("message", (event: MessageEvent<ArrayBuffer | string>) => {
      if (this.socket !== socket) return;
      if (typeof event.data === "string") this.hear(JSON.parse(event.data) as Message);
      else this.take(event.data);
    });
    socket.addEventListener("close", () => {
      if (this.socket === socket) this.again();
    });
  }

  private hear(message: Message): void {
    if (message.kind === "head") {
      this.player?.begin(message.codec);
      return;
    }
    this.told = message.state;
    this.toggleAttribute("recording", message.recording !== "");
    const detail = this.querySelector(".tile-detail");
    if (detail) detail.textContent = message.detail;
    const note = this.querySelector(".tile-note");
    if (note) note.textContent = message.note;
    this.show();
  }

  private take(data: ArrayBuffer): void {
    this.failures = 0;
    this.player?.append(data);
    if (data.byteLength > 0) this.pictureAt = performance.now();
    this.show();
  }

  private close(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
  }

  private readonly restart = (): void => {
    if (!this.socket) return;
    this.close();
    this.again();
  };

  private again(): void {
    this.socket = null;
    this.pictureAt = 0;
    this.told = "lost";
    this.player?.end();
    this.show();
    this.failures += 1;
    if (this.failures > 1) void stillSignedIn();
    const wait = Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(this.failures - 1, 6));
    window.clearTimeout(this.retry);
    this.retry = window.setTimeout(() => this.connect(), wait);
  }

  /** The picture has another shape than was thought: the wall is laid out anew. */
  private readonly reshape = (): void => {
    const { videoWidth, videoHeight } = this.video;
    const shape = videoHeight ? (videoWidth / videoHeight).toFixed(4) : "";
    if (!shape || Math.abs(Number(shape) - Number(this.dataset["shape"] ?? 0)) < 0.01) return;
    this.dataset["shape"] = shape;
    this.dispatchEvent(new CustomEvent("tile-shape", { bubbles: true }));
  };

  private readonly onVisible = (): void => {
    if (!document.hidden) this.player?.catchUp(true);
  };

  /** The state that is shown: what the control room said, unless no new picture came for two seconds. */
  private show(): void {
    let state = this.told;
    const since = performance.now() - Math.max(this.pictureAt, this.openedAt);
    if ((state === "live" || state === "redaction-fault") && since > STALE_MS) state = "stale";
    if (state === "live" && !this.pictureAt) state = "starting";
    if (state === this.state && this.dataset["shown"]) return;
    this.dataset["shown"] = "1";
    this.setAttribute("state", state);
    for (const word of this.querySelectorAll(".tile-state-word")) word.textContent = this.labels[state] ?? state;
    const notice = this.querySelector(".tile-notice-word");
    if (notice) notice.textContent = this.labels[`${state}-long`] ?? "";
    this.dispatchEvent(new CustomEvent("tile-state", { bubbles: true, detail: state }));
  }
}
