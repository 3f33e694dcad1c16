// A part of the picture, larger: how large, and which part. Pure. The picture is the redacted one that came; nothing more is in it.

/** `scale` 1 is the whole picture; `x`, `y` are the middle of what is seen, as shares of the picture. */
export interface Zoom { readonly scale: number; readonly x: number; readonly y: number }

export const WHOLE: Zoom = { scale: 1, x: 0.5, y: 0.5 };
export const STEP = 1.25;
const MOST = 8;

/** Larger or smaller by `factor`; what lies at (`px`, `py`) of the frame, as shares of it, stays where it is. */
export function zoomed(zoom: Zoom, factor: number, px = 0.5, py = 0.5): Zoom {
  const scale = Math.min(MOST, Math.max(1, zoom.scale * factor));
  const at = (middle: number, p: number): number => middle + (p - 0.5) / zoom.scale - (p - 0.5) / scale;
  return held({ scale, x: at(zoom.x, px), y: at(zoom.y, py) });
}

/** Moved by shares of the frame: the picture follows the hand. */
export function moved(zoom: Zoom, dx: number, dy: number): Zoom {
  return held({ scale: zoom.scale, x: zoom.x - dx / zoom.scale, y: zoom.y - dy / zoom.scale });
}

/** Nothing beside the picture is ever seen. */
function held({ scale, x, y }: Zoom): Zoom {
  const half = 0.5 / scale, between = (at: number): number => Math.min(1 - half, Math.max(half, at));
  return scale === 1 ? WHOLE : { scale, x: between(x), y: between(y) };
}

/** As a transform of the picture about its middle. */
export function transform({ scale, x, y }: Zoom): string {
  return scale === 1 ? "" : `scale(${scale}) translate(${(0.5 - x) * 100}%, ${(0.5 - y) * 100}%)`;
}
