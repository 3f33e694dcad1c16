// A camera searched for and tried before it is one of the site's: each step as the server says it, then one redacted picture.
// Closing the connection cancels. The picture is drawn from memory and lies nowhere.

interface Found { readonly host: string; readonly address: string; readonly name: string }

interface Line {
  readonly step?: string; readonly name?: string; readonly state?: string; readonly text?: string;
  readonly picture?: string; readonly problem?: string; readonly address?: string; readonly found?: Found; readonly over?: boolean;
}

type Texts = Readonly<Record<string, string>>;

export class Trial {
  private readonly steps: [string, string][];
  private readonly texts: Texts;
  private socket: WebSocket | null = null;
  private tried = { address: "", user: "" };

  constructor(private readonly part: HTMLElement) {
    ({ steps: this.steps, texts: this.texts } = JSON.parse(part.dataset["trial"] ?? "{}") as { steps: [string, string][]; texts: Texts });
    this.on("[data-seek]", "click", () => this.seek());
    this.on("[data-cancel]", "click", () => this.cancel());
    this.on("[data-take-over]", "click", () => this.takeOver());
    this.on("[data-trial-form]", "submit", (event) => { event.preventDefault(); this.try(); });
    addEventListener("pagehide", () => this.socket?.close());
  }

  private on(selector: string, kind: string, act: (event: Event) => void): void {
    this.part.querySelector(selector)?.addEventListener(kind, act);
  }

  private one<Kind extends HTMLElement = HTMLElement>(name: string): Kind {
    return this.part.querySelector<Kind>(`[data-${name}]`) as Kind;
  }

  private value(name: string): string {
    return this.one<HTMLInputElement>(name).value;
  }

  // --- search ---

  private seek(): void {
    const list = this.one("found"), said = this.one("sought");
    let count = 0;
    list.replaceChildren();
    said.textContent = this.texts["seeking"] ?? "";
    this.ask({ do: "find" }, (line) => {
      if (line.found) {
        count += 1;
        list.append(this.row(line.found));
      } else if (line.problem) {
        this.problem(line.problem);
        said.textContent = "";
      } else if (line.over && said.textContent) {
        said.textContent = count ? (this.texts["found"] ?? "").replace("{}", String(count)) : this.texts["none"] ?? "";
      }
    }, () => { said.textContent = ""; });
  }

  private row({ host, address, name }: Found): HTMLLIElement {
    const row = document.createElement("li"), words = document.createElement("span"), take = document.createElement("button");
    words.textContent = name ? `${name} (${host})` : host;
    Object.assign(take, { type: "button", className: "button", textContent: this.texts["take"] ?? "" });
    take.setAttribute("aria-label", `${this.texts["take"] ?? ""}: ${words.textContent}`);
    take.addEventListener("click", () => {
      this.one<HTMLInputElement>("trial-address").value = address;
      this.one("trial-user").focus();
    });
    row.append(words, take);
    return row;
  }

  // --- trial ---

  private try(): void {
    this.tried = { address: this.value("trial-address").trim(), user: this.value("trial-user").trim() };
    const list = this.one("steps"), still = this.one<HTMLCanvasElement>("still");
    list.replaceChildren(...this.steps.map(([step, name]) => this.step(step, name)));
    list.hidden = false;
    still.hidden = true;
    this.one("over").hidden = true;
    this.one("trial-said").textContent = "";
    this.next();
    const order = { do: "try", ...this.tried, password: this.value("trial-password") };
    this.ask(order, (line) => this.heard(line), () => this.ended(this.texts["lost"] ?? ""));
  }

