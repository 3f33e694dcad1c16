// Areas whose edge crosses itself, and the density of the ground: the same answers as the server's.
import assert from "node:assert/strict";
import test from "node:test";

const { bands, crossesItself, ground, isFlat } = await import(`${process.env.SCRIPTS}/shapes.mjs`);

test("a figure eight crosses itself, what goes round does not", () => {
  assert.ok(crossesItself([[0, 0], [1, 1], [1, 0], [0, 1]]));
  assert.ok(!crossesItself([[0, 0], [1, 0], [1, 1], [0, 1]]));
  assert.ok(!crossesItself([[0, 0], [1, 0], [1, 1], [0.5, 0.4], [0, 1]]), "a notch is none");
  assert.ok(crossesItself([[0, 0], [1, 0], [1, 1], [0.5, 0], [0, 1]]), "a corner that touches another side");
  assert.ok(crossesItself([[0, 0], [1, 0], [0.5, 0], [0.5, 1]]), "a side that runs back");
  assert.ok(!crossesItself([[0, 0], [1, 0], [0, 1]]));
  assert.ok(!crossesItself([[0, 0], [1, 0], [0, 1], [0, 0]]), "a first corner written again");
});

test("what covers nothing is flat", () => {
  assert.ok(isFlat([[0, 0], [1, 1], [0.5, 0.5]]));
  assert.ok(!isFlat([[0, 0], [1, 0], [0, 1]]));
});

test("somebody at three places gives the ground of a camera, exactly where they stand true", () => {
  // Density 100 px/m at the bottom, 20 at the top.
  const at = (y) => ({ foot: [0.5, y], head: [0.5, y - ((20 + 80 * y) * 1.8) / 720] });
  const found = ground([at(0.5), at(0.7), at(0.9)], 1.8, 1280, 720);
  assert.ok(Math.abs(found.top - 20) < 1e-6 && Math.abs(found.bottom - 100) < 1e-6);
  assert.equal(ground([at(0.5), at(0.9)], 1.8, 1280, 720), null);
  assert.equal(ground([{ foot: [0.5, 0.5], head: [0.5, 0.1] }, { foot: [0.5, 0.7], head: [0.5, 0.5] }, { foot: [0.5, 0.9], head: [0.5, 0.8] }], 1.8, 1280, 720), null, "smaller below");
});

test("classes lie in bands from top to bottom and fill the picture", () => {
  const classes = [[12.5, "monitor"], [25, "detect"], [62.5, "observe"], [125, "recognise"]];
  const found = bands(0, 100, classes);
  assert.deepEqual(found.map((one) => one.name), ["", "monitor", "detect", "observe"]);
  assert.equal(found[0].from, 0);
  assert.equal(found.at(-1).to, 1);
  found.slice(1).forEach((one, at) => assert.equal(one.from, found[at].to));
  assert.deepEqual(bands(70, 70, classes), [{ name: "observe", from: 0, to: 1 }]);
});
