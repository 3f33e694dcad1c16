// Where the pictures of the wall lie: in rows or in columns, each filled from edge to edge, so that as little as possible is black.
// Pure: sizes in pixels, shapes as width / height of each picture. A justified layout; which pictures share a row is tried out.

export interface Box { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
export interface Layout { readonly boxes: readonly Box[]; readonly width: number; readonly height: number; readonly black: number }

export interface Space {
  /** The most that the pictures with their captions may take. */
  readonly width: number;
  readonly height: number;
  readonly gap: number;
  readonly caption: number;
}

/** A tile much smaller than another is of no use, however well it fills: no height under this share of the largest. */
const LEAST_SHARE = 0.5;
/** Above this share of black a wall looks empty. */
const MUCH_BLACK = 0.1;
/** The heights that are tried for the strip beneath an enlarged picture, as shares of the space. */
const STRIPS = [0.16, 0.14, 0.12, 0.1];
/** Above so many pictures only even rows are tried: the number of ways doubles with each picture. */
const MOST_TRIED = 16;

/** The layout with the largest pictures, of those with the least black. */
export function solve(shapes: readonly number[], space: Space): Layout {
  let best: Layout | null = null, worth = -Infinity;
  for (const split of splits(shapes.length)) {
    for (const way of [rows, columns]) {
      const found = way(shapes, split, space);
      const heights = found.boxes.map((box) => box.height - space.caption);
      const least = Math.min(...heights) / Math.max(...heights);
      const pictures = area(shapes, found, space) / (space.width * space.height);
      // Black counts double, and above a tenth more than anything: what is not picture could have been queue, or a larger picture.
      const value = pictures - 2 * Math.max(0, found.black - 0.04) - 20 * Math.max(0, found.black - MUCH_BLACK) - 2 * Math.max(0, LEAST_SHARE - least);
      if (value > worth) [best, worth] = [found, value];
    }
  }
  return best ?? { boxes: [], width: 0, height: 0, black: 0 };
}

/** One picture as large as can be, all others in a strip beneath it. */
export function enlarged(shapes: readonly number[], large: number, space: Space): Layout {
  const others = shapes.map((_, at) => at).filter((at) => at !== large);
  if (!others.length) return solve(shapes, space);
  const order = [large, ...others];
  const found: Layout[] = [];
  for (let strips = 1; strips <= Math.ceil(others.length / 8); strips += 1) found.push(rows(order.map((at) => shapes[at] ?? 1), [1, ...even(others.length, strips)], space));
  for (const share of STRIPS) found.push(strip(order.map((at) => shapes[at] ?? 1), share * space.height, space));
  const wide = (layout: Layout): number => (layout.boxes[0]?.width ?? 0) - 1e5 * Math.max(0, layout.black - 1.1 * MUCH_BLACK);
  const best = found.reduce((one, two) => (wide(two) > wide(one) ? two : one));
  return { ...best, boxes: shapes.map((_, at) => best.boxes[order.indexOf(at)] ?? { x: 0, y: 0, width: 0, height: 0 }) };
}

/** The first picture above a strip of the given height, in which the others stand from the left; smaller where they are many. */
function strip(shapes: readonly number[], height: number, space: Space): Layout {
  const [first = 1, ...others] = shapes;
  const { gap, caption } = space;
  const whole = Math.min(space.width, (space.height - height - gap - caption) * first);
  const tall = Math.min(height - caption, (whole - gap * (others.length - 1)) / others.reduce((sum, shape) => sum + shape, 0));
  const boxes: Box[] = [{ x: 0, y: 0, width: whole, height: whole / first + caption }];
  let x = 0;
  for (const shape of others) {
    boxes.push({ x, y: whole / first + caption + gap, width: tall * shape, height: tall + caption });
    x += tall * shape + gap;
  }
  return measured(shapes, boxes, whole, space.height, caption);
}

/** Rows of the given numbers of pictures, each as wide as the others. */
function rows(shapes: readonly number[], split: readonly number[], { width, height, gap, caption }: Space): Layout {
  const sums = parts(shapes, split).map((part) => part.reduce((sum, shape) => sum + shape, 0));
  // Width of the whole at which the heights of all rows together fill the space: sum((w - gaps) / shapes) + captions + gaps = height.
  const slope = sums.reduce((sum, shape) => sum + 1 / shape, 0);
  const fixed = sums.reduce((sum, shape, at) => sum - (gap * ((split[at] ?? 1) - 1)) / shape, 0) + split.length * caption + gap * (split.length - 1);
  const whole = Math.max(1, Math.min(width, (height - fixed) / slope));
  const boxes: Box[] = [];
  let y = 0;
  parts(shapes, split).forEach((part, at) => {
    const tall = Math.max(1, (whole - gap * (part.length - 1)) / (sums[at] ?? 1));
    let x = 0;
    for (const shape of part) {
      boxes.push({ x, y, width: tall * shape, height: tall + caption });
      x += tall * shape + gap;
    }
    y += tall + caption + gap;
  });
  return measured(shapes, boxes, whole, height, caption);
}

/** Columns of the given numbers of pictures, each as tall as the others. */
function columns(shapes: readonly number[], split: readonly number[], { width, height, gap, caption }: Space): Layout {
  // In a column all pictures are as wide as it: w * sum(1 / shape) + captions + gaps = height.
  const sums = parts(shapes, split).map((part) => part.reduce((sum, shape) => sum + 1 / shape, 0));
  const fixed = split.map((size) => size * caption + gap * (size - 1));
  const across = (tall: number): number => sums.reduce((sum, one, at) => sum + Math.max(1, (tall - (fixed[at] ?? 0)) / one), 0) + gap * (split.length - 1);
  const slope = sums.reduce((sum, one) => sum + 1 / one, 0);
  const tall = across(height) <= width ? height : height - (across(height) - width) / slope;
  const boxes: Box[] = [];
  let x = 0;
  parts(shapes, split).forEach((part, at) => {
    const wide = Math.max(1, (tall - (fixed[at] ?? 0)) / (sums[at] ?? 1));
    let y = 0;
    for (const shape of part) {
      boxes.push({ x, y, width: wide, height: wide / shape + caption });
      y += wide / shape + caption + gap;
    }
    x += wide + gap;
  });
  return measured(shapes, boxes, Math.min(width, across(tall)), height, caption);
}

/** Black is what is neither picture nor caption, of the space that the wall takes: the queue gets the rest of the width. */
function measured(shapes: readonly number[], boxes: readonly Box[], width: number, height: number, caption: number): Layout {
  const filled = boxes.reduce((sum, box, at) => {
    const tall = Math.min(box.height - caption, box.width / (shapes[at] ?? 1));
    return sum + tall * (shapes[at] ?? 1) * tall + box.width * caption;
  }, 0);
  return { boxes, width, height, black: 1 - Math.min(1, filled / (width * height)) };
}

function area(shapes: readonly number[], layout: Layout, { caption }: Space): number {
  return layout.boxes.reduce((sum, box, at) => {
    const tall = Math.min(box.height - caption, box.width / (shapes[at] ?? 1));
    return sum + tall * tall * (shapes[at] ?? 1);
  }, 0);
}

function parts(shapes: readonly number[], split: readonly number[]): number[][] {
  let from = 0;
  return split.map((size) => shapes.slice(from, (from += size)));
}

/** So many as evenly as can be; the longer parts come last. */
function even(count: number, into: number): number[] {
  return [...Array(into)].map((_, at) => Math.floor((count + at) / into));
}

/** The ways to cut so many pictures into parts of an order: all of them for few, even ones for many. */
function* splits(count: number): Generator<readonly number[]> {
  if (count < 1) return;
  if (count > MOST_TRIED) {
    for (let into = 1; into <= Math.ceil(Math.sqrt(2 * count)); into += 1) yield even(count, into);
    return;
  }
  for (let cuts = 0; cuts < 2 ** (count - 1); cuts += 1) {
    const split: number[] = [];
    let size = 1;
    for (let at = 0; at < count - 1; at += 1) {
      if (cuts & (1 << at)) { split.push(size); size = 1; } else size += 1;
    }
    split.push(size);
    if (split.length <= 5 && Math.max(...split) <= 6) yield split;
  }
}
