// The wall: enlarge a tile by click or key, count the states, run the clock.

import { AlertDesk } from "./alert-desk.js";
import { WallTile } from "./wall-tile.js";

customElements.define("wall-tile", WallTile);

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "ß"];
const wall = document.querySelector<HTMLElement>("[data-wall]");

const queue = document.querySelector<HTMLElement>("[data-queue]");
const desk = queue ? new AlertDesk(queue) : null;

function tiles(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>("[data-wall] wall-tile")];
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
}

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
  if (event.ctrlKey || event.altKey || event.metaKey || event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLSelectElement) return;
  if (event.key === "Escape") {
    enlarge(null);
    return;
  }
  const inControl = event.target instanceof Element && event.target.closest("button, a, select, summary") !== null;
  if (event.key === " " && desk && !inControl) {
    event.preventDefault();
    desk.acknowledge();
    return;
  }
  if (event.key.toLowerCase() === "r" && desk) desk.record();
  if (event.key.toLowerCase() === "p") window.location.assign(window.location.pathname === "/plan" ? "/wall" : "/plan");
  const tile = tiles()[KEYS.indexOf(event.key)];
  if (wall && KEYS.includes(event.key) && tile) enlarge(tile);
});

document.addEventListener("tile-state", count);
document.addEventListener("change", (event) => {
  const select = event.target;
  if (select instanceof HTMLSelectElement && select.dataset["submit"] !== undefined) select.form?.requestSubmit();
});
window.setInterval(tick, 1000);
tick();
count();
