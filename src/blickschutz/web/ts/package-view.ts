// The page that lies in a package of evidence: it checks the package in the browser, shows it, and says what it could not check.
import { check, entries, isEncrypted, rooted, untar, type Files, type Found, type Problem } from "./package-check";

type Words = Record<"kinds" | "events" | "bases", Record<string, string>>;
interface Custody {
  operator: string; site: string; case: number; camera: string; basis: string; recipient: string; reference: string;
  people: string[]; released: number; clip_state: string; begun?: number; ended?: number; timezone?: string; recipient_key?: string;
}
type Mark = [number, string, string, boolean, Record<string, number>];

const GERMAN = {
  title: "Beweispaket ansehen und prüfen", again: "English",
  open: "Paket öffnen", folder: "Ordner des Pakets wählen", file: "Oder die Datei .tar wählen", drop: "Oder die Datei hierher ziehen.",
  offline: "Diese Seite arbeitet ohne Netz. Nichts verlässt diesen Rechner.",
  key: "Öffentlicher Schlüssel der Anlage, wie er Ihnen von dort bekannt ist (64 Zeichen; leer, wenn keiner bekannt ist)",
  working: "Wird geprüft …", encrypted: "Diese Datei ist noch verschlüsselt. Zuerst mit dem Programm age entschlüsseln:",
  none: "Das ist kein Beweispaket dieser Art.",
  whole: (n: number) => `Unverändert: Alle ${n} Dateien sind die, die unterschrieben wurden.`,
  unsigned: (n: number) => `Alle ${n} Dateien passen zur Liste. Die Unterschrift der Liste kann dieser Browser nicht prüfen.`,
  broken: "NICHT in Ordnung. Dieses Paket wurde verändert, ist unvollständig oder stammt von anderswo:",
  problems: {
    missing: "fehlt", altered: "ist nicht die Datei, die unterschrieben wurde", added: "gehört nicht zum Paket",
    signature: "Die Unterschrift ist falsch", foreign: "Von einer anderen Anlage unterschrieben als angegeben", unreadable: "ist nicht lesbar",
  } as Record<Problem, string>,
  not: "Was nicht geprüft wurde", checked: "Was geprüft wurde",
  did: [
    "Die SHA-256-Prüfsumme jeder Datei gegen die Liste des Pakets (BagIt).",
    "Die Prüfsumme jedes Protokolleintrags im Auszug.",
  ],
  didSign: "Die Unterschrift (Ed25519) unter der Liste.", didKey: "Dass der Schlüssel der Unterschrift der angegebene ist.",
  nots: [
    "Diese Seite selbst: Wer das Paket verändert, könnte auch sie verändern. Wer sicher sein muss, prüft mit blickschutz verify evidence.",
    "Ob Uhr und Kamera richtig gingen und ob das Bild zeigt, was geschah.",
    "Ob der Auszug des Protokolls vollständig ist: Das zeigt nur das ganze Protokoll der Anlage.",
  ],
  notKey: "Wer unterschrieben hat: Es war kein bekannter Schlüssel angegeben, der Schlüssel im Paket wurde geglaubt.",
  notSign: "Die Unterschrift: Dieser Browser kennt Ed25519 nicht. Ein neuerer Browser oder blickschutz verify evidence prüft sie.",
  notLog: "Mindestens ein Eintrag im Auszug des Protokolls passt nicht zu seiner Prüfsumme.",
  shown: "Schlüssel im Paket", facts: "Angaben", clip: "Aufnahme", marks: "Erkannte Situationen", log: "Auszug aus dem Protokoll",
  labels: {
    case: "Vorgang", camera: "Kamera", site: "Ort", operator: "Betreiber", begun: "Aufnahme von", ended: "Aufnahme bis", basis: "Rechtsgrundlage",
    recipient: "Empfänger", reference: "Aktenzeichen", people: "Herausgegeben von", released: "Herausgegeben am", state: "Zustand der Aufzeichnung",
    recipientKey: "Verschlüsselt für den Schlüssel",
  },
  states: { whole: "vollständig", "cut-off": "am Ende abgeschnitten" } as Record<string, string>,
  films: {
    "data/redacted.mp4": "Verpixelte Fassung", "data/own-copy.mp4": "Kopie für die betroffene Person", "data/original.mp4": "Original, Personen sind zu erkennen",
  } as Record<string, string>,
  which: "Fassung", cannot: "Dieser Browser kann diese Fassung nicht abspielen. Mit einem anderen Programm öffnen:", jump: "Zur Stelle",
  began: "beginnt", over: "endet", nomarks: "Keine.", when: "Zeitpunkt", what: "Was geschah", who: "Wer", noplay: "Gezeigt wird nichts, solange das Paket nicht in Ordnung ist.",
};
const ENGLISH: typeof GERMAN = {
  title: "See and verify a package of evidence", again: "Deutsch",
  open: "Open the package", folder: "Choose the package's folder", file: "Or choose the file .tar", drop: "Or drag the file here.",
  offline: "This page works without a network. Nothing leaves this computer.",
  key: "Public key of the installation as you know it from there (64 digits; empty where none is known)",
  working: "Verifying …", encrypted: "This file is still encrypted. First decrypt it with the program age:",
  none: "This is no package of evidence of this kind.",
  whole: (n: number) => `Unaltered: all ${n} files are those that were signed.`,
  unsigned: (n: number) => `All ${n} files fit the list. This browser cannot verify the signature of the list.`,
  broken: "NOT in order. This package was altered, is incomplete, or comes from elsewhere:",
  problems: {
    missing: "is missing", altered: "is not the file that was signed", added: "does not belong to the package",
    signature: "The signature is wrong", foreign: "Signed by another installation than the one given", unreadable: "cannot be read",
  },
  not: "What was not verified", checked: "What was verified",
  did: ["The SHA-256 hash of each file against the list of the package (BagIt).", "The hash of each entry in the excerpt of the log."],
  didSign: "The signature (Ed25519) of the list.", didKey: "That the key of the signature is the one given.",
  nots: [
    "This page itself: whoever alters the package could alter it as well. Who must be sure verifies with blickschutz verify evidence.",
    "Whether clock and camera were right, and whether the picture shows what happened.",
    "Whether the excerpt of the log is complete: only the whole log of the installation shows that.",
  ],
  notKey: "Who signed it: no known key was given, so the key in the package was believed.",
  notSign: "The signature: this browser does not know Ed25519. A newer browser or blickschutz verify evidence verifies it.",
  notLog: "At least one entry in the excerpt of the log does not fit its hash.",
  shown: "Key in the package", facts: "Facts", clip: "Recording", marks: "Situations detected", log: "Excerpt of the log",
  labels: {
    case: "Case", camera: "Camera", site: "Place", operator: "Operator", begun: "Recorded from", ended: "Recorded until", basis: "Legal basis",
    recipient: "Recipient", reference: "File reference", people: "Released by", released: "Released", state: "State of the recording",
    recipientKey: "Encrypted for the key",
  },
  states: { whole: "whole", "cut-off": "cut off at its end" },
  films: { "data/redacted.mp4": "Redacted version", "data/own-copy.mp4": "Copy for the person concerned", "data/original.mp4": "Original, people can be recognised" },
  which: "Version", cannot: "This browser cannot play this version. Open it with another program:", jump: "Go there",
  began: "begins", over: "ends", nomarks: "None.", when: "Time", what: "What happened", who: "Who", noplay: "Nothing is shown as long as the package is not in order.",
};

