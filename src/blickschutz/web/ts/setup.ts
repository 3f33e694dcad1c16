// Drawing on a camera's redacted picture (areas, lines, calibration), and placing cameras on the site plan. What is drawn goes to the
// server as one text; it alone says what is taken.

import { Trial } from "./trial.js";
import { Canvas, element, type Handle } from "./canvas.js";
import { bands, crossesItself, ground, isFlat, type Spot, type Stander } from "./shapes.js";

interface Area { id: string; name: string; points: Spot[] }
interface Line { id: string; points: [Spot, Spot]; both: boolean }
interface Ruler { kind: "keep" | "none" | "scale" | "people"; points: [Spot, Spot]; metres: number; people: Stander[] }
interface Drawing { size: [number, number] | null; zones: Area[]; privacy: Area[]; lines: Line[]; ruler: Ruler }
interface Place { camera: string; name: string; x: number; y: number; direction: number; angle: number; reach: number; there: boolean }
type Texts = Record<string, string>;
type Areas = "zones" | "privacy";

const FAR = 2;

function say(template: string | undefined, ...values: (string | number)[]): string {
  return values.reduce<string>((text, value) => text.replace("{}", String(value)), template ?? "");
}

class Setup {
  private readonly texts: Texts;
  private readonly classes: readonly (readonly [number, string])[];
  private readonly dense: number | null;
  private readonly drawing: Drawing;
  private readonly canvas: Canvas;
  private showsDensity = false;

  constructor(private readonly form: HTMLFormElement) {
    const given = JSON.parse(form.dataset["setup"] ?? "{}") as { drawing: Drawing; texts: Texts; classes: [number, string][]; dense: number | null };
    ({ texts: this.texts, classes: this.classes, dense: this.dense, drawing: this.drawing } = given);
    this.canvas = new Canvas(form.querySelector<SVGSVGElement>("[data-canvas]")!, () => this.draw());
    const picture = form.querySelector<HTMLImageElement>("[data-picture]");
    const frame = form.querySelector<HTMLElement>(".setup-frame");
    // Without a picture the drawing has its shape all the same.
    const shaped = (width: number, height: number): void => {
      this.canvas.height = (1000 * height) / width;
      if (frame) frame.style.aspectRatio = `${width} / ${height}`;
    };
    shaped(...(this.drawing.size ?? [16, 9]));
    const arrived = (): void => {
      if (!picture?.naturalWidth) return;
      shaped(picture.naturalWidth, picture.naturalHeight);
      this.canvas.render();
    };
    picture?.addEventListener("load", arrived);
    arrived();
    form.addEventListener("click", (event) => this.click(event));
    form.addEventListener("input", (event) => this.input(event));
    form.addEventListener("submit", (event) => { if (!this.check()) event.preventDefault(); });
    this.render();
  }

  private render(): void {
    this.list("zones");
    this.list("privacy");
    this.lines();
    this.canvas.render();
    this.measured();
    this.check();
  }

  // --- what is drawn ---

  private draw(): { shapes: SVGElement[]; handles: Handle[] } {
    const shapes: SVGElement[] = [], handles: Handle[] = [];
    if (this.showsDensity) shapes.push(...this.layer());
    for (const kind of ["zones", "privacy"] as const) {
      this.drawing[kind].forEach((area, at) => {
        const points = area.points.map((one) => this.canvas.place(one));
        const wrong = this.wrong(area.points) !== "", edge = 4.5 * this.canvas.unit * area.name.length;
        shapes.push(element("polygon", { class: `drawn drawn-${kind}${wrong ? " drawn-wrong" : ""}`, points: points.map((one) => `${one.x},${one.y}`).join(" ") }));
        const top = points.reduce((one, two) => (two.y < one.y ? two : one));
        shapes.push(element("text", { class: "drawn-name", x: Math.min(this.canvas.width - edge, Math.max(edge, top.x)), y: Math.max(16 * this.canvas.unit, top.y - 6 * this.canvas.unit), "font-size": 14 * this.canvas.unit, "text-anchor": "middle" }, area.name));
        handles.push(...this.corners(kind, area, at));
      });
    }
    this.drawing.lines.forEach((line, at) => {
      shapes.push(this.stroke("drawn drawn-line", line.points));
      line.points.forEach((spot, end) => handles.push({ key: `lines/${at}/${end}`, at: spot, name: say(this.texts["lineEnd"], end + 1, at + 1), move: (to) => { line.points[end] = to; } }));
    });
    const { ruler } = this.drawing;
    if (ruler.kind === "scale") {
      shapes.push(this.stroke("drawn drawn-ruler", ruler.points));
      ruler.points.forEach((spot, end) => handles.push({ key: `ruler/${end}`, at: spot, name: say(this.texts["rulerEnd"], end + 1), move: (to) => { ruler.points[end] = to; this.measured(); } }));
    } else if (ruler.kind === "people") {
      ruler.people.forEach((one, at) => {
        shapes.push(this.stroke("drawn drawn-ruler", [one.foot, one.head]));
        for (const part of ["foot", "head"] as const) {
          handles.push({ key: `people/${at}/${part}`, at: one[part], name: say(this.texts[part], at + 1), move: (to) => { ruler.people[at] = { ...ruler.people[at]!, [part]: to }; this.measured(); } });
        }
      });
    }
    return { shapes, handles };
  }

