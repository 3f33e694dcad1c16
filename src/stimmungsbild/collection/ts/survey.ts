// What a script adds to pages that work without one: proof of work at the open door (ALTCHA, protocol 1), and keeping a half-filled
// form on this device, only if asked. No cookie, nothing from elsewhere.

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

const form = document.querySelector<HTMLFormElement>("main form");
if (form) {
  offerToKeep(form);
  offerToGoOn(form);
}
if (byId("sent")) localStorage.removeItem(KEPT);
const field = byId<HTMLInputElement>("altcha");
if (field && globalThis.crypto.subtle) void work(field);
