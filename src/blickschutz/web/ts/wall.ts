// The wall: where the pictures lie, which is large, which cameras alarm; counts of states, and the clock of every page.

import { AlertDesk, type Wall } from "./alert-desk.js";
import { followBar } from "./bar.js";
import { enlarged, solve } from "./layout.js";
import type { Priority } from "./sound.js";
import { WallTile } from "./wall-tile.js";

customElements.define("wall-tile", WallTile);

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "ß"];
const GAP = 6;
const QUEUE = 300;
const QUEUE_WITH_PANEL = 440;
/** Below this width the pictures stand in one column, as the style says (px). */
const NARROW = 900;
const USUAL_SHAPE = 16 / 9;

const wall = document.querySelector<HTMLElement>("[data-wall]");
const frame = document.querySelector<HTMLElement>("[data-layout]");

function tiles(): HTMLElement[] {
  return wall ? [...wall.querySelectorAll<HTMLElement>("wall-tile")] : [];
}

function tileOf(camera: string): HTMLElement | undefined {
  return tiles().find((tile) => tile.getAttribute("camera") === camera);
}

/** Enlarge that tile, or none; the same one again goes back. */
function enlarge(tile: HTMLElement | null): void {
  if (!wall) return;
  const again = tile?.hasAttribute("enlarged") ?? true;
  for (const other of tiles()) {
    other.removeAttribute("enlarged");
    other.querySelector("button")?.setAttribute("aria-pressed", "false");
  }
  wall.classList.toggle("has-enlarged", !again);
  if (!again && tile) {
    tile.setAttribute("enlarged", "");
    tile.querySelector("button")?.setAttribute("aria-pressed", "true");
  }
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
  const space = { width: frame.clientWidth - queue - 8, height: frame.clientHeight, gap: GAP, caption };
  const shapes = all.map((tile) => Number(tile.dataset["shape"]) || USUAL_SHAPE);
  const large = all.findIndex((tile) => tile.hasAttribute("enlarged"));
  const found = large < 0 ? solve(shapes, space) : enlarged(shapes, large, space);
  frame.style.gridTemplateColumns = `${Math.ceil(found.width)}px minmax(0, 1fr)`;
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
    if (tile && !tile.hasAttribute("enlarged")) enlarge(tile);
  },
  alarm(cameras: Record<string, Priority>) {
    for (const tile of tiles()) {
      const priority = cameras[tile.getAttribute("camera") ?? ""];
      if (priority) tile.setAttribute("alarming", priority);
      else tile.removeAttribute("alarming");
      tile.querySelector(".tile-alert")?.setAttribute("data-priority", priority ?? "");
    }
  },
  select(camera: string) { for (const tile of tiles()) tile.toggleAttribute("selected", tile.getAttribute("camera") === camera); },
  name(camera: string) { return tileOf(camera)?.querySelector(".tile-name")?.textContent ?? camera; },
};

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
  const inControl = target.closest("button, a, select, summary, input") !== null && [" ", "Enter", "ArrowUp", "ArrowDown"].includes(event.key);
  if (!inControl && !event.repeat && desk?.key(event.key)) { event.preventDefault(); return; }
  if (event.key === "Escape") enlarge(null);
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
window.setInterval(tick, 1000);
tick();
count();
arrange();
followBar(desk !== null);
