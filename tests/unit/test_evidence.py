"""Packages of evidence: whole ones verify, and everything that was done to others is named."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import shutil
import subprocess

import msgspec
import pyrage
import pytest
from click.testing import CliRunner

from blickschutz.cli.main import cli
from blickschutz.evidence.io.package import SIGNATURE, finish, make_bag, recipient_key, tar, unpack
from blickschutz.evidence.io.verify import verify
from blickschutz.evidence.io.viewer import page
from blickschutz.evidence.model import ADMINISTRATIVE_OFFENCE, FORMAT, Basis, Signature
from blickschutz.evidence.rules import refusal, signed_text
from blickschutz.kernel.errors import OperatorError
from blickschutz.vault.io.files import InstallationKey, is_signed
from tests.conftest import ROOT


@pytest.fixture
def key(tmp_path):
    return InstallationKey(tmp_path / "installation.key")


@pytest.fixture
def identity():
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def package(tmp_path, key, identity):
    """An encrypted package with three files."""
    bag = tmp_path / "bag"
    bag.mkdir()
    for name, data in (("original.mp4", b"\0\1" * 900), ("redacted.mp4", b"\2" * 700), ("custody.json", b"{}\n")):
        (bag / name).write_bytes(data)
    digests = make_bag(bag, {"External-Identifier": "KL-17"})
    signature = key.sign(signed_text(digests)).hex()
    signed = Signature(format=FORMAT, public_key=key.public.hex(), digests=digests, signature=signature)
    target = tmp_path / "package.tar.age"
    finish(bag, signed, str(identity.to_public()), target)
    shutil.rmtree(bag)
    return target


@pytest.fixture
def opened(tmp_path, package, identity):
    """The same package as a folder."""
    folder = tmp_path / "opened"
    folder.mkdir()
    unpack(pyrage.decrypt(package.read_bytes(), [identity]), folder)
    return folder


def problems(path, key, identity=""):
    return {(fault.file, fault.problem) for fault in verify(path, is_signed, key.public, str(identity))}


def test_a_whole_package_verifies_in_each_form(tmp_path, package, opened, key, identity):
    assert problems(package, key, identity) == set()
    assert problems(opened, key) == set()
    (tmp_path / "package.tar").write_bytes(tar(opened))
    assert problems(tmp_path / "package.tar", key) == set()


CHANGES = [
    (lambda f: (f / "data/original.mp4").write_bytes(b"other"), ("data/original.mp4", "altered")),
    (lambda f: (f / "data/redacted.mp4").unlink(), ("data/redacted.mp4", "missing")),
    (lambda f: (f / "data/extra.mp4").write_bytes(b"x"), ("data/extra.mp4", "added")),
    (lambda f: (f / "note.txt").write_bytes(b"x"), ("note.txt", "added")),
    (lambda f: (f / SIGNATURE).unlink(), (SIGNATURE, "missing")),
    (lambda f: (f / "bag-info.txt").write_text("External-Identifier: KL-18\n"), ("bag-info.txt", "altered")),
    (lambda f: replace(f / "manifest-sha256.txt", b"a", b"b"), ("manifest-sha256.txt", "altered")),
    (lambda f: replace(f / SIGNATURE, b'"signature": "', b'"signature": "00'), (SIGNATURE, "signature")),
]


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_what_was_done_to_a_package_is_named(opened, key, change, expected):
    change(opened)
    assert expected in problems(opened, key)


def replace(path, old, new):
    path.write_bytes(path.read_bytes().replace(old, new, 1))


def test_a_package_of_another_installation_is_named(tmp_path, opened):
    other = InstallationKey(tmp_path / "other.key")
    assert (SIGNATURE, "foreign") in problems(opened, other)


def test_every_flipped_bit_is_found(tmp_path, package, opened, key, identity):
    chance = random.Random(5)
    for name, data in (("p.tar.age", package.read_bytes()), ("p.tar", tar(opened))):
        path = tmp_path / name
        for _ in range(500):
            place = chance.randrange(len(data) * 8)
            altered = bytearray(data)
            altered[place // 8] ^= 1 << place % 8
            path.write_bytes(altered)
            assert found_out(path, key, identity), (name, place)


def found_out(path, key, identity):
    """Whether anything is wrong, by a fault or by a refusal."""
    try:
        return bool(problems(path, key, identity))
    except OperatorError:
        return True


def test_the_recipient_alone_opens_it(package, key):
    with pytest.raises(OperatorError, match="identity"):
        problems(package, key)
    other = pyrage.x25519.Identity.generate()
    assert problems(package, key, other) == {(package.name, "encryption")}
    with pytest.raises(OperatorError, match="age1"):
        recipient_key("ssh-ed25519 AAAA")


@pytest.mark.long  # words cost a second of a core each time, by intent
def test_words_open_a_package_that_was_made_with_them(tmp_path, opened, key):
    """age's passphrase mode: any program for age asks for the words and opens it."""
    signed = msgspec.json.decode((opened / SIGNATURE).read_bytes(), type=Signature)
    (opened / SIGNATURE).unlink()
    path, words = tmp_path / "words.tar.age", tmp_path / "words.txt"
    finish(opened, signed, "", path, "AB-12")
    assert path.read_bytes().startswith(b"age-encryption.org/v1\n-> scrypt ")
    command = ["verify", "evidence", str(path), "--public-key", key.public.hex()]
    asked = CliRunner().invoke(cli, command)
    assert (asked.exit_code, "--words" in asked.output) == (1, True)
    words.write_text("AB-12\n")
    assert CliRunner().invoke(cli, [*command, "--words", str(words)]).exit_code == 0


