// The site plan follows what happens, and shows the redacted picture of the camera that somebody points at.

const RENEW_MS = 3000;
const PICTURE_MS = 1500;

export function followPlan(): void {
  const plan = document.querySelector<SVGSVGElement>("svg.plan"), box = document.querySelector<HTMLElement>("[data-plan-preview]");
  if (!plan) return;
  window.setInterval(() => { if (!document.hidden) void renew(plan); }, RENEW_MS);
  document.addEventListener("bar-changed", () => void renew(plan));
  if (box) preview(plan, box);
}

/** Take over the state of each camera from the page as it is now. */
async function renew(plan: SVGSVGElement): Promise<void> {
  const answer = await fetch("/plan", { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const camera of plan.querySelectorAll<SVGElement>("[data-camera]")) {
    const fresh = page.querySelector(`[data-camera="${CSS.escape(camera.dataset["camera"] ?? "")}"]`);
    for (const name of ["class", "data-state", "aria-label"]) {
      const value = fresh?.getAttribute(name);
      if (value && value !== camera.getAttribute(name)) camera.setAttribute(name, value);
    }
    const mark = camera.querySelector(".plan-mark"), now = fresh?.querySelector(".plan-mark")?.textContent;
    if (mark && now !== undefined && now !== mark.textContent) mark.textContent = now;
  }
}

function preview(plan: SVGSVGElement, box: HTMLElement): void {
  const picture = box.querySelector("img"), line = box.querySelector("p");
  if (!picture || !line) return;
  let shown: SVGElement | null = null, timer = 0;
  const load = (): void => { if (shown) picture.src = `/cameras/${encodeURIComponent(shown.dataset["camera"] ?? "")}/picture.jpg?${Date.now()}`; };
  const again = (): void => { window.clearTimeout(timer); timer = window.setTimeout(load, PICTURE_MS); };
  picture.addEventListener("load", () => { picture.hidden = false; again(); });
  picture.addEventListener("error", () => { picture.hidden = true; again(); });
  const show = (event: Event): void => {
    const camera = (event.target as Element).closest<SVGElement>("[data-camera]");
    if (camera === shown) return;
    shown = camera;
    box.hidden = camera === null;
    window.clearTimeout(timer);
    picture.hidden = true;
    picture.removeAttribute("src");
    if (!camera) return;
    line.textContent = camera.getAttribute("aria-label");
    const at = camera.querySelector("circle")?.getBoundingClientRect(), frame = plan.getBoundingClientRect();
    if (at) box.toggleAttribute("data-left", at.left > frame.left + frame.width / 2);
    if (at) box.toggleAttribute("data-top", at.top > frame.top + frame.height / 2);
    load();
  };
  for (const name of ["pointerover", "focusin"]) plan.addEventListener(name, show);
  plan.addEventListener("pointerleave", () => { if (!plan.contains(document.activeElement)) { shown = null; box.hidden = true; window.clearTimeout(timer); } });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { shown = null; box.hidden = true; window.clearTimeout(timer); } });
}