  private stroke(kind: string, [one, two]: readonly [Spot, Spot]): SVGElement {
    const start = this.canvas.place(one), end = this.canvas.place(two);
    return element("line", { class: kind, x1: start.x, y1: start.y, x2: end.x, y2: end.y });
  }

  private corners(kind: Areas, area: Area, index: number): Handle[] {
    const found: Handle[] = [];
    area.points.forEach((spot, at) => {
      const next = area.points[(at + 1) % area.points.length]!;
      found.push({
        key: `${kind}/${index}/${at}`, at: spot, name: say(this.texts["corner"], at + 1, area.name),
        move: (to) => { area.points[at] = to; this.check(); },
        press: (key) => {
          if (key !== "Delete" && key !== "Backspace") return false;
          if (area.points.length > 3) area.points.splice(at, 1);
          this.check();
          return true;
        },
      });
      const middle: Spot = [(spot[0] + next[0]) / 2, (spot[1] + next[1]) / 2];
      const insert = (to: Spot): void => { area.points.splice(at + 1, 0, to); this.canvas.render(); this.canvas.focus(`${kind}/${index}/${at + 1}`); };
      found.push({ key: `${kind}/${index}/${at}+`, at: middle, kind: "middle", name: say(this.texts["middle"], at + 1, area.name), move: insert, press: (key) => { if (key !== "Enter" && key !== " ") return false; insert(middle); return true; } });
    });
    return found;
  }

  /** The density as bands with their names, by what is measured now, or as it is in force. */
  private layer(): SVGElement[] {
    const found = this.plane();
    if (!found) return [];
    return bands(found.top, found.bottom, this.classes).flatMap((band, at) => {
      const y = band.from * this.canvas.height, tall = (band.to - band.from) * this.canvas.height;
      return [
        element("rect", { class: `density density-${at % 2}`, x: 0, y, width: this.canvas.width, height: tall }),
        element("text", { class: "density-name", x: this.canvas.width - 8 * this.canvas.unit, y: y + Math.min(tall, 18 * this.canvas.unit), "font-size": 13 * this.canvas.unit, "text-anchor": "end" }, band.name || (this.texts["below"] ?? "")),
      ];
    });
  }

  private plane(): { top: number; bottom: number } | null {
    const { ruler, size } = this.drawing;
    const even = (dense: number | null): { top: number; bottom: number } | null => (dense === null ? null : { top: dense, bottom: dense });
    if (ruler.kind === "keep") return even(this.dense);
    if (ruler.kind === "none" || !size || !(ruler.metres > 0)) return null;
    if (ruler.kind === "people") return ground(ruler.people, ruler.metres, ...size);
    const [[x1, y1], [x2, y2]] = ruler.points;
    return even(Math.hypot((x2 - x1) * size[0], (y2 - y1) * size[1]) / ruler.metres);
  }

  private measured(): void {
    const line = this.form.querySelector("[data-measured]"), found = this.plane();
    const dense = found ? Math.round(Math.max(found.top, found.bottom)) : null;
    const name = dense === null ? "" : [...this.classes].reverse().find(([least]) => dense >= least)?.[1] ?? this.texts["below"] ?? "";
    if (line) line.textContent = dense === null ? this.texts["unmeasured"] ?? "" : say(this.texts["measured"], dense, name);
    for (const part of this.form.querySelectorAll<HTMLElement>("[data-ruler-part]")) part.hidden = part.dataset["rulerPart"] !== this.drawing.ruler.kind && !(part.dataset["rulerPart"] === "metres" && ["scale", "people"].includes(this.drawing.ruler.kind));
  }

