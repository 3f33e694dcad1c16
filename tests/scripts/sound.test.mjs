// What can be heard: a sound repeats until nothing waits; a storm sounds once, and again only for something more urgent.
import assert from "node:assert/strict";
import test from "node:test";

const { Sound } = await import(`${process.env.SCRIPTS}/sound.mjs`);
globalThis.localStorage = { getItem: () => null, setItem() {} };

function listener() {
  const heard = [], field = { value: "60", checked: false, addEventListener() {} }, sound = new Sound(field, field);
  const play = sound.play.bind(sound);
  sound.play = (priority, now) => { heard.push([priority, now]); play(priority, now); };
  return { sound, heard };
}

test("it repeats until nothing waits", () => {
  const { sound, heard } = listener();
  for (let second = 100; second < 110; second += 1) sound.waiting("high", second * 1000);
  sound.waiting(null, 200_000);
  assert.deepEqual(heard.map(([, now]) => now / 1000), [100, 104, 108]);
});

test("a storm sounds once, however many come and however long they wait", () => {
  const { sound, heard } = listener();
  sound.storm(true);
  for (let second = 0; second < 600; second += 1) {
    sound.storm(true);
    sound.came("medium", second * 1000);
    sound.waiting("medium", second * 1000);
  }
  assert.deepEqual(heard, [["medium", 0]]);
});

test("something more urgent is heard in a storm, once as well", () => {
  const { sound, heard } = listener();
  sound.storm(true);
  for (let second = 0; second < 100; second += 1) sound.waiting(second < 50 ? "low" : "high", second * 1000);
  for (let second = 100; second < 200; second += 1) sound.waiting("medium", second * 1000);
  assert.deepEqual(heard, [["low", 0], ["high", 50_000]]);
});

test("when the storm is over what waits sounds as it does otherwise, and the next storm is heard", () => {
  const { sound, heard } = listener();
  sound.storm(true);
  sound.waiting("high", 0);
  sound.storm(false);
  sound.waiting("high", 10_000);
  sound.storm(true);
  sound.waiting("high", 11_000);
  assert.equal(heard.length, 3);
});
