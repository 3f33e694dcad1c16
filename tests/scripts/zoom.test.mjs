// A part of the picture, larger: what lies under the hand stays there, and nothing beside the picture is ever seen.
import assert from "node:assert/strict";
import test from "node:test";

const { moved, transform, WHOLE, zoomed } = await import(`${process.env.SCRIPTS}/zoom.mjs`);
const seen = (zoom, p, middle) => middle + (p - 0.5) / zoom.scale;
let state = 7;
const chance = () => { state = (state * 1103515245 + 12345) % 2147483648; return state / 2147483648; };

test("what lies under the hand stays there", () => {
  const zoom = zoomed(WHOLE, 2, 0.75, 0.25);
  assert.equal(seen(zoom, 0.75, zoom.x), 0.75);
  assert.equal(seen(zoom, 0.25, zoom.y), 0.25);
});

test("whatever hands do, only the picture is seen, and it comes back whole", () => {
  let zoom = WHOLE;
  for (let step = 0; step < 5000; step += 1) {
    zoom = chance() < 0.5 ? zoomed(zoom, 0.2 + 3 * chance(), chance(), chance()) : moved(zoom, 4 * chance() - 2, 4 * chance() - 2);
    assert.ok(zoom.scale >= 1 && zoom.scale <= 8);
    for (const middle of [zoom.x, zoom.y]) assert.ok(middle - 0.5 / zoom.scale >= -1e-9 && middle + 0.5 / zoom.scale <= 1 + 1e-9);
  }
  assert.deepEqual(zoomed(zoom, 1 / 100), WHOLE);
  assert.equal(transform(WHOLE), "");
});

test("the picture follows the hand", () => {
  const zoom = zoomed(WHOLE, 4);
  assert.ok(moved(zoom, 0.1, 0).x < zoom.x);
  assert.match(transform(zoom), /^scale\(4\) translate\(0%, 0%\)$/);
});