  // --- lists beside it ---

  private list(kind: Areas): void {
    const list = this.form.querySelector(`[data-list="${kind}"]`);
    list?.replaceChildren(...this.drawing[kind].map((area, at) => {
      const row = document.createElement("li"), input = document.createElement("input");
      Object.assign(input, { value: area.name, maxLength: kind === "zones" ? 80 : 200, required: true });
      input.setAttribute("aria-label", say(this.texts[kind === "zones" ? "zoneName" : "reason"], at + 1));
      input.dataset["name"] = `${kind}/${at}`;
      row.append(input, this.remover(`${kind}/${at}`, area.name));
      return row;
    }));
  }

  private lines(): void {
    this.form.querySelector('[data-list="lines"]')?.replaceChildren(...this.drawing.lines.map((line, at) => {
      const row = document.createElement("li"), label = document.createElement("label"), box = document.createElement("input");
      Object.assign(box, { type: "checkbox", checked: line.both });
      box.dataset["both"] = String(at);
      label.append(box, ` ${line.id || say(this.texts["line"], at + 1)}: ${this.texts["both"] ?? ""}`);
      row.append(label, this.remover(`lines/${at}`, line.id));
      return row;
    }));
  }

  private remover(key: string, name: string): HTMLButtonElement {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "button", textContent: this.texts["remove"] ?? "" });
    button.setAttribute("aria-label", `${this.texts["remove"] ?? ""}: ${name}`);
    button.dataset["remove"] = key;
    return button;
  }

  private click(event: Event): void {
    const target = event.target as HTMLElement, add = target.closest<HTMLElement>("[data-add]")?.dataset["add"], remove = target.closest<HTMLElement>("[data-remove]")?.dataset["remove"];
    const { drawing } = this;
    if (target.closest("[data-renew]")) {
      const picture = this.form.querySelector<HTMLImageElement>("[data-picture]");
      if (picture) picture.src = `${picture.src.split("?")[0] ?? ""}?${Date.now()}`;
    } else if (add === "lines") {
      drawing.lines.push({ id: "", both: true, points: [[0.3, 0.6], [0.7, 0.6]] });
      this.render();
      this.canvas.focus(`lines/${drawing.lines.length - 1}/0`);
    } else if (add === "zones" || add === "privacy") {
      const areas = drawing[add], off = 0.04 * (areas.length % 5);
      areas.push({ id: "", name: say(this.texts[add === "zones" ? "newZone" : "newPrivacy"], areas.length + 1), points: [[0.35 + off, 0.4 + off], [0.65 + off, 0.4 + off], [0.65 + off, 0.7 + off], [0.35 + off, 0.7 + off]] });
      this.render();
      this.canvas.focus(`${add}/${areas.length - 1}/0`);
    } else if (remove) {
      const [kind = "", at = ""] = remove.split("/");
      (drawing as unknown as Record<string, unknown[]>)[kind]?.splice(Number(at), 1);
      this.render();
      this.form.querySelector<HTMLElement>(`[data-add="${kind}"]`)?.focus();
    }
  }

  private input(event: Event): void {
    const target = event.target as HTMLInputElement, { ruler } = this.drawing;
    if (target.dataset["name"]) {
      const [kind = "", at = ""] = target.dataset["name"].split("/"), area = this.drawing[kind as Areas][Number(at)];
      if (area) area.name = target.value;
    } else if (target.dataset["both"] !== undefined) {
      const line = this.drawing.lines[Number(target.dataset["both"])];
      if (line) line.both = target.checked;
    } else if (target.dataset["rulerKind"]) ruler.kind = target.dataset["rulerKind"] as Ruler["kind"];
    else if (target.dataset["metres"] !== undefined) ruler.metres = Number(target.value.replace(",", ".")) || 0;
    else if (target.dataset["density"] !== undefined) this.showsDensity = target.checked;
    else return;
    if (target.dataset["rulerKind"]) {
      ruler.metres = ruler.kind === "people" ? 1.75 : ruler.metres;
      for (const field of this.form.querySelectorAll<HTMLInputElement>("[data-metres]")) field.value = String(ruler.metres).replace(".", document.documentElement.lang === "de" ? "," : ".");
    }
    this.canvas.render();
    this.measured();
    this.check();
  }

  private wrong(points: readonly Spot[]): string { return crossesItself(points) ? "crossing" : isFlat(points) ? "flat" : ""; }

  /** Say what cannot be sent, and put what can into the form. */
  private check(): boolean {
    const line = this.form.querySelector("[data-problem]"), areas = [...this.drawing.zones, ...this.drawing.privacy];
    const bad = areas.find((area) => this.wrong(area.points) !== "");
    let problem = bad ? `${bad.name}: ${this.texts[this.wrong(bad.points)] ?? ""}` : "";
    if (!problem && areas.some((area) => area.name.trim() === "")) problem = this.texts["unnamed"] ?? "";
    if (!problem && ["scale", "people"].includes(this.drawing.ruler.kind) && !this.plane()) problem = this.texts[this.drawing.size ? "noGround" : "noSize"] ?? "";
    if (line && line.textContent !== problem) line.textContent = problem;
    const field = this.form.elements.namedItem("drawing");
    if (field instanceof HTMLInputElement) field.value = JSON.stringify({ ...this.drawing, ruler: { ...this.drawing.ruler, metres: this.drawing.ruler.metres || 1 } });
    return problem === "";
  }
}

