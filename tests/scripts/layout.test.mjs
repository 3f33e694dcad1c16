// The wall at 1920x1080 with its queue: how much of it is black, for each number and shape of pictures.
import assert from "node:assert/strict";
import test from "node:test";

const { enlarged, solve } = await import(`${process.env.SCRIPTS}/layout.mjs`);

// The bar takes 53 px, the edges 8 px each, the queue at least 300 px beside a gap of 8 px.
const SPACE = { width: 1920 - 16 - 300 - 8, height: 1080 - 53 - 16, gap: 6, caption: 28 };
const MOST_BLACK = 0.12;

/** Black of the wall, counted from the boxes alone: what is neither picture nor caption in the width that it takes. */
function black(layout, shapes) {
  const width = Math.max(...layout.boxes.map((box) => box.x + box.width));
  const filled = layout.boxes.reduce((sum, box, at) => {
    const tall = Math.min(box.height - SPACE.caption, box.width / shapes[at]);
    return sum + tall * tall * shapes[at] + box.width * SPACE.caption;
  }, 0);
  return 1 - filled / (width * SPACE.height);
}

function fits(layout) {
  for (const box of layout.boxes) {
    assert.ok(box.x >= -0.01 && box.y >= -0.01);
    assert.ok(box.x + box.width <= SPACE.width + 0.5, JSON.stringify(box));
    assert.ok(box.y + box.height <= SPACE.height + 0.5, JSON.stringify(box));
  }
  layout.boxes.forEach((one, at) => layout.boxes.slice(at + 1).forEach((two) => {
    const apart = one.x + one.width <= two.x + 0.01 || two.x + two.width <= one.x + 0.01 || one.y + one.height <= two.y + 0.01 || two.y + two.height <= one.y + 0.01;
    assert.ok(apart, "two pictures lie on each other");
  }));
}

for (const [name, shape] of [["16:9", 16 / 9], ["4:3", 4 / 3]]) {
  test(`1 to 16 cameras of ${name}`, () => {
    const found = [];
    for (let count = 1; count <= 16; count += 1) {
      const shapes = Array(count).fill(shape);
      const layout = solve(shapes, SPACE);
      assert.equal(layout.boxes.length, count);
      fits(layout);
      const share = black(layout, shapes);
      found.push(`${count}: ${(100 * share).toFixed(1)}`);
      assert.ok(share <= MOST_BLACK, `${count} cameras: ${share}`);
      const least = Math.min(...layout.boxes.map((box) => box.width));
      assert.ok(least >= 200, `${count} cameras: a tile of ${least} px`);
    }
    console.log(`black % at ${name}: ${found.join(", ")}`);
  });
}

test("mixed shapes, and one that stands upright", () => {
  for (let count = 2; count <= 16; count += 1) {
    const shapes = [...Array(count)].map((_, at) => [16 / 9, 4 / 3, 9 / 16][at % 3]);
    const layout = solve(shapes, SPACE);
    fits(layout);
    assert.ok(black(layout, shapes) <= MOST_BLACK, `${count}: ${black(layout, shapes)}`);
  }
});

test("an enlarged picture is much larger than the others, and nothing is lost", () => {
  for (let count = 1; count <= 16; count += 1) {
    const shapes = Array(count).fill(16 / 9);
    for (const large of [0, count - 1]) {
      const layout = enlarged(shapes, large, SPACE);
      fits(layout);
      assert.ok(black(layout, shapes) <= MOST_BLACK, `${count}: ${black(layout, shapes)}`);
      assert.ok(layout.boxes[large].width >= 1000, `${count}: ${layout.boxes[large].width}`);
    }
  }
});

test("more cameras than are tried out, and a window that is too small, have a layout too", () => {
  for (const count of [17, 40, 100]) fits(solve(Array(count).fill(16 / 9), SPACE));
  assert.equal(solve(Array(11).fill(16 / 9), { ...SPACE, width: 10, height: 10 }).boxes.length, 11);
  assert.equal(solve([], SPACE).boxes.length, 0);
});

test("it is quick", () => {
  const begun = performance.now();
  solve(Array(16).fill(4 / 3), SPACE);
  assert.ok(performance.now() - begun < 500);
});
