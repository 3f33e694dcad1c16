// Sends a form without leaving the page. A redirect is the server's way to say that it was done; what was wrong it says in words.

export interface Sent { readonly done: boolean; readonly problem: string }

export async function send(action: string, fields: Record<string, string> | FormData): Promise<Sent> {
  const pairs = fields instanceof FormData ? [...fields].map(([name, value]) => [name, String(value)]) : Object.entries(fields);
  try {
    const answer = await fetch(action, { method: "POST", body: new URLSearchParams(pairs), redirect: "manual" });
    if (answer.status === 401) window.location.reload();
    if (answer.type === "opaqueredirect" || answer.ok) return { done: true, problem: "" };
    if (answer.status === 503) return { done: false, problem: "busy" };
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { done: false, problem: page.querySelector(".problem")?.textContent?.trim() ?? "" };
  } catch {
    return { done: false, problem: "busy" };
  }
}
