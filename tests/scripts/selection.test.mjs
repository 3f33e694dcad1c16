// Ten thousand random shifts: alerts come, are closed and acknowledged by colleagues, the order changes, and a person presses keys.
// The person reacts to what was on the screen a quarter of a second ago. An acknowledgement is wrong where it is not of the alert that
// was selected there, or of one that had been in sight for less than a second. Judged here, without the module's own clocks.
import assert from "node:assert/strict";
import test from "node:test";

const { Selection } = await import(`${process.env.SCRIPTS}/selection.mjs`);

const RUNS = Number(process.env.RUNS ?? 10_000);

function random(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13; state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5; state >>>= 0;
    return state / 2 ** 32;
  };
}

/** What a person at the desk sees and does for a while; returns how many were acknowledged and how many of them wrongly. */
function shift(seed, make) {
  const next = random(seed), desk = make();
  let alerts = [], now = 0, number = 0, done = 0, wrong = 0;
  const cameAt = new Map(), screens = [{ at: 0, selected: null }];
  const show = () => { desk.list(alerts.map((one) => ({ ...one })), now); look(); };
  const look = () => screens.push({ at: now, selected: desk.selected });
  const seen = (at) => screens.findLast((screen) => screen.at <= at)?.selected ?? null;
  show();
  for (let step = 0; step < 60; step += 1) {
    now += Math.floor(next() ** 3 * 1500);
    const what = next();
    if (what < 0.3) {
      number += 1;
      cameAt.set(number, now);
      const row = alerts[Math.floor(next() * alerts.length)];
      // Every third is of the same cause as a row that waits already, and joins it.
      if (row?.waiting && next() < 0.33) alerts = alerts.map((one) => (one === row ? { ...one, others: [...(one.others ?? []), number] } : one));
      else alerts.splice(Math.floor(next() * (alerts.length + 1)), 0, { id: number, waiting: true });
      show();
    } else if (what < 0.4 && alerts.length) {
      alerts.splice(Math.floor(next() * alerts.length), 1);
      show();
    } else if (what < 0.5 && alerts.length) {
      const at = Math.floor(next() * alerts.length);
      alerts = alerts.map((one, place) => (place === at ? { ...one, waiting: false } : one));
      show();
    } else if (what < 0.55) {
      alerts = alerts.toSorted(() => next() - 0.5);
      show();
    } else if (what < 0.7) {
      desk.move(next() < 0.5 ? 1 : -1, now);
      look();
    } else {
      const meant = seen(now - 200 - Math.floor(next() * 150));
      const act = desk.press(now);
      look();
      if (act.kind === "acknowledge") {
        done += 1;
        if (act.id !== meant || now - cameAt.get(act.id) < 1000) wrong += 1;
        const further = desk.seenWith(act.id, now), own = alerts.find((one) => one.id === act.id);
        done += further.length;
        wrong += further.filter((id) => now - cameAt.get(id) < 1000).length;
        const left = (own.others ?? []).filter((id) => !further.includes(id));
        alerts = alerts.map((one) => (one.id === act.id ? { id: one.id, waiting: false, others: further } : one));
        if (left.length) alerts.splice(Math.floor(next() * alerts.length), 0, { id: left[0], waiting: true, others: left.slice(1) });
        show();
      }
    }
  }
  return { done, wrong };
}

function judged(make, runs = RUNS) {
  let done = 0, wrong = 0;
  for (let seed = 1; seed <= runs; seed += 1) {
    const one = shift(seed * 2654435761, make);
    done += one.done;
    wrong += one.wrong;
  }
  return { done, wrong };
}

/** The key on whatever lies on top, as it was: the judge must find fault with it. */
class OnTop {
  selected = null;
  items = [];
  list(items) { this.items = items; this.selected = items.find((one) => one.waiting)?.id ?? null; }
  move() {}
  seenWith(id) { return this.items.find((one) => one.id === id)?.others ?? []; }
  press() { return this.selected === null ? { kind: "nothing" } : { kind: "acknowledge", id: this.selected }; }
}