const given = JSON.parse(document.getElementById("words")?.textContent ?? "{}") as Record<"de" | "en", Words>;
let language: "de" | "en" = navigator.language.startsWith("de") ? "de" : "en";
let opened: { files: Files; found: Found; log: Awaited<ReturnType<typeof entries>> | undefined } | undefined;
let notice: (string | Node)[] = [], player: string | undefined, expected = "";
const say = (): typeof GERMAN => (language === "de" ? GERMAN : ENGLISH);

function make<K extends keyof HTMLElementTagNameMap>(tag: K, facts: Record<string, string> = {}, ...inside: (Node | string)[]): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(facts)) made.setAttribute(name, value);
  made.append(...inside);
  return made;
}

async function take(files: Files): Promise<void> {
  notice = [say().working];
  opened = undefined;
  draw();
  const rootedFiles = rooted(files), log = rootedFiles.get("data/log-excerpt.jsonl");
  if (!rootedFiles.has("bagit.txt")) return fail(say().none);
  opened = { files: rootedFiles, found: await check(rootedFiles, expected), log: log && (await entries(log)) };
  notice = [];
  draw();
}

function fail(...words: (string | Node)[]): void {
  notice = words;
  draw();
}

async function chosen(list: File[]): Promise<void> {
  const one = list[0];
  if (one === undefined) return;
  const read = async (file: File): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await file.arrayBuffer());
  if (list.length > 1) return take(new Map(await Promise.all(list.map(async (file) => [file.webkitRelativePath || file.name, await read(file)] as const))));
  const data = await read(one);
  if (isEncrypted(data)) return fail(say().encrypted, " ", make("code", {}, `age --decrypt --output ${one.name.replace(/\.age$/, "")} ${one.name}`));
  try {
    await take(untar(data));
  } catch {
    fail(say().none);
  }
}