class Placing {
  private readonly texts: Texts;
  private readonly places: Place[];
  private readonly canvas: Canvas;

  constructor(private readonly form: HTMLFormElement) {
    const given = JSON.parse(form.dataset["placing"] ?? "{}") as { places: Place[]; texts: Texts; tall: number };
    ({ places: this.places, texts: this.texts } = given);
    this.canvas = new Canvas(form.querySelector<SVGSVGElement>("[data-canvas]")!, () => this.draw());
    this.canvas.height = 1000 * given.tall;
    form.addEventListener("input", (event) => this.input(event));
    form.addEventListener("submit", () => this.write());
    this.canvas.render();
    this.write();
  }

  private draw(): { shapes: SVGElement[]; handles: Handle[] } {
    const shapes: SVGElement[] = [], handles: Handle[] = [];
    this.places.filter((one) => one.there).forEach((place, at) => {
      const { x, y } = this.canvas.place([place.x, place.y]), reach = place.reach * this.canvas.width;
      const edges = [-1, 1].map((side) => ((place.direction + (side * place.angle) / 2 - 90) * Math.PI) / 180);
      const corners = edges.map((edge) => `${x + reach * Math.cos(edge)} ${y + reach * Math.sin(edge)}`);
      shapes.push(element("path", { class: "plan-cone", d: `M${x} ${y} L${corners[0]} A${reach} ${reach} 0 ${Number(place.angle > 180)} 1 ${corners[1]} Z` }));
      shapes.push(element("text", { class: "drawn-name", x, y: y + 26 * this.canvas.unit, "font-size": 13 * this.canvas.unit, "text-anchor": "middle" }, place.name));
      handles.push({ key: `${at}/at`, at: [place.x, place.y], name: say(this.texts["place"], place.name), move: ([px, py]) => { Object.assign(place, { x: px, y: py }); this.write(); } });
      const towards = ((place.direction - 90) * Math.PI) / 180, share = this.canvas.width / this.canvas.height;
      handles.push({
        key: `${at}/look`, kind: "middle", name: say(this.texts["look"], place.name),
        at: [place.x + place.reach * Math.cos(towards), place.y + place.reach * Math.sin(towards) * share],
        move: ([px, py]) => {
          const dx = px - place.x, dy = (py - place.y) / share;
          place.reach = Math.min(1, Math.max(0.02, Math.hypot(dx, dy)));
          place.direction = (Math.atan2(dx, -dy) * 180 / Math.PI + 360) % 360;
          this.write();
        },
      });
    });
    return { shapes, handles };
  }

  private input(event: Event): void {
    const target = event.target as HTMLInputElement, place = this.places.find((one) => one.camera === target.dataset["camera"]);
    if (!place) return;
    if (target.type === "checkbox") place.there = target.checked;
    else place.angle = Math.min(180, Math.max(FAR, Number(target.value.replace(",", ".")) || place.angle));
    this.canvas.render();
    this.write();
  }

  private write(): void {
    const field = this.form.elements.namedItem("places");
    const wanted = this.places.filter((one) => one.there).map(({ name: _, there: __, ...place }) => place);
    if (field instanceof HTMLInputElement) field.value = JSON.stringify(wanted);
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("[data-setup]")) new Setup(form);
for (const form of document.querySelectorAll<HTMLFormElement>("[data-placing]")) new Placing(form);
for (const part of document.querySelectorAll<HTMLElement>("[data-trial]")) new Trial(part);