test("of all acknowledgements none is wrong", () => {
  const { done, wrong } = judged(() => new Selection());
  console.log(`${RUNS} interleavings, ${done} acknowledgements, ${wrong} wrong`);
  assert.ok(done > RUNS);
  assert.equal(wrong, 0);
});

test("the judge finds what is wrong with the alert on top", () => {
  assert.ok(judged(() => new OnTop(), 200).wrong > 100);
});

test("arrivals never move the selection", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }], 0);
  desk.move(1, 10);
  for (let number = 2; number < 50; number += 1) {
    desk.list([...Array(number)].map((_, place) => ({ id: number - place, waiting: true })), number * 10);
    assert.equal(desk.selected, 1);
  }
});

test("what is gone is not selected, and nothing takes its place", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }, { id: 2, waiting: true }], 0);
  desk.move(1, 0);
  desk.list([{ id: 2, waiting: true }], 5000);
  assert.equal(desk.selected, null);
  assert.deepEqual(desk.press(5100), { kind: "select", id: 2 });
  assert.deepEqual(desk.press(5200), { kind: "wait" });
  assert.deepEqual(desk.press(5700), { kind: "acknowledge", id: 2 });
});

test("of a row only what was in sight is acknowledged with it", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true, others: [2] }], 0);
  desk.move(1, 0);
  assert.deepEqual(desk.seenWith(1, 999), []);
  desk.list([{ id: 1, waiting: true, others: [2, 3] }], 1500);
  assert.deepEqual(desk.press(1600), { kind: "acknowledge", id: 1 });
  assert.deepEqual(desk.seenWith(1, 1600), [2]);
  assert.deepEqual(desk.seenWith(1, 2500), [2, 3]);
  assert.equal(desk.mayClick(1, 2400), false, "the row grew under the pointer");
  assert.equal(desk.mayClick(1, 2500), true);
  desk.list([{ id: 3, waiting: true }], 2600);
  assert.equal(desk.selected, null);
  assert.ok(desk.isSeen(3, 2600), "it had been in sight in the other's row");
});

test("a row that grows above moves what stands below", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }, { id: 9, waiting: true }], 0);
  assert.equal(desk.mayClick(9, 2000), true);
  desk.list([{ id: 1, waiting: true, others: [2] }, { id: 9, waiting: true }], 2000);
  assert.equal(desk.mayClick(9, 2900), false);
});

test("three keys: select, acknowledge, and the next selects again", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }, { id: 2, waiting: true }], 0);
  assert.deepEqual(desk.press(400), { kind: "select", id: 1 });
  assert.deepEqual(desk.press(900), { kind: "wait" });
  assert.deepEqual(desk.press(1000), { kind: "acknowledge", id: 1 });
  desk.list([{ id: 1, waiting: false }, { id: 2, waiting: true }], 1100);
  assert.equal(desk.selected, 1);
  assert.deepEqual(desk.press(1200), { kind: "select", id: 2 });
});

test("what came while nobody saw the page was not seen", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }], 0);
  desk.move(1, 0);
  desk.unseenUntil(60_000);
  assert.deepEqual(desk.press(60_100), { kind: "wait" });
  assert.deepEqual(desk.press(61_000), { kind: "acknowledge", id: 1 });
});

test("a button under the hand that has just moved there is not meant", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }, { id: 2, waiting: true }], 0);
  assert.ok(desk.mayClick(2, 1500));
  desk.list([{ id: 2, waiting: true }], 2000);
  assert.ok(!desk.mayClick(2, 2500));
  assert.ok(desk.mayClick(2, 3000));
});

test("what was let go is not acknowledged; the next key selects", () => {
  const desk = new Selection();
  desk.list([{ id: 1, waiting: true }], 0);
  desk.move(1, 0);
  desk.clear();
  assert.equal(desk.selected, null);
  assert.deepEqual(desk.press(5000), { kind: "select", id: 1 });
  assert.deepEqual(desk.press(5100), { kind: "wait" });
});