function draw(): void {
  const words = say();
  document.documentElement.lang = language;
  document.title = words.title;
  const turn = make("button", { type: "button", class: "turn", lang: language === "de" ? "en" : "de" }, words.again);
  turn.addEventListener("click", () => { language = language === "de" ? "en" : "de"; draw(); });
  const main = make("main", {}, make("header", {}, make("h1", {}, words.title), turn), make("p", { class: "quiet" }, words.offline), door(words));
  if (notice.length > 0) main.append(make("p", { role: "status" }, ...notice));
  if (opened !== undefined) main.append(...shown(words, opened.found));
  document.body.replaceChildren(main);
}

function door(words: typeof GERMAN): HTMLElement {
  const folder = make("input", { type: "file", id: "folder", webkitdirectory: "" }), file = make("input", { type: "file", id: "file", accept: ".tar,.age" });
  for (const input of [folder, file]) input.addEventListener("change", () => void chosen([...(input.files ?? [])]));
  const key = make("input", { id: "key", autocomplete: "off", spellcheck: "false", value: expected });
  key.addEventListener("change", () => { expected = key.value; if (opened) void take(opened.files); });
  return make("section", { "aria-labelledby": "open" }, make("h2", { id: "open" }, words.open),
    make("label", { for: "folder" }, words.folder), folder, make("label", { for: "file" }, words.file), file, make("p", { class: "quiet" }, words.drop),
    make("label", { for: "key" }, words.key), key);
}

function shown(words: typeof GERMAN, found: Found): Node[] {
  const good = found.faults.length === 0, list = (items: string[]): Node => make("ul", {}, ...items.map((one) => make("li", {}, one)));
  const verdict = good ? (found.signed === "yes" ? words.whole : words.unsigned)(found.counted) : words.broken;
  const did = [...words.did, ...(found.signed === "yes" ? [words.didSign] : []), ...(found.known === "same" ? [words.didKey] : [])];
  const not = [...(found.signed === "not-possible" ? [words.notSign] : []), ...(found.known === "not-given" ? [words.notKey] : []),
    ...(opened?.log?.whole === false ? [words.notLog] : []), ...words.nots];
  const parts: Node[] = [make("p", { role: "status", class: good ? (found.signed === "yes" ? "good" : "warn") : "bad" }, `${good ? "✓" : "▲"} ${verdict}`)];
  if (!good) parts.push(list(found.faults.map((one) => `${one.file}: ${words.problems[one.problem]}`)), make("p", {}, words.noplay));
  if (good) parts.push(...film(words), facts(words), marks(words));
  parts.push(make("h2", {}, words.not), list(not));
  if (good) parts.push(make("h2", {}, words.checked), list(did), make("p", { class: "quiet" }, `${words.shown}: `, make("code", {}, found.key)), log(words));
  return parts;
}