class TestPage:
    """The page that lies in a package."""

    def test_it_runs_its_own_script_alone_and_loads_nothing(self):
        text = page({"de": {"kinds": {"x": "</script><b>{style}"}}}).decode()
        policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
        assert policy.startswith("default-src 'none'; ")
        assert "connect-src" not in policy, "nothing may be fetched"
        for tag, source in (("style", "style-src"), ('script type="module"', "script-src")):
            inside = text.split(f"<{tag}>")[1].split(f"</{tag.split()[0]}>")[0]
            assert f"{source} 'sha256-{base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()}'" in policy
        assert text.count("</script>") == 2
        assert not re.search(r"""(src|href)=|https?://|@import|url\(""", text.split("<script")[0])
        assert "https://" not in text

    def test_it_finds_what_the_command_finds(self, tmp_path, opened, key):
        esbuild = ROOT / "node_modules/.bin/esbuild"
        if not esbuild.exists() or shutil.which("node") is None:
            pytest.skip("the front-end tools are not installed (npm ci)")
        script = tmp_path / "check.mjs"
        subprocess.run([esbuild, ROOT / "src/blickschutz/web/ts/package-check.ts", "--format=esm", f"--outfile={script}"], check=True)
        cases, expected = [], []
        for number, (change, _) in enumerate([(lambda _: None, None), *CHANGES]):
            folder = tmp_path / f"case-{number}"
            shutil.copytree(opened, folder)
            change(folder)
            cases.append(tmp_path / f"{number}.tar")
            cases[-1].write_bytes(tar(folder))
            expected.append(sorted({file for file, _ in problems(folder, key)} - {"bag"}))
        asked = f"""
            import {{ readFileSync }} from "node:fs";
            const {{ check, untar }} = await import("{script}");
            for (const path of process.argv.slice(1)) {{
              const found = await check(untar(new Uint8Array(readFileSync(path))), "{key.public.hex()}");
              console.log(JSON.stringify([...new Set(found.faults.map((one) => one.file))].sort()));
            }}"""
        run = subprocess.run(["node", "--input-type=module", "-e", asked, *cases], capture_output=True, text=True, check=True, timeout=60)
        found = [msgspec.json.decode(line) for line in run.stdout.splitlines()]
        assert found[0] == expected[0] == []
        assert all(set(wanted) <= set(one) for wanted, one in zip(expected, found, strict=True)), (expected, found)


def test_the_golden_package_and_receipt_still_verify():
    """Version 1 of both as they were first written."""
    golden = ROOT / "tests/golden"
    public = (golden / "public-key.txt").read_text().strip()
    package = golden / "evidence-v1.tar.age"
    assert verify(package, is_signed, bytes.fromhex(public), (golden / "identity.txt").read_text()) == []
    command = ["verify", "receipt", str(golden / "receipt-v1.json"), "--public-key", public]
    assert CliRunner().invoke(cli, command).exit_code == 0


def test_the_command_says_what_is_wrong(tmp_path, opened, key):
    def run():
        return CliRunner().invoke(cli, ["verify", "evidence", str(opened), "--public-key", key.public.hex(), "--json"])

    whole = run()
    assert (whole.exit_code, msgspec.json.decode(whole.output.splitlines()[-1])["whole"]) == (0, True)
    (opened / "data/original.mp4").write_bytes(b"other")
    broken = run()
    assert broken.exit_code == 1
    assert "data/original.mp4" in broken.output
    assert CliRunner().invoke(cli, ["verify", "evidence", str(tmp_path / "none")]).exit_code == 1


def test_what_a_release_needs():
    assert refusal(ADMINISTRATIVE_OFFENCE, "Polizei", "1") == "administrative-offence"
    assert refusal("neugier", "Polizei", "1") == "no-basis"
    assert refusal(Basis.PROSECUTION, " ", "1") == "no-recipient"
    assert refusal(Basis.PROSECUTION, "Polizei", " ") == "no-reference"
    assert refusal(Basis.PROSECUTION, "Polizei", "KL-1") == ""
