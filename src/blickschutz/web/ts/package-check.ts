// What a package of evidence is worth: every file against the signed list of hashes, the list against the signature (RFC 8493, Ed25519).

export type Files = Map<string, Uint8Array<ArrayBuffer>>;
export type Problem = "missing" | "altered" | "added" | "signature" | "foreign" | "unreadable";
export interface Fault { file: string; problem: Problem }
export interface Found {
  faults: Fault[];
  counted: number;
  // Whether the signature was verified: not where this browser cannot do it.
  signed: "yes" | "no" | "not-possible";
  // Whose key it is, compared with the one that is known from elsewhere.
  known: "same" | "other" | "not-given";
  key: string;
}

const FORMAT = "blickschutz-evidence-1", SIGNATURE = "signature.json", MANIFEST = "manifest-sha256.txt", TAGS = "tagmanifest-sha256.txt";
const SIGNED = ["bag-info.txt", "bagit.txt", MANIFEST], BLOCK = 512, KEY_LENGTH = 32;

export function isEncrypted(data: Uint8Array): boolean {
  return latin(data.subarray(0, 19)) === "age-encryption.org/";
}

// The files of an uncompressed tar; throws where it is none.
export function untar(data: Uint8Array<ArrayBuffer>): Files {
  const files: Files = new Map();
  let at = 0;
  while (at + BLOCK <= data.length && data[at] !== 0) {
    const head = data.subarray(at, at + BLOCK);
    const size = Number.parseInt(field(head, 124, 12), 8);
    if (field(head, 257, 5) !== "ustar" || !Number.isInteger(size) || size < 0 || at + BLOCK + size > data.length) throw new Error("no tar");
    const prefix = field(head, 345, 155), kind = field(head, 156, 1);
    if (kind === "" || kind === "0") files.set((prefix ? `${prefix}/` : "") + field(head, 0, 100), data.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (files.size === 0) throw new Error("no tar");
  return files;
}

// Without a common folder in front, as a folder that somebody chose has it.
export function rooted(files: Files): Files {
  const marks = [...files.keys()].filter((name) => name.split("/").pop() === "bagit.txt").sort((one, other) => one.length - other.length);
  const start = marks[0]?.slice(0, -"bagit.txt".length) ?? "";
  return new Map([...files].filter(([name]) => name.startsWith(start)).map(([name, data]) => [name.slice(start.length), data]));
}

export async function check(files: Files, expected = ""): Promise<Found> {
  const faults: Fault[] = [], say = (file: string, problem: Problem): void => void faults.push({ file, problem });
  const listed = await against(files, MANIFEST, say);
  if (listed === undefined) say(MANIFEST, files.has(MANIFEST) ? "unreadable" : "missing");
  const tags = await against(files, TAGS, say);
  if (tags === undefined) say(TAGS, files.has(TAGS) ? "unreadable" : "missing");
  const own = new Set([...SIGNED, TAGS, SIGNATURE]);
  for (const name of files.keys()) if (!own.has(name) && !listed?.has(name)) say(name, "added");
  const signature = await signedBy(files, say);
  const given = expected.toLowerCase().replace(/[^0-9a-f]/g, "");
  const known = given === "" ? "not-given" : given === signature.key ? "same" : "other";
  if (known === "other") say(SIGNATURE, "foreign");
  return { faults: once(faults), counted: listed?.size ?? 0, known, ...signature };
}

// Each file that a list of hashes names; the names, or undefined where there is no such list.
async function against(files: Files, list: string, say: (file: string, problem: Problem) => void): Promise<Set<string> | undefined> {
  const data = files.get(list), names = new Set<string>();
  if (data === undefined) return undefined;
  for (const line of text(data).split("\n").filter((one) => one !== "")) {
    const parts = /^([0-9a-f]{64})\s+(\S.*)$/.exec(line);
    const hash = parts?.[1], name = parts?.[2];
    if (hash === undefined || name === undefined) return undefined;
    names.add(name);
    const there = files.get(name);
    if (there === undefined) say(name, "missing");
    else if ((await sha256(there)) !== hash) say(name, "altered");
  }
  return names;
}

async function signedBy(files: Files, say: (file: string, problem: Problem) => void): Promise<{ signed: Found["signed"]; key: string }> {
  const data = files.get(SIGNATURE);
  if (data === undefined) {
    say(SIGNATURE, "missing");
    return { signed: "no", key: "" };
  }
  let digests: Record<string, string>, key: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>;
  try {
    const found = JSON.parse(text(data)) as { format: string; public_key: string; digests: Record<string, string>; signature: string };
    [digests, key, signature] = [found.digests, hex(found.public_key), hex(found.signature)];
    if (found.format !== FORMAT || key.length !== KEY_LENGTH || SIGNED.some((name) => typeof digests[name] !== "string")) throw new Error("no signature");
  } catch {
    say(SIGNATURE, "unreadable");
    return { signed: "no", key: "" };
  }
  for (const name of SIGNED) {
    const there = files.get(name);
    if (there === undefined) say(name, "missing");
    else if ((await sha256(there)) !== digests[name]) say(name, "altered");
  }
  const ordered = Object.fromEntries(Object.keys(digests).sort().map((name) => [name, digests[name]]));
  const signed = await isSigned(new TextEncoder().encode(`${FORMAT}:${JSON.stringify(ordered)}`), signature, key);
  if (signed === "no") say(SIGNATURE, "signature");
  return { signed, key: [...key].map((one) => one.toString(16).padStart(2, "0")).join("") };
}

async function isSigned(data: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>, key: Uint8Array<ArrayBuffer>): Promise<Found["signed"]> {
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return (await crypto.subtle.verify("Ed25519", imported, signature, data)) ? "yes" : "no";
  } catch (error) {
    // An old browser does not know the curve; a key that is none is another matter.
    return error instanceof DOMException && error.name === "NotSupportedError" ? "not-possible" : "no";
  }
}

export async function sha256(data: Uint8Array<ArrayBuffer>): Promise<string> {
  const found = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  return [...found].map((one) => one.toString(16).padStart(2, "0")).join("");
}

// Entries of the excerpt of the log; `whole` where each has the hash that stands beside it.
export async function entries(data: Uint8Array<ArrayBuffer>): Promise<{ whole: boolean; all: { at: number; event: string; by: string }[] }> {
  const all: { at: number; event: string; by: string }[] = [];
  let whole = true;
  for (const line of text(data).split("\n").slice(1).filter((one) => one !== "")) {
    const parts = /^\{"hash":"([0-9a-f]{64})","entry":(.*)\}$/.exec(line);
    if (parts?.[2] === undefined || (await sha256(new TextEncoder().encode(parts[2]))) !== parts[1]) {
      whole = false;
      continue;
    }
    all.push(JSON.parse(parts[2]) as { at: number; event: string; by: string });
  }
  return { whole, all };
}

function once(faults: Fault[]): Fault[] {
  const seen = new Set<string>();
  return faults.filter((one) => !seen.has(`${one.file} ${one.problem}`) && seen.add(`${one.file} ${one.problem}`));
}

function hex(digits: string): Uint8Array<ArrayBuffer> {
  if (!/^([0-9a-f]{2})+$/i.test(digits)) throw new Error("no hex digits");
  return Uint8Array.from(digits.match(/../g) ?? [], (one) => Number.parseInt(one, 16));
}

function text(data: Uint8Array): string { return new TextDecoder().decode(data); }

function latin(data: Uint8Array): string { return String.fromCharCode(...data); }

function field(head: Uint8Array, at: number, length: number): string { return latin(head.subarray(at, at + length)).split("\0")[0]?.trim() ?? ""; }
