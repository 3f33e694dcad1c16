"""Forms with a file, in whatever pieces they come: every byte of the file arrives, and what is no form is refused as one."""

from __future__ import annotations

import asyncio

import httpx
from hypothesis import given, settings
from hypothesis import strategies as st

from blickschutz.web.uploads import FormError, plain_name, receive

BOUNDARY = "grenze"
KIND = f"multipart/form-data; boundary={BOUNDARY}"


def form(data: bytes, name: str, **fields: str) -> bytes:
    """What a browser sends."""
    request = httpx.Request("POST", "http://x", data=fields, files={"document": (name, data)}, headers={"Content-Type": KIND})
    return request.read()


def taken(body: bytes, cuts, most=1 << 20):
    """What comes of a body that arrives in these pieces, and what was handed on of its file."""
    ends = sorted({min(cut, len(body)) for cut in cuts} | {len(body)})
    pieces, kept = [body[start:end] for start, end in zip([0, *ends], ends, strict=False)], bytearray()

    async def stream():
        for piece in pieces:
            yield piece

    async def hand_on(data):
        kept.extend(data)

    return asyncio.run(receive(KIND, stream(), hand_on, most, "document")), bytes(kept)


CUTS = st.lists(st.integers(0, 4000), max_size=12)
# What looks like the boundary within a file, and line ends, are what a reader gets wrong.
DATA = st.one_of(
    st.binary(max_size=3000), st.lists(st.sampled_from([b"\r\n", b"--grenze", b"--", b"x", b"\x00"]), max_size=60).map(b"".join)
)


@given(DATA.filter(lambda data: b"\r\n--grenze" not in data), CUTS)
@settings(max_examples=150)
def test_every_byte_arrives_in_whatever_pieces(data, cuts):
    received, kept = taken(form(data, "a.pdf", kind="dsfa", text="Zeile 1\r\nZeile 2 äöü"), cuts)
    assert kept == data
    assert (received.size, received.file, received.too_large) == (len(data), "a.pdf", False)
    assert received.fields == {"kind": "dsfa", "text": "Zeile 1\r\nZeile 2 äöü"}


@given(st.binary(min_size=200, max_size=3000), CUTS, st.integers(1, 199))
def test_no_more_is_handed_on_than_is_allowed(data, cuts, most):
    received, kept = taken(form(data.replace(b"\r\n--grenze", b""), "a.pdf"), cuts, most)
    assert received.too_large
    assert len(kept) <= most


@given(st.binary(max_size=400), st.binary(max_size=400), CUTS)
@settings(max_examples=150)
def test_what_is_no_form_is_refused_as_one(before, after, cuts):
    """Nothing but a `FormError` or a whole form ever comes of it."""
    for body in (before, form(b"x", "a")[: len(before)] + after, before + form(b"x", "a") + after):
        try:
            received, _ = taken(body, cuts)
        except FormError:
            continue
        assert received.size == 1


@given(st.text(max_size=200))
def test_a_name_has_nothing_in_it_that_a_header_or_a_folder_trips_over(name):
    plain = plain_name(name)
    assert plain
    assert len(plain) <= 120
    assert plain.isprintable()
    assert not set('/\\"<>|:*?') & set(plain)
    assert plain not in {".", ".."}
