// Wheel, fingers and keys on a picture of the wall: a part of it larger, and moved.

import { moved, STEP, transform, WHOLE, zoomed, type Zoom } from "./zoom.js";

const MOVE_KEYS: Record<string, readonly [number, number]> = { ArrowLeft: [0.1, 0], ArrowRight: [-0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] };
/** A hand that moved less than this (px) has clicked. */
const CLICK_PX = 5;

export class Lens {
  private readonly zooms = new WeakMap<HTMLElement, Zoom>();
  private readonly fingers = new Map<number, { x: number; y: number }>();
  private drag: { tile: HTMLElement; moved: number } | null = null;

  constructor(wall: HTMLElement) {
    wall.addEventListener("wheel", (event) => {
      const tile = tileOf(event);
      if (!tile || event.ctrlKey) return;
      // Without a part that is larger the wheel goes on scrolling a page that scrolls.
      if (event.deltaY > 0 && this.of(tile).scale === 1) return;
      event.preventDefault();
      const [px, py] = share(tile, event.clientX, event.clientY);
      this.put(tile, zoomed(this.of(tile), event.deltaY < 0 ? STEP : 1 / STEP, px, py));
    }, { passive: false });
    wall.addEventListener("pointerdown", (event) => {
      const tile = tileOf(event);
      if (!tile || (event.button !== 0 && event.pointerType === "mouse")) return;
      this.fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
      this.drag = { tile, moved: 0 };
    });
    wall.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"] as const) window.addEventListener(end, (event) => this.fingers.delete(event.pointerId));
    // What was a drag is no click: the picture neither grows nor shrinks.
    wall.addEventListener("click", (event) => {
      if (this.drag && this.drag.moved > CLICK_PX) { event.stopPropagation(); event.preventDefault(); }
      this.drag = null;
    }, { capture: true });
  }

  /** Whether the key acted on the enlarged picture. */
  key(tile: HTMLElement | undefined, key: string, shift: boolean): boolean {
    if (!tile) return false;
    const zoom = this.of(tile), way = MOVE_KEYS[key];
    if (key === "+") this.put(tile, zoomed(zoom, STEP));
    else if (key === "-") this.put(tile, zoomed(zoom, 1 / STEP));
    else if (key === "0" && zoom.scale > 1) this.put(tile, WHOLE);
    else if (shift && way && zoom.scale > 1) this.put(tile, moved(zoom, way[0], way[1]));
    else return false;
    return true;
  }

  /** The whole picture again. */
  reset(tile: HTMLElement): void { this.put(tile, WHOLE); }

  private move(event: PointerEvent): void {
    const before = this.fingers.get(event.pointerId), drag = this.drag;
    if (!before || !drag) return;
    const now = { x: event.clientX, y: event.clientY }, zoom = this.of(drag.tile), box = frameOf(drag.tile).getBoundingClientRect();
    drag.moved += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    if (other) {
      const apart = (one: { x: number; y: number }): number => Math.max(1, Math.hypot(one.x - other.x, one.y - other.y));
      const [px, py] = share(drag.tile, (now.x + other.x) / 2, (now.y + other.y) / 2);
      this.put(drag.tile, zoomed(zoom, apart(now) / apart(before), px, py));
    } else if (zoom.scale > 1) this.put(drag.tile, moved(zoom, (now.x - before.x) / box.width, (now.y - before.y) / box.height));
  }

  private of(tile: HTMLElement): Zoom { return this.zooms.get(tile) ?? WHOLE; }

  private put(tile: HTMLElement, zoom: Zoom): void {
    this.zooms.set(tile, zoom);
    const video = tile.querySelector("video"), said = tile.querySelector(".tile-zoom");
    if (video) video.style.transform = transform(zoom);
    tile.toggleAttribute("zoomed", zoom.scale > 1);
    const text = zoom.scale > 1 ? `${zoom.scale.toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })}×` : "";
    if (said && said.textContent !== text) said.textContent = text;
  }
}

function tileOf(event: Event): HTMLElement | null {
  return (event.target as Element).closest(".tile-picture")?.closest<HTMLElement>("wall-tile") ?? null;
}

function frameOf(tile: HTMLElement): HTMLElement {
  return tile.querySelector<HTMLElement>(".tile-picture") ?? tile;
}

function share(tile: HTMLElement, x: number, y: number): readonly [number, number] {
  const box = frameOf(tile).getBoundingClientRect();
  return [(x - box.left) / box.width, (y - box.top) / box.height];
}
