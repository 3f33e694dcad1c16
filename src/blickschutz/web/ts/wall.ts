// The wall: where the pictures lie, which is large, which cameras alarm; counts of states, and the clock of every page.

import { AlertDesk, type Wall } from "./alert-desk.js";
import { followBar } from "./bar.js";
import { enlarged, solve } from "./layout.js";
import { Lens } from "./lens.js";
import { Patrol } from "./patrol.js";
import { followPlan } from "./plan.js";
import type { Priority } from "./sound.js";
import { Attention, staged, type View } from "./stage.js";
import { Step, type Told } from "./step.js";
import { WallTile } from "./wall-tile.js";

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "ß"];
const GAP = 6;
const QUEUE = 300;
const QUEUE_WITH_PANEL = 440;
/** Below this width the pictures stand in one column, as the style says (px). */
const NARROW = 900;
const USUAL_SHAPE = 16 / 9;

const wall = document.querySelector<HTMLElement>("[data-wall]");
const frame = document.querySelector<HTMLElement>("[data-layout]");

const every = wall ? [...wall.querySelectorAll<HTMLElement>("wall-tile")] : [];
const settings = JSON.parse(wall?.dataset["settings"] ?? "{}") as {
  views?: Record<string, View>; chosen?: string; enlarge?: boolean; patrol?: { views: string[]; seconds: number };
};
/** The tiles on the wall in their order. One that is off it has no stream. */
let stage: readonly HTMLElement[] = every;
const attention = new Attention();
const isWindow = frame?.hasAttribute("data-window") ?? false;
const lens = wall ? new Lens(wall) : null;

function tiles(): readonly HTMLElement[] {
  return stage;
}

function idOf(tile: HTMLElement | undefined): string {
  return tile?.getAttribute("camera") ?? "";
}

/** Also of a camera that is off the wall: it comes onto it where it is to be seen. */
function tileOf(camera: string): HTMLElement | undefined {
  return every.find((tile) => idOf(tile) === camera);
}

/** Put these cameras onto the wall and take the others off it; those that stay go on without a break. */
function put(cameras: readonly string[]): void {
  stage = cameras.map(tileOf).filter((tile) => tile !== undefined);
  for (const tile of every) if (!stage.includes(tile)) { tile.removeAttribute("enlarged"); tile.remove(); }
  for (const tile of stage) if (!tile.isConnected) wall?.append(tile);
  wall?.classList.toggle("has-enlarged", stage.some((tile) => tile.hasAttribute("enlarged")));
  for (const total of document.querySelectorAll("[data-total]")) total.textContent = String(stage.length);
}

function choose(name: string): void {
  const view = settings.views?.[name];
  put(staged(every.map(idOf), view));
  for (const tile of tiles()) tile.removeAttribute("enlarged");
  wall?.classList.remove("has-enlarged");
  const large = view?.large ? tileOf(view.large) : undefined;
  if (large?.isConnected) enlarge(large);
  else {
    step?.tell({ kind: "shown", camera: "" });
    arrange();
  }
  count();
}

/** The enlarged or selected camera with those that stand beside it; the same again gives the view back. */
let besides = false;
function beside(): void {
  const tile = tiles().find((one) => one.hasAttribute("enlarged")) ?? tiles().find((one) => one.hasAttribute("selected"));
  if (besides || !tile) { besides = false; choose(viewSelect?.value ?? ""); return; }
  besides = true;
  put([idOf(tile), ...(tile.dataset["besideCameras"] ?? "").split(" ").filter((camera) => camera !== "")]);
  if (!tile.hasAttribute("enlarged")) enlarge(tile);
  arrange();
  count();
}

const viewSelect = document.querySelector<HTMLSelectElement>("[data-view]");
const patrolButton = document.querySelector<HTMLButtonElement>("[data-patrol]");
/** By itself only where nobody named a view: who opens one wants to see it. */
const patrol = patrolButton && settings.patrol ? new Patrol(settings.patrol.views, 1000 * settings.patrol.seconds, !settings.chosen, performance.now()) : null;

/** Somebody is at something: an alert selected or open, a picture larger than the view has it, a camera with its neighbours. */
function isHeld(): boolean {
  const large = idOf(tiles().find((tile) => tile.hasAttribute("enlarged")));
  return besides || document.hidden || large !== (settings.views?.[viewSelect?.value ?? ""]?.large ?? "")
    || every.some((tile) => tile.hasAttribute("selected")) || document.querySelector<HTMLElement>("[data-panel]")?.hidden === false;
}

