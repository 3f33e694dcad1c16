// The second half of a person's secret: asked of their security key (WebAuthn prf), sent with the passphrase, kept nowhere.

interface Made { publicKey: PublicKeyCredentialCreationOptionsJSON; host: string; salt: string }
interface Asked { publicKey: PublicKeyCredentialRequestOptionsJSON; host: string; salt: string }

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
}

function text(data: BufferSource): string {
  const view = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return btoa(String.fromCharCode(...view)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

async function answered(asked: PublicKeyCredentialRequestOptions, salt: string): Promise<string> {
  const credential = await navigator.credentials.get({ publicKey: { ...asked, extensions: { prf: { eval: { first: bytes(salt) } } } } });
  const first = credential instanceof PublicKeyCredential ? credential.getClientExtensionResults().prf?.results?.first : undefined;
  if (first === undefined) throw new Error("no half");
  return text(first);
}

function ask(asked: Asked): Promise<string> {
  const { extensions: _, ...plain } = asked.publicKey;
  return answered(PublicKeyCredential.parseRequestOptionsFromJSON(plain), asked.salt);
}

async function make(made: Made): Promise<{ credential: string; other: string }> {
  const { extensions: _, ...plain } = made.publicKey;
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(plain);
  const credential = await navigator.credentials.create({ publicKey: { ...options, extensions: { prf: {} } } });
  if (!(credential instanceof PublicKeyCredential)) throw new Error("no credential");
  const asked = { challenge: options.challenge, rpId: made.host, userVerification: "required" as const };
  const other = await answered({ ...asked, allowCredentials: [{ type: "public-key", id: credential.rawId }] }, made.salt);
  return { credential: text(credential.rawId), other };
}

function put(form: HTMLFormElement, name: string, value: string): void {
  const field = form.elements.namedItem(name);
  if (field instanceof HTMLInputElement) field.value = value;
}

function wanted(form: HTMLFormElement): boolean {
  const box = form.elements.namedItem("second");
  return box instanceof HTMLInputElement && box.checked;
}

for (const form of document.querySelectorAll<HTMLFormElement>("[data-half-texts]")) {
  const texts = JSON.parse(form.dataset["halfTexts"] ?? "{}") as Record<string, string>;
  const asked = form.dataset["halfAsk"] === undefined ? undefined : (JSON.parse(form.dataset["halfAsk"]) as Asked);
  const making = form.dataset["halfMake"] === undefined ? undefined : (JSON.parse(form.dataset["halfMake"]) as Made);
  const line = form.querySelector("[data-half-line]");
  const say = (words: string): void => { if (line) line.textContent = words; };
  form.addEventListener("submit", (event) => {
    const made = wanted(form) ? making : undefined;
    const host = asked?.host ?? made?.host;
    if (host === undefined) return;
    event.preventDefault();
    if (location.hostname !== host) return say(`${texts["host"] ?? ""} ${location.protocol}//${host}`);
    if (!("PublicKeyCredential" in window)) return say(texts["none"] ?? "");
    void (async () => {
      try {
        if (asked) put(form, "half", await ask(asked));
        if (made) for (const [name, value] of Object.entries(await make(made))) put(form, name, value);
        form.submit();
      } catch {
        say(texts["failed"] ?? "");
      }
    })();
  });
}
export {};
