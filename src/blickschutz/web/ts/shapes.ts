// What is drawn on a picture: areas whose edge must not cross itself, and the density of the ground. Pure; coordinates in shares of the
// picture's width and height.

export type Spot = [number, number];

/** Whether the edge of an area meets itself anywhere but at the corners of neighbouring sides, as that of a figure eight does. */
export function crossesItself(all: readonly Spot[]): boolean {
  const points = all.filter((point, at) => !same(point, all[(at + all.length - 1) % all.length] ?? point) || all.length < 2);
  const count = points.length;
  for (let first = 0; first < count; first += 1) {
    for (let second = first + 1; second < count; second += 1) {
      if (same(points[first]!, points[second]!)) return true;
      const [a, b, c, d] = [points[first]!, points[(first + 1) % count]!, points[second]!, points[(second + 1) % count]!];
      const beside = second - first === 1 || second - first === count - 1;
      if (beside ? folds(a, b, c, d) : meet(a, b, c, d)) return true;
    }
  }
  return false;
}

/** Whether it covers anything. */
export function isFlat(points: readonly Spot[]): boolean {
  let area = 0;
  points.forEach(([x, y], at) => {
    const [nx, ny] = points[(at + 1) % points.length] ?? [x, y];
    area += x * ny - nx * y;
  });
  return Math.abs(area) / 2 < 1e-4;
}

function same(one: Spot, other: Spot): boolean { return one[0] === other[0] && one[1] === other[1]; }

function turn(a: Spot, b: Spot, c: Spot): number { return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]); }

function between(a: Spot, b: Spot, c: Spot): boolean {
  return Math.min(a[0], b[0]) <= c[0] && c[0] <= Math.max(a[0], b[0]) && Math.min(a[1], b[1]) <= c[1] && c[1] <= Math.max(a[1], b[1]);
}

function meet(a: Spot, b: Spot, c: Spot, d: Spot): boolean {
  if (turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0) return true;
  return ([[a, b, c], [a, b, d], [c, d, a], [c, d, b]] as const).some(([p, q, point]) => turn(p, q, point) === 0 && between(p, q, point));
}

/** Whether a side runs back along its neighbour. */
function folds(a: Spot, b: Spot, c: Spot, d: Spot): boolean {
  const [common, one, other] = same(b, c) ? [b, a, d] : [a, b, c];
  return turn(common, one, other) === 0 && (between(common, one, other) || between(common, other, one));
}

export interface Stander { readonly foot: Spot; readonly head: Spot }

/** Density of the ground at the top and the bottom of the picture (px/m), by somebody of that height at several places; null where none fits. */
export function ground(people: readonly Stander[], metres: number, width: number, height: number): { top: number; bottom: number } | null {
  const marks = people.map(({ foot, head }) => ({ y: foot[1], dense: Math.hypot((head[0] - foot[0]) * width, (head[1] - foot[1]) * height) / metres }));
  if (marks.length < 3 || !(metres > 0) || marks.some((mark) => mark.dense <= 0)) return null;
  const weights = marks.map((mark) => 1 / mark.dense ** 2), total = weights.reduce((sum, one) => sum + one, 0);
  const weighted = (value: (at: number) => number): number => weights.reduce((sum, one, at) => sum + one * value(at), 0);
  const mean = weighted((at) => marks[at]!.y) / total, middle = weighted((at) => marks[at]!.dense) / total;
  const spread = weighted((at) => (marks[at]!.y - mean) ** 2);
  if (spread === 0) return null;
  const slope = weighted((at) => (marks[at]!.y - mean) * (marks[at]!.dense - middle)) / spread;
  return slope > 0 ? { top: middle - slope * mean, bottom: middle + slope * (1 - mean) } : null;
}

export interface Band { readonly name: string; readonly from: number; readonly to: number }

/** Where in the picture which class of density lies, from top to bottom. `classes`: least density and name, from the lowest. */
export function bands(top: number, bottom: number, classes: readonly (readonly [number, string])[]): Band[] {
  const edges = [[-Infinity, ""] as const, ...classes, [Infinity, ""] as const];
  const at = (dense: number): number => (bottom === top ? (dense <= top ? 0 : 1) : Math.min(1, Math.max(0, (dense - top) / (bottom - top))));
  const found: Band[] = [];
  for (let index = 0; index + 1 < edges.length; index += 1) {
    const from = index === 0 ? 0 : at(edges[index]![0]), to = index + 2 === edges.length ? 1 : at(edges[index + 1]![0]);
    if (to - from > 1e-6) found.push({ name: edges[index]![1], from, to });
  }
  return found;
}