function goRound(): void {
  if (!patrol || !viewSelect || !patrolButton) return;
  const held = isHeld(), next = patrol.due(viewSelect.value, held, performance.now());
  if (next !== undefined) { viewSelect.value = next; choose(next); }
  const how = !patrol.on ? "off" : held ? "held" : "on";
  patrolButton.setAttribute("aria-pressed", String(patrol.on));
  const line = patrolButton.querySelector("[data-patrol-line]");
  if (line && line.textContent !== patrolButton.dataset[how]) line.textContent = patrolButton.dataset[how] ?? "";
}

function togglePatrol(): void {
  patrol?.toggle(performance.now());
  goRound();
}

function full(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void document.documentElement.requestFullscreen().catch(() => undefined);
}

if (settings.chosen) put(staged(every.map(idOf), settings.views?.[settings.chosen]));
customElements.define("wall-tile", WallTile);

/** Enlarge that tile, or none; the same one again goes back. */
function enlarge(tile: HTMLElement | null): void {
  if (!wall) return;
  const again = tile?.hasAttribute("enlarged") ?? true;
  for (const other of tiles()) {
    if (other.hasAttribute("enlarged")) lens?.reset(other);
    other.removeAttribute("enlarged");
    other.querySelector("button")?.setAttribute("aria-pressed", "false");
  }
  wall.classList.toggle("has-enlarged", !again);
  if (!again && tile) {
    tile.setAttribute("enlarged", "");
    tile.querySelector("button")?.setAttribute("aria-pressed", "true");
  }
  step?.tell({ kind: "shown", camera: again ? "" : idOf(tile ?? undefined) });
  arrange();
}