  private heard(line: Line): void {
    if (line.problem) {
      this.problem(line.problem);
    } else if (line.address) {
      this.tried.address = line.address;
    } else if (line.over) {
      this.ended(this.one("trial-problem").hidden ? this.texts["ended"] ?? "" : "");
    } else if (line.step) {
      const row = this.part.querySelector<HTMLElement>(`[data-step="${line.step}"]`) ?? this.first(line.step, line.name ?? "");
      this.show(row, line.state ?? "open", line.text ?? "");
      if (line.step === "stream" && line.state === "done") this.one("over").hidden = false;
      if (line.picture) void this.draw(line.picture);
      if (line.state === "failed") this.one("over").hidden = true;
      else this.next();
    }
  }

  // What is asked before the steps that are always done.
  private first(step: string, name: string): HTMLElement {
    const row = this.step(step, name);
    this.one("steps").prepend(row);
    return row;
  }

  private step(step: string, name: string): HTMLLIElement {
    const row = document.createElement("li");
    row.dataset["step"] = step;
    row.append(...["name", "state", "text"].map((of) => Object.assign(document.createElement("span"), { textContent: of === "name" ? name : "" })));
    [...row.children].forEach((cell, index) => { (cell as HTMLElement).dataset["of"] = ["name", "state", "text"][index] ?? ""; });
    this.show(row, "open", "");
    return row;
  }

  private show(row: HTMLElement, state: string, text: string): void {
    row.dataset["state"] = state;
    (row.querySelector("[data-of=state]") as HTMLElement).textContent = this.texts[state] ?? "";
    (row.querySelector("[data-of=text]") as HTMLElement).textContent = text;
  }

  // The next step that nothing is known of is the one that runs.
  private next(): void {
    const row = this.part.querySelector<HTMLElement>("[data-step][data-state=open]");
    if (row && !this.part.querySelector("[data-state=running]")) this.show(row, "running", "");
  }

  private async draw(picture: string): Promise<void> {
    const bytes = Uint8Array.from(atob(picture), (one) => one.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/jpeg" }));
    const still = this.one<HTMLCanvasElement>("still");
    Object.assign(still, { width: image.width, height: image.height, hidden: false });
    still.setAttribute("aria-label", this.texts["picture"] ?? "");
    still.getContext("2d")?.drawImage(image, 0, 0);
  }

  private ended(words: string): void {
    for (const row of this.part.querySelectorAll<HTMLElement>("[data-state=running]")) this.show(row, "open", "");
    this.one("trial-said").textContent = words;
  }

  private cancel(): void {
    const socket = this.socket;
    this.socket = null;
    socket?.close();
    this.busy(false);
    this.one("sought").textContent = "";
    this.ended(this.texts["cancelled"] ?? "");
  }

  private takeOver(): void {
    const field = (name: string): HTMLInputElement | null => document.querySelector<HTMLInputElement>(`form[action] [name="${name}"]`);
    for (const [name, value] of Object.entries(this.tried)) {
      const target = field(name);
      if (target) target.value = value;
    }
    this.one("trial-said").textContent = this.texts["over"] ?? "";
    field("name")?.focus();
  }

  // --- the line to the server ---

  private ask(order: object, heard: (line: Line) => void, lost: () => void): void {
    if (this.socket) return;
    const address = new URL("/settings/cameras/trial", location.href);
    address.protocol = address.protocol.replace("http", "ws");
    const socket = this.socket = new WebSocket(address);
    let over = false;
    this.problem("");
    this.busy(true);
    socket.addEventListener("open", () => socket.send(JSON.stringify(order)));
    socket.addEventListener("message", (event) => {
      const line = JSON.parse(String(event.data)) as Line;
      over ||= line.over === true;
      if (this.socket === socket) heard(line);
    });
    socket.addEventListener("close", () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.busy(false);
      if (!over) lost();
    });
  }

  private busy(on: boolean): void {
    this.one("cancel").hidden = !on;
    for (const name of ["seek", "try"]) this.one<HTMLButtonElement>(name).disabled = on;
  }

  private problem(words: string): void {
    const place = this.one("trial-problem");
    place.textContent = words ? `▲ ${words}` : "";
    place.hidden = !words;
    if (words) this.ended("");
  }
}