function custody(): Custody {
  return JSON.parse(new TextDecoder().decode(opened?.files.get("data/custody.json"))) as Custody;
}

function clock(at: number | undefined): string {
  const zone = custody().timezone;
  return at ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium", ...(zone ? { timeZone: zone } : {}) }).format(at * 1000) : "–";
}

function film(words: typeof GERMAN): Node[] {
  const there = Object.keys(words.films).filter((name) => opened?.files.has(name));
  const video = make("video", { controls: "", playsinline: "", id: "film" }), choice = make("select", { id: "which" }), trouble = make("p", { role: "status" });
  choice.append(...there.map((name) => make("option", { value: name }, words.films[name] ?? name)));
  const show = (): void => {
    const data = opened?.files.get(choice.value);
    if (player) URL.revokeObjectURL(player);
    trouble.replaceChildren();
    if (data) video.src = player = URL.createObjectURL(new Blob([data], { type: "video/mp4" }));
  };
  video.addEventListener("error", () => trouble.replaceChildren(words.cannot, " ", make("code", {}, choice.value)));
  choice.addEventListener("change", show);
  show();
  return [make("h2", {}, words.clip), make("label", { for: "which" }, words.which), choice, video, trouble];
}

function facts(words: typeof GERMAN): Node {
  const about = custody(), names = words.labels, rows: [string, string][] = [
    [names.case, String(about.case)], [names.camera, about.camera], [names.begun, clock(about.begun)], [names.ended, clock(about.ended)],
    [names.site, about.site], [names.operator, about.operator], [names.basis, given[language].bases[about.basis] ?? about.basis],
    [names.recipient, about.recipient], [names.reference, about.reference], [names.released, clock(about.released)],
    [names.people, about.people.join(", ")], [names.state, words.states[about.clip_state] ?? about.clip_state],
    ...(about.recipient_key ? [[names.recipientKey, about.recipient_key] satisfies [string, string]] : []),
  ];
  return make("section", {}, make("h2", {}, words.facts), make("dl", {}, ...rows.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)])));
}

function marks(words: typeof GERMAN): Node {
  const all = JSON.parse(new TextDecoder().decode(opened?.files.get("data/situations.json") ?? new TextEncoder().encode("[]"))) as Mark[];
  const begun = custody().begun;
  const items = all.map(([at, kind, , began]) => {
    const line = make("li", {}, `${clock(at)}: ${given[language].kinds[kind] ?? kind}, ${began ? words.began : words.over} `);
    if (begun) {
      const jump = make("button", { type: "button" }, words.jump);
      jump.addEventListener("click", () => {
        const video = document.querySelector<HTMLVideoElement>("#film");
        if (video) video.currentTime = Math.max(0, at - begun);
      });
      line.append(jump);
    }
    return line;
  });
  return make("section", {}, make("h2", {}, words.marks), items.length > 0 ? make("ul", {}, ...items) : make("p", { class: "quiet" }, words.nomarks));
}

function log(words: typeof GERMAN): Node {
  const rows = (opened?.log?.all ?? []).map((one) =>
    make("tr", {}, make("td", {}, clock(one.at)), make("td", {}, given[language].events[one.event] ?? one.event), make("td", {}, one.by)));
  const head = make("tr", {}, ...[words.when, words.what, words.who].map((one) => make("th", { scope: "col" }, one)));
  return make("section", {}, make("h2", {}, words.log), make("div", { class: "table", tabindex: "0", role: "region", "aria-label": words.log },
    make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows))));
}

document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault();
  void chosen([...(event.dataTransfer?.files ?? [])]);
});
draw();
