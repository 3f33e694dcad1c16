"""The list of OWASP ASVS: what it names is there, what is open has reason and date, the inventory of cryptography is whole."""

from __future__ import annotations

import re

import pytest
from scripts.inventory import LIBRARIES, SOURCE, TARGET, renewed, used

from tests.conftest import ROOT

_PATH = re.compile(r"`((?:tests|docs)/[\w/.-]+)`")


def points():
    text = (ROOT / "docs/asvs.md").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line.startswith("- [")]


@pytest.fixture(scope="module")
def imports():
    return used()


def test_every_point_names_what_is_there_or_why_it_does_not_hold():
    open_, held = [one for one in points() if one.startswith("- [ ]")], [one for one in points() if one.startswith("- [x]")]
    assert len(open_) + len(held) == len(points()) > 50
    for one in open_:
        assert re.search(r"\(\d{1,2}\.\d{1,2}\.20\d\d\)$", one), one
        assert len(one) > 100, one
    for one in points():
        for path in _PATH.findall(one):
            assert (ROOT / path).exists(), one


LEVEL_3 = "7.5.3 11.1.3 11.1.4 11.2.4 11.2.5 11.3.4 11.3.5 11.5.2 11.6.2 11.7.1 11.7.2 16.3.2 16.5.4"


@pytest.mark.parametrize("number", LEVEL_3.split())
def test_level_three_is_answered_for_each_number(number):
    """All of level 3 in the chapters on sessions, cryptography and logging of version 5.0.0."""
    assert any(one[6:].startswith(f"{number} ") for one in points())


def test_the_inventory_of_cryptography_is_whole(imports):
    page = TARGET.read_text(encoding="utf-8")
    assert page == renewed(page), "write it anew: python -m scripts.inventory"
    assert "vault/service.py" in imports["nacl"]
    assert set(imports) == LIBRARIES


def test_no_other_randomness_is_near_a_secret(imports):
    """`random` draws pictures and pauses; no module that imports a library of cryptography imports it."""
    near = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if re.search(r"^\s*(import random|from random import)\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert near & set().union(*imports.values()) == set()


def test_what_is_broken_is_used_where_others_ask_for_it_alone(imports):
    """SHA-1 in an authenticator's code (RFC 6238) and in a token of ONVIF, MD5 where a camera asks for it (RFC 2617)."""
    found = set()
    for path in set().union(*imports.values()):
        if re.search(r"\b(md5|MD5|sha1|SHA1)\b", (SOURCE / path).read_text(encoding="utf-8")):
            found.add(path)
    assert found == {"access/service/totp.py", "ingest/rules/onvif.py", "ingest/rules/rtsp.py"}
