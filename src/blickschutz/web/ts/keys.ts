// Security keys: the browser makes or asks one, the form carries its answer to the server.

type Options = { publicKey: PublicKeyCredentialCreationOptionsJSON & PublicKeyCredentialRequestOptionsJSON };

function line(form: HTMLFormElement, text: string): void {
  const target = form.querySelector("[data-key-line]");
  if (target) target.textContent = text;
}

async function begin(address: string, form: HTMLFormElement): Promise<Options> {
  const body = new URLSearchParams();
  const password = form.elements.namedItem("password");
  if (password instanceof HTMLInputElement) body.set("password", password.value);
  const answer = await fetch(address, { method: "POST", body });
  const said = (await answer.json()) as Options & { problem?: string };
  if (!answer.ok) throw new Error(said.problem ?? "");
  return said;
}

async function ask(form: HTMLFormElement, texts: Record<string, string>): Promise<void> {
  const make = form.dataset["keyMake"];
  try {
    const options = await begin(make ?? form.dataset["keyAsk"] ?? "", form);
    const credential = make
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options.publicKey) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options.publicKey) });
    const field = form.elements.namedItem("answer");
    if (!(credential instanceof PublicKeyCredential) || !(field instanceof HTMLInputElement)) throw new Error("");
    field.value = JSON.stringify(credential.toJSON());
    const password = form.elements.namedItem("password");
    if (password instanceof HTMLInputElement) password.disabled = true;
    form.submit();
  } catch (error) {
    line(form, error instanceof Error && error.constructor === Error && error.message ? error.message : texts["failed"] ?? "");
  }
}

for (const form of document.querySelectorAll<HTMLFormElement>("[data-key-make], [data-key-ask]")) {
  const texts = JSON.parse(form.dataset["texts"] ?? "{}") as Record<string, string>;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (location.hostname !== form.dataset["host"]) line(form, `${texts["host"] ?? ""} ${location.protocol}//${form.dataset["host"] ?? ""}:${location.port}`);
    else if (!("PublicKeyCredential" in window)) line(form, texts["none"] ?? "");
    else void ask(form, texts);
  });
}
