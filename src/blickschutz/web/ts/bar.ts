// The bar and the banners of every page follow what happens, without the page being loaded anew.

const RENEW_MS = 200;
const AGAIN_MS = 5000;

/** `heard` says that another part of the page listens already and passes on what it hears as the event "bar-changed". */
export function followBar(heard: boolean): void {
  if (!document.querySelector("[data-live-bar]")) return;
  let waiting = 0;
  const soon = (): void => {
    window.clearTimeout(waiting);
    waiting = window.setTimeout(() => void renew(), RENEW_MS);
  };
  document.addEventListener("bar-changed", soon);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) soon(); });
  if (heard) return;
  const source = new EventSource("/bar/stream");
  source.addEventListener("bar", soon);
  source.addEventListener("error", () => { if (source.readyState === EventSource.CLOSED) window.setTimeout(soon, AGAIN_MS); });
}

/** Take over the parts that are marked: each has a name that stays. Where somebody has the focus in one it is left for the next time. */
async function renew(): Promise<void> {
  const answer = await fetch(`/bar?path=${encodeURIComponent(location.pathname)}`).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll<HTMLElement>("[data-live]")) {
    const fresh = page.querySelector<HTMLElement>(`[data-live="${part.dataset["live"]}"]`);
    if (!fresh || fresh.innerHTML === part.innerHTML || part.contains(document.activeElement)) continue;
    part.innerHTML = fresh.innerHTML;
  }
}