/** Put the pictures where the solver says; the queue gets what they leave. */
function arrange(): void {
  if (!wall || !frame) return;
  const all = tiles(), narrow = window.innerWidth <= NARROW;
  wall.toggleAttribute("data-solved", !narrow);
  if (narrow) {
    frame.style.gridTemplateColumns = "";
    for (const tile of all) for (const name of ["left", "top", "width", "height"]) tile.style.removeProperty(name);
    return;
  }
  const queue = document.querySelector<HTMLElement>("[data-panel]")?.hidden === false ? QUEUE_WITH_PANEL : QUEUE;
  const caption = Number.parseFloat(getComputedStyle(wall).getPropertyValue("--caption")) || 28;
  const line = document.querySelector<HTMLElement>(".window-line")?.offsetHeight ?? 0;
  const space = { width: frame.clientWidth - (isWindow ? 0 : queue + 8), height: frame.clientHeight - (line && line + 8), gap: GAP, caption };
  const shapes = all.map((tile) => Number(tile.dataset["shape"]) || USUAL_SHAPE);
  const large = all.findIndex((tile) => tile.hasAttribute("enlarged"));
  const found = large < 0 ? solve(shapes, space) : enlarged(shapes, large, space);
  if (!isWindow) frame.style.gridTemplateColumns = `${Math.ceil(found.width)}px minmax(0, 1fr)`;
  all.forEach((tile, at) => {
    const box = found.boxes[at];
    if (!box) return;
    Object.assign(tile.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` });
    tile.toggleAttribute("small", box.width < 230);
  });
}

const room: Wall = {
  get enlargedCamera() { return tiles().find((tile) => tile.hasAttribute("enlarged"))?.getAttribute("camera") ?? ""; },
  show(camera: string) {
    const tile = tileOf(camera);
    if (tile && !tile.isConnected) put([...tiles().map(idOf), camera]);
    if (tile && !tile.hasAttribute("enlarged")) enlarge(tile);
  },
  alarm(cameras: Record<string, Priority>) {
    step?.tell({ kind: "alarm", cameras });
    if (settings.enlarge) {
      const wanted = attention.alarmed(cameras, this.enlargedCamera);
      if (wanted) this.show(wanted);
      else if (wanted === "") enlarge(null);
    }
    for (const tile of every) {
      const priority = cameras[tile.getAttribute("camera") ?? ""];
      if (priority) tile.setAttribute("alarming", priority);
      else tile.removeAttribute("alarming");
      tile.querySelector(".tile-alert")?.setAttribute("data-priority", priority ?? "");
    }
  },
  select(camera: string) {
    step?.tell({ kind: "select", camera });
    for (const tile of every) tile.toggleAttribute("selected", idOf(tile) === camera);
  },
  name(camera: string) { return tileOf(camera)?.querySelector(".tile-name")?.textContent ?? camera; },
};

/** What the first window shows, the second shows too, as long as it is told to. */
function follow(told: Told): void {
  if (!document.querySelector<HTMLInputElement>("[data-follow]")?.checked) return;
  if (told.kind === "alarm") room.alarm(told.cameras);
  else if (told.kind === "select") room.select(told.camera);
  else if (told.kind === "shown" && told.camera) room.show(told.camera);
  else if (told.kind === "shown") enlarge(null);
}

function sayStep(): void {
  const line = document.querySelector<HTMLElement>("[data-step]");
  const text = line?.dataset[step?.together ? "together" : "apart"] ?? "";
  if (line && line.textContent !== text) line.textContent = text;
}

let step: Step | null = null;
if (wall) step = isWindow ? new Step(follow) : new Step();

const queue = document.querySelector<HTMLElement>("[data-queue]");
const desk = queue ? new AlertDesk(queue, room) : null;

function count(): void {
  for (const output of document.querySelectorAll<HTMLElement>("[data-count]")) {
    const wanted = (output.dataset["count"] ?? "").split(" ");
    const number = tiles().filter((tile) => wanted.includes(tile.getAttribute("state") ?? "")).length;
    output.textContent = String(number);
    output.closest("[data-row]")?.toggleAttribute("data-none", number === 0);
  }
}

function tick(): void {
  for (const clock of document.querySelectorAll<HTMLTimeElement>("time[data-clock]")) {
    const now = new Date();
    const zone = clock.dataset["zone"] ?? "UTC";
    clock.textContent = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : "de-DE", {
      day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: zone,
    }).format(now);
    clock.dateTime = now.toISOString();
  }
}

wall?.addEventListener("click", (event) => {
  const button = (event.target as Element).closest("button[data-enlarge]");
  if (button) enlarge(button.closest<HTMLElement>("wall-tile"));
});

document.addEventListener("keydown", (event) => {
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key !== "Escape" && target.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  // Space and Enter on a button or a link are for that; so are the arrows in a group of choices.
  if (event.shiftKey && lens?.key(tiles().find((one) => one.hasAttribute("enlarged")), event.key, true)) { event.preventDefault(); return; }
  const inControl = target.closest("button, a, select, summary, input") !== null && [" ", "Enter", "ArrowUp", "ArrowDown"].includes(event.key);
  if (!inControl && !event.repeat && desk?.key(event.key)) { event.preventDefault(); return; }
  if (event.key === "Escape") enlarge(null);
  if (lens?.key(tiles().find((one) => one.hasAttribute("enlarged")), event.key, false)) { event.preventDefault(); return; }
  if (wall && event.key.toLowerCase() === "f") full();
  if (wall && event.key.toLowerCase() === "n") beside();
  if (wall && event.key.toLowerCase() === "g") togglePatrol();
  if (event.key.toLowerCase() === "p") window.location.assign(window.location.pathname === "/plan" ? "/wall" : "/plan");
  const tile = tiles()[KEYS.indexOf(event.key)];
  if (wall && KEYS.includes(event.key) && tile) enlarge(tile);
});

document.addEventListener("tile-state", count);
document.addEventListener("tile-shape", arrange);
document.addEventListener("panel", arrange);
if (frame) new ResizeObserver(arrange).observe(frame);
document.addEventListener("change", (event) => {
  const select = event.target;
  if (select instanceof HTMLSelectElement && select.dataset["submit"] !== undefined) select.form?.requestSubmit();
});
viewSelect?.addEventListener("change", () => { besides = false; choose(viewSelect.value); });
document.querySelector("[data-full]")?.addEventListener("click", full);
document.querySelector("[data-beside]")?.addEventListener("click", beside);
patrolButton?.addEventListener("click", togglePatrol);
if (patrol) {
  for (const act of ["keydown", "pointerdown", "pointermove", "wheel"]) document.addEventListener(act, () => patrol.hand(performance.now()), { capture: true, passive: true });
  window.setInterval(goRound, 500);
}
document.querySelector<HTMLAnchorElement>("[data-open-window]")?.addEventListener("click", (event) => {
  event.preventDefault();
  window.open(`/wall/window?view=${encodeURIComponent(viewSelect?.value ?? "")}`, "blickschutz-window", "popup");
});
window.setInterval(tick, 1000);
if (isWindow) window.setInterval(sayStep, 1000);
tick();
count();
arrange();
if (settings.chosen) choose(settings.chosen);
followBar(desk !== null);
followPlan();
