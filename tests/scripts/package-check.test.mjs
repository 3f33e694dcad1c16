// What the page in a package of evidence finds: the package of `make` is whole, and everything that is done to it is named.
import assert from "node:assert/strict";
import test from "node:test";

const { check, entries, isEncrypted, rooted, sha256, untar } = await import(`${process.env.SCRIPTS}/package-check.mjs`);
const bytes = (text) => new TextEncoder().encode(text);
const hex = (data) => [...new Uint8Array(data)].map((one) => one.toString(16).padStart(2, "0")).join("");
const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
const publicKey = hex(await crypto.subtle.exportKey("raw", pair.publicKey));

async function make() {
  const files = new Map([["data/original.mp4", bytes("film")], ["data/custody.json", bytes("{}\n")], ["bagit.txt", bytes("BagIt-Version: 0.97\n")]]);
  files.set("bag-info.txt", bytes("External-Identifier: KL-17\n"));
  const list = async (names) => bytes((await Promise.all(names.map(async (name) => `${await sha256(files.get(name))}  ${name}\n`))).join(""));
  files.set("manifest-sha256.txt", await list(["data/custody.json", "data/original.mp4"]));
  const signed = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"];
  files.set("tagmanifest-sha256.txt", await list(signed));
  const digests = Object.fromEntries(await Promise.all(signed.map(async (name) => [name, await sha256(files.get(name))])));
  const text = bytes(`blickschutz-evidence-1:${JSON.stringify(digests)}`);
  const signature = hex(await crypto.subtle.sign("Ed25519", pair.privateKey, text));
  files.set("signature.json", bytes(JSON.stringify({ format: "blickschutz-evidence-1", public_key: publicKey, digests, signature })));
  return files;
}

test("a whole package is whole, and who signed it is known only where a key was given", async () => {
  const files = await make();
  assert.deepEqual(await check(files), { faults: [], counted: 2, known: "not-given", signed: "yes", key: publicKey });
  assert.equal((await check(files, publicKey.toUpperCase().replace(/(.{8})/g, "$1 "))).known, "same");
  assert.deepEqual((await check(files, "00".repeat(32))).faults, [{ file: "signature.json", problem: "foreign" }]);
});

for (const [name, change, expected] of [
  ["an altered file", (files) => files.set("data/original.mp4", bytes("Film")), ["data/original.mp4", "altered"]],
  ["a missing file", (files) => files.delete("data/custody.json"), ["data/custody.json", "missing"]],
  ["an added film", (files) => files.set("data/more.mp4", bytes("x")), ["data/more.mp4", "added"]],
  ["an added note", (files) => files.set("note.txt", bytes("x")), ["note.txt", "added"]],
  ["other facts of the bag", (files) => files.set("bag-info.txt", bytes("External-Identifier: KL-18\n")), ["bag-info.txt", "altered"]],
  ["no signature", (files) => files.delete("signature.json"), ["signature.json", "missing"]],
  ["a signature that is none", (files) => files.set("signature.json", bytes("[]")), ["signature.json", "unreadable"]],
  ["a list that is none", (files) => files.set("manifest-sha256.txt", bytes("x")), ["manifest-sha256.txt", "unreadable"]],
]) {
  test(`${name} is named`, async () => {
    const files = await make();
    change(files);
    const found = (await check(files)).faults.map((one) => `${one.file} ${one.problem}`);
    assert.ok(found.includes(expected.join(" ")), found.join(", "));
  });
}

test("a list that was made anew for another film does not fit the signature", async () => {
  const files = await make();
  files.set("data/original.mp4", bytes("other"));
  files.set("manifest-sha256.txt", bytes(`${await sha256(bytes("{}\n"))}  data/custody.json\n${await sha256(bytes("other"))}  data/original.mp4\n`));
  const digests = Object.fromEntries(await Promise.all(["bag-info.txt", "bagit.txt", "manifest-sha256.txt"].map(async (name) => [name, await sha256(files.get(name))])));
  const signed = JSON.parse(new TextDecoder().decode(files.get("signature.json")));
  files.set("signature.json", bytes(JSON.stringify({ ...signed, digests })));
  const found = await check(files);
  assert.equal(found.signed, "no");
  assert.ok(found.faults.some((one) => one.problem === "signature"));
});

test("what a folder has in front of its names does not count, and what lies beside it is not the package", async () => {
  const inside = new Map([...(await make())].map(([name, data]) => [`KL-17/${name}`, data]));
  inside.set("other.txt", bytes("x"));
  assert.deepEqual((await check(rooted(inside))).faults, []);
});

test("only a tar is a tar, and what is still encrypted says so", () => {
  assert.throws(() => untar(bytes("x".repeat(2048))));
  assert.throws(() => untar(new Uint8Array(2048)));
  assert.equal(isEncrypted(bytes("age-encryption.org/v1\n-> scrypt")), true);
  assert.equal(isEncrypted(bytes("bagit.txt")), false);
});

test("an entry of the log that does not fit its hash is not shown", async () => {
  const entry = '{"number":1,"at":2.5,"event":"shredded","by":"system","subject":"x"}';
  const line = `{"hash":"${await sha256(bytes(entry))}","entry":${entry}}`;
  assert.deepEqual(await entries(bytes(`{}\n${line}\n`)), { whole: true, all: [JSON.parse(entry)] });
  assert.deepEqual(await entries(bytes(`{}\n${line.replace("system", "nobody")}\n`)), { whole: false, all: [] });
});
