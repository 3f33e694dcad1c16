// A drawing on a picture that both a mouse and a keyboard move: handles that are dragged, or focused and moved by the arrows.

import type { Spot } from "./shapes.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 0.01;
const FINE = 0.002;
/** Half of what a finger needs (px). */
const REACH_PX = 12;

export interface Handle {
  /** Stays the same while the drawing is made anew, so that the focus stays. */
  readonly key: string;
  readonly at: Spot;
  readonly name: string;
  /** Its new place, in shares of the picture. */
  move(at: Spot): void;
  /** A key besides the arrows, or a click; whether it was for this handle. */
  press?(key: string): boolean;
  readonly kind?: "corner" | "middle" | "body";
}

export function element(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text) made.textContent = text;
  return made;
}

export class Canvas {
  private handles: readonly Handle[] = [];
  private dragged: { handle: string; moved: boolean } | null = null;
  width = 1000;
  height = 562.5;

  /** `draw` makes the drawing anew: what lies under the handles, and the handles. */
  constructor(readonly svg: SVGSVGElement, private readonly draw: (canvas: Canvas) => { shapes: SVGElement[]; handles: Handle[] }) {
    svg.addEventListener("pointerdown", (event) => this.begin(event));
    svg.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"] as const) svg.addEventListener(end, (event) => this.end(event));
    svg.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.render()).observe(svg);
  }

  /** One pixel of the screen in units of the drawing. */
  get unit(): number { return this.width / Math.max(1, this.svg.clientWidth); }

  place([x, y]: Spot): { x: number; y: number } { return { x: x * this.width, y: y * this.height }; }

  render(): void {
    const focused = (document.activeElement as SVGElement | null)?.dataset?.["handle"];
    this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
    const { shapes, handles } = this.draw(this);
    this.handles = handles;
    this.svg.replaceChildren(...shapes, ...handles.map((handle) => this.dot(handle)));
    if (focused !== undefined && !this.svg.contains(document.activeElement)) this.focus(focused);
  }

  focus(key: string): void { this.svg.querySelector<SVGElement>(`[data-handle="${CSS.escape(key)}"]`)?.focus(); }

  private dot(handle: Handle): SVGElement {
    const { x, y } = this.place(handle.at), kind = handle.kind ?? "corner";
    const group = element("g", { class: `handle handle-${kind}`, role: "button", tabindex: 0, "aria-label": handle.name, "data-handle": handle.key });
    group.append(element("circle", { class: "handle-reach", cx: x, cy: y, r: REACH_PX * this.unit }));
    group.append(element("circle", { class: "handle-dot", cx: x, cy: y, r: (kind === "middle" ? 4 : 7) * this.unit }));
    return group;
  }

  private of(event: Event): Handle | undefined {
    const key = (event.target as Element).closest<SVGElement>("[data-handle]")?.dataset["handle"];
    return this.handles.find((one) => one.key === key);
  }

  private spot(event: PointerEvent): Spot {
    const box = this.svg.getBoundingClientRect();
    return held([(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]);
  }

  private begin(event: PointerEvent): void {
    const handle = this.of(event);
    if (!handle || event.button !== 0) return;
    event.preventDefault();
    this.svg.setPointerCapture(event.pointerId);
    this.dragged = { handle: handle.key, moved: false };
    this.focus(handle.key);
  }

  private drag(event: PointerEvent): void {
    const handle = this.handles.find((one) => one.key === this.dragged?.handle);
    if (!handle || !this.dragged) return;
    this.dragged.moved = true;
    handle.move(this.spot(event));
    this.render();
  }

  private end(event: PointerEvent): void {
    const handle = this.handles.find((one) => one.key === this.dragged?.handle), clicked = this.dragged?.moved === false;
    this.dragged = null;
    if (this.svg.hasPointerCapture(event.pointerId)) this.svg.releasePointerCapture(event.pointerId);
    if (clicked && handle?.press?.("Enter")) this.render();
  }

  private key(event: KeyboardEvent): void {
    const handle = this.of(event), step = event.shiftKey ? FINE : STEP;
    if (!handle || event.ctrlKey || event.altKey || event.metaKey) return;
    const ways: Record<string, Spot> = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const way = ways[event.key];
    if (way) handle.move(held([handle.at[0] + way[0], handle.at[1] + way[1]]));
    else if (!handle.press?.(event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    this.render();
  }
}

/** Nothing lies beside the picture. */
function held([x, y]: Spot): Spot { return [Math.min(1, Math.max(0, x)), Math.min(1, Math.max(0, y))]; }
