// The round of the views: one after the other, and never while somebody is at something.
import assert from "node:assert/strict";
import test from "node:test";

const { Patrol } = await import(`${process.env.SCRIPTS}/patrol.mjs`);

test("one view comes after the other, each for its whole time, and round again", () => {
  const patrol = new Patrol(["a", "b", "c"], 1000, true, 0);
  assert.equal(patrol.due("", false, 999), undefined);
  assert.equal(patrol.due("", false, 1000), "a");
  assert.equal(patrol.due("a", false, 1999), undefined);
  assert.equal(patrol.due("a", false, 2000), "b");
  assert.equal(patrol.due("c", false, 3000), "a");
});

test("from a view that is not of the round it begins with the first", () => {
  assert.equal(new Patrol(["a", "b"], 1000, true, 0).due("other", false, 1000), "a");
});

test("an act lets the view stay for its whole time", () => {
  const patrol = new Patrol(["a", "b"], 1000, true, 0);
  patrol.hand(900);
  assert.equal(patrol.due("a", false, 1899), undefined);
  assert.equal(patrol.due("a", false, 1900), "b");
});

test("while somebody is at something nothing changes, however long, nor at once afterwards", () => {
  const patrol = new Patrol(["a", "b"], 1000, true, 0);
  for (let now = 0; now <= 60_000; now += 500) assert.equal(patrol.due("a", true, now), undefined);
  assert.equal(patrol.due("a", false, 60_999), undefined);
  assert.equal(patrol.due("a", false, 61_000), "b");
});

test("switched off it stays, switched on it goes after the whole time", () => {
  const patrol = new Patrol(["a", "b"], 1000, true, 0);
  patrol.toggle(10);
  assert.equal(patrol.due("a", false, 90_000), undefined);
  patrol.toggle(90_000);
  assert.equal(patrol.due("a", false, 90_999), undefined);
  assert.equal(patrol.due("a", false, 91_000), "b");
});

test("10,000 random acts: no view changes less than its time after an act or a hold", () => {
  let state = 7;
  const random = () => { state = (state * 1103515245 + 12345) % 2147483648; return state / 2147483648; };
  const patrol = new Patrol(["a", "b", "c"], 1000, true, 0);
  let now = 0, last = 0, shown = "", changes = 0, held = false;
  for (let step = 0; step < 10_000; step += 1) {
    now += Math.floor(400 * random());
    if (random() < 0.1) { patrol.hand(now); last = now; }
    if (random() < 0.1) held = !held;
    if (held) last = now;
    const next = patrol.due(shown, held, now);
    if (next === undefined) continue;
    assert.ok(now - last >= 1000, `changed ${now - last} ms after an act`);
    [shown, last, changes] = [next, now, changes + 1];
  }
  assert.ok(changes > 20);
});
