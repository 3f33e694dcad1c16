// What a script adds to pages that work without one: proof of work at the open door (ALTCHA, protocol 1), and keeping a half-filled
// form on this device, only if asked, and pointing at squares of a picture of the town. No cookie, nothing from elsewhere.

const KEPT = "stimmungsbild";
// What belongs to one sending and not to the answers. The code stays out: others may use this device.
const OWN = new Set(["lang", "code", "at", "go", "altcha"]);

type Kept = [name: string, value: string][];

const byId = <T extends HTMLElement>(id: string): T | null => document.getElementById(id) as T | null;

function kept(): Kept | null {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(KEPT) ?? "null");
    return Array.isArray(found) ? (found as Kept) : null;
  } catch {
    return null;
  }
}

function keep(form: HTMLFormElement): void {
  const values = [...new FormData(form)].filter(([name, value]) => !OWN.has(name) && value !== "");
  localStorage.setItem(KEPT, JSON.stringify(values));
}

function offerToKeep(form: HTMLFormElement): void {
  const line = byId("keep");
  const box = byId<HTMLInputElement>("keep-here");
  if (!line || !box) return;
  line.hidden = false;
  box.checked = kept() !== null;
  box.addEventListener("change", () => (box.checked ? keep(form) : localStorage.removeItem(KEPT)));
  form.addEventListener("change", () => box.checked && keep(form));
  form.addEventListener("submit", () => box.checked && keep(form));
}

function offerToGoOn(form: HTMLFormElement): void {
  const values = kept();
  const line = byId("kept");
  if (!line || !values) return;
  line.hidden = false;
  byId("go-on")?.addEventListener("click", () => {
    for (const [name, value] of values) {
      const known = name === "ticket" ? form.querySelector<HTMLInputElement>("input[name=ticket]") : null;
      const field = known ?? document.createElement("input");
      field.type = "hidden";
      field.name = name;
      field.value = value;
      form.append(field);
    }
    form.requestSubmit();
  });
  byId("forget")?.addEventListener("click", () => {
    localStorage.removeItem(KEPT);
    line.hidden = true;
  });
}

const hex = (bytes: ArrayBuffer): string => [...new Uint8Array(bytes)].map((one) => one.toString(16).padStart(2, "0")).join("");

/** The number whose hash with the salt is the challenge, and with it the field that is sent along. */
async function work(field: HTMLInputElement): Promise<void> {
  const { salt = "", challenge = "", signature = "", maxnumber = "0" } = field.dataset;
  const text = new TextEncoder();
  for (let number = 0; number <= Number(maxnumber); number++) {
    if (hex(await crypto.subtle.digest("SHA-256", text.encode(salt + String(number)))) === challenge) {
      field.value = btoa(JSON.stringify({ algorithm: "SHA-256", challenge, number, salt, signature }));
      return;
    }
  }
}

/** Squares of 100 m on the town's picture; nothing finer leaves this page. `squares` of a form are its hidden fields. */
function pointing(form: HTMLFormElement, place: HTMLElement): void {
  const over = byId("map-over");
  const list = byId("map-chosen");
  const { name = "", remove = "" } = place.dataset;
  const [east = 0, north = 0, wide = 1, high = 1, most = 0] = ["east", "north", "wide", "high", "most"].map((key) => Number(place.dataset[key]));
  if (!over || !list) return;
  const at = { x: Math.floor(wide / 2), y: Math.floor(high / 2) };
  const square = (x: number, y: number): string =>
    `100mN${String(north + high - 1 - y).padStart(5, "0")}E${String(east + x).padStart(5, "0")}`;
  const fields = (): HTMLInputElement[] => [...form.querySelectorAll<HTMLInputElement>(`input[type=hidden][name=${name}]`)];

  function box(x: number, y: number, kind: string): void {
    const found = document.createElement("span");
    found.className = kind;
    Object.assign(found.style, { left: `${(100 * x) / wide}%`, top: `${(100 * y) / high}%`, width: `${100 / wide}%`, height: `${100 / high}%` });
    over?.append(found);
  }

  function show(): void {
    over?.replaceChildren();
    list?.replaceChildren();
    box(at.x, at.y, "here");
    fields().forEach((field, number) => {
      const [, n = "0", e = "0"] = /^100mN(\d{5})E(\d{5})$/.exec(field.value) ?? [];
      box(Number(e) - east, high - 1 - (Number(n) - north), "chosen");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "quiet";
      button.textContent = remove.replace("{number}", String(number + 1));
      button.addEventListener("click", () => change(() => field.remove()));
      const line = document.createElement("li");
      line.append(button);
      list?.append(line);
    });
  }

  function change(what: () => void): void {
    what();
    show();
    form.dispatchEvent(new Event("change"));
  }

  function choose(): void {
    const value = square(at.x, at.y);
    const known = fields().find((field) => field.value === value);
    if (known) return change(() => known.remove());
    if (fields().length >= most) return;
    change(() => {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name, value });
      form.append(field);
    });
  }

  over.addEventListener("click", (event) => {
    const here = over.getBoundingClientRect();
    at.x = Math.min(wide - 1, Math.max(0, Math.floor(((event.clientX - here.left) / here.width) * wide)));
    at.y = Math.min(high - 1, Math.max(0, Math.floor(((event.clientY - here.top) / here.height) * high)));
    choose();
  });
  const steps: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  over.addEventListener("keydown", (event) => {
    const step = steps[event.key];
    if (step) {
      at.x = Math.min(wide - 1, Math.max(0, at.x + step[0]));
      at.y = Math.min(high - 1, Math.max(0, at.y + step[1]));
      show();
    } else if (event.key === "Enter" || event.key === " ") choose();
    else return;
    event.preventDefault();
  });
  place.hidden = false;
  show();
}

const form = document.querySelector<HTMLFormElement>("main form");
if (form) {
  offerToKeep(form);
  offerToGoOn(form);
  const place = byId("map");
  if (place) pointing(form, place);
}
if (byId("sent")) localStorage.removeItem(KEPT);
const field = byId<HTMLInputElement>("altcha");
if (field && globalThis.crypto.subtle) void work(field);
