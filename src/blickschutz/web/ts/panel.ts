// One alert beside the wall: what it was, its loop, what was done, and the forms. The wall goes on behind it.

import { send } from "./sending.js";

export class Panel {
  private alert = 0;
  private also = "";

  /** `changed` hears what was done and to which others it was. */
  constructor(private readonly frame: HTMLElement, private readonly changed: (act: string, alert: number, also: string) => void) {
    frame.addEventListener("click", (event) => {
      const target = event.target as Element;
      if (target.closest("[data-close]")) this.close();
      if (target.closest("[data-back]")) { event.preventDefault(); void this.load(); }
    });
    frame.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target as HTMLFormElement, fields = new FormData(form);
      if (form.method === "get") { void this.ask(form.action, fields); return; }
      void send(form.action, fields).then(async ({ done, problem }) => {
        if (!done) { this.say(problem); return; }
        const act = form.action.split("/").at(-1) ?? "";
        this.also = act === "together" ? String(fields.get("also") ?? "") : "";
        await this.load();
        this.frame.focus({ preventScroll: true });
        this.changed(act, this.alert, this.also);
      });
    });
  }

  get isOpen(): boolean {
    return !this.frame.hidden;
  }

  async open(alert: number): Promise<void> {
    this.alert = alert;
    this.also = "";
    await this.load();
    this.frame.focus({ preventScroll: true });
  }

  /** What is shown is shown anew if it is that alert, and nothing is being typed. */
  renew(alert: number): void {
    const typed = [...this.frame.querySelectorAll<HTMLInputElement>("input:not([type=radio])")].some((field) => field.value !== "");
    if (this.isOpen && this.alert === alert && !typed) void this.load();
  }

  close(): void {
    this.show("");
    document.querySelector<HTMLElement>(`[data-alert="${this.alert}"] a`)?.focus({ preventScroll: true });
  }

  private async load(): Promise<void> {
    const also = this.also ? `?${new URLSearchParams({ also: this.also }).toString()}` : "";
    const answer = await fetch(`/alerts/${this.alert}/panel${also}`, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer?.status === 401) window.location.reload();
    else if (answer?.ok) this.show(await answer.text());
  }

  /** A question before something is done: it stands where the alert stood. */
  private async ask(action: string, fields: FormData): Promise<void> {
    const pairs = [...fields].map(([name, value]) => [name, String(value)]);
    const answer = await fetch(`${action}?${new URLSearchParams([...pairs, ["panel", "true"]]).toString()}`, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer?.status === 401) window.location.reload();
    else if (answer && [200, 409, 422].includes(answer.status)) { this.show(await answer.text()); this.frame.scrollTop = 0; this.frame.focus({ preventScroll: true }); }
  }

  private show(html: string): void {
    for (const video of this.frame.querySelectorAll("video")) { video.pause(); video.removeAttribute("src"); video.load(); }
    this.frame.innerHTML = html;
    this.frame.hidden = html === "";
    this.frame.dispatchEvent(new CustomEvent("panel", { bubbles: true }));
  }

  private say(problem: string): void {
    let line = this.frame.querySelector<HTMLElement>(".problem");
    if (!line) {
      line = document.createElement("p");
      line.className = "problem";
      line.setAttribute("role", "alert");
      this.frame.querySelector(".panel-head")?.after(line);
    }
    line.textContent = problem;
  }
}
