// One alert beside the wall: what it was, its loop, what was done, and the forms. The wall goes on behind it.

import { send } from "./sending.js";

export class Panel {
  private alert = 0;

  constructor(private readonly frame: HTMLElement, private readonly changed: () => void) {
    frame.addEventListener("click", (event) => { if ((event.target as Element).closest("[data-close]")) this.close(); });
    frame.addEventListener("submit", (event) => {
      event.preventDefault();
      const form = event.target as HTMLFormElement;
      void send(form.action, new FormData(form)).then(async ({ done, problem }) => {
        if (done) { await this.load(); this.changed(); } else this.say(problem);
      });
    });
  }

  get isOpen(): boolean {
    return !this.frame.hidden;
  }

  async open(alert: number): Promise<void> {
    this.alert = alert;
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
    const answer = await fetch(`/alerts/${this.alert}/panel`, { headers: { Accept: "text/html" } }).catch(() => null);
    if (answer?.status === 401) window.location.reload();
    else if (answer?.ok) this.show(await answer.text());
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
