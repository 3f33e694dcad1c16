// Which cameras stand on the wall; a camera that alarms becomes large by itself, and never against somebody's hand.
import assert from "node:assert/strict";
import test from "node:test";

const { Attention, staged } = await import(`${process.env.SCRIPTS}/stage.mjs`);

test("a view shows its cameras in its order, of those that there are", () => {
  assert.deepEqual(staged(["a", "b", "c"], { cameras: ["c", "gone", "a"], large: "" }), ["c", "a"]);
  assert.deepEqual(staged(["a", "b"], { cameras: ["gone"], large: "" }), ["a", "b"], "a wall is never empty");
  assert.deepEqual(staged(["a", "b"], undefined), ["a", "b"]);
});

test("a camera that alarms becomes large, and small again when it is over", () => {
  const attention = new Attention();
  assert.equal(attention.alarmed({ a: "medium" }, ""), "a");
  assert.equal(attention.alarmed({ a: "medium" }, "a"), undefined);
  assert.equal(attention.alarmed({}, "a"), "");
  assert.equal(attention.alarmed({}, ""), undefined);
});

test("something more urgent takes its place, something as urgent does not, and it comes after", () => {
  const attention = new Attention();
  assert.equal(attention.alarmed({ a: "medium" }, ""), "a");
  assert.equal(attention.alarmed({ a: "medium", b: "medium" }, "a"), undefined);
  assert.equal(attention.alarmed({ a: "medium", b: "medium", c: "high" }, "a"), "c");
  assert.equal(attention.alarmed({ a: "medium", b: "low" }, "c"), "a");
});

test("what somebody enlarged stays, and what they put away does not come back by itself", () => {
  const attention = new Attention();
  assert.equal(attention.alarmed({ b: "high" }, "a"), undefined);
  assert.equal(attention.alarmed({}, "a"), undefined);
  assert.equal(attention.alarmed({ b: "high" }, ""), "b");
  assert.equal(attention.alarmed({ b: "high" }, ""), undefined, "put away by hand");
});
