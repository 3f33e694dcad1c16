"""What belongs in a backup, bounds of what is read, recovery words, and when the last one is too long ago. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from blickschutz.backup.model import MAGIC, Header

# Everything else is left out: a file that a later version adds is named until somebody decides about it.
_KEPT = re.compile(
    r"(control|alerts)\.db"
    r"|installation\.json|retention\.clock|regime\.jsonl|stops\.json|orders-owed\.json|ends\.jsonl|anchor\.json"
    r"|keys/(installation|factors)\.key"
    r"|keys/recovery/[a-z0-9-]{1,40}\.json"
    r"|tls/(authority|server)\.(key|crt)"
    r"|hosts/(authority\.(key|crt)|enrolled\.json|(newest|alone)\.json)"
    r"|settings/(site|facts)\.toml"
    r"|facts/[0-9a-f]{64}"
    r"|plan/[0-9a-f]{64}\.png"
    r"|versions/[0-9a-f]{64}\.toml"
)
# Known, and left out on purpose: pictures, clips with their shares, private keys of reviewers, what is printed anew.
_LEFT = re.compile(
    r"(clips|cells|exports|fetched|quarantine|documents|keys/reviewers|hosts/broker)(/.*)?|hosts/room\.(key|crt)|keys/backup\.key|(.*/)?[\w.]*reserve"
    r"|(control|alerts)\.db(-(wal|shm|journal)|\.before-\w+|\.damaged-\d+(-(wal|shm))?)|([\w-]+/)?[\w.-]+\.damaged|witness\.json"
    r"|versions/in-force\.json|leading\.json"
    r"|installation\.(lock|use)|restored\.json|(.*/)?\.[^/]*(/.*)?|lost\+found(/.*)?"
)
DATABASES = ("control.db", "alerts.db")
SITE, FACTS = "settings/site.toml", "settings/facts.toml"

MOST_HEADER, MOST_MANIFEST, MOST_MEMBERS, MOST_PEOPLE = 1 << 20, 4 << 20, 5000, 50
MOST_OPERATIONS, MOST_MEMORY = 16, 1 << 30
CHUNK = 1 << 20
PREFIX = len(MAGIC) + 2 + 4
PUBLIC, SIGNATURE, DIGEST = 32, 64, 32

# Without letters and digits that look alike on paper (0 O, 1 I L, U V).
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_GROUPS, _GROUP = 5, 5
WEEK_S, YEAR_S = 8 * 86_400.0, 366 * 86_400.0


def is_kept(name: str) -> bool:
    """Whether a file belongs in a backup; also the only names that a restore writes."""
    return _KEPT.fullmatch(name) is not None


def is_left(name: str) -> bool:
    """Whether a file is known and left out on purpose."""
    return _LEFT.fullmatch(name) is not None


def is_bounded(header: Header) -> bool:
    """Whether opening what a header asks for takes a bounded time and memory, whoever wrote it."""
    cheap = all(0 < one.operations <= MOST_OPERATIONS and 0 < one.memory <= MOST_MEMORY for one in header.people)
    return cheap and len(header.people) <= MOST_PEOPLE


def signed_text(digest: bytes) -> bytes:
    """What the signature at the end of a backup is over: SHA-256 of everything before it."""
    return b"blickschutz-backup-1:" + digest


def manifest_text(manifest: bytes) -> bytes:
    """What the signature of the manifest is over."""
    return b"blickschutz-manifest-1:" + manifest


def associated(prefix: bytes, index: int) -> bytes:
    """What chunk `index` is bound to: the whole open part of this very backup, and its place."""
    return prefix + index.to_bytes(8, "big")


def new_words(below: Callable[[int], int]) -> str:
    """Recovery words: 25 letters and digits in groups, 122 bits. `below(n)` is a secure random number in 0..n-1."""
    letters = [_ALPHABET[below(len(_ALPHABET))] for _ in range(_GROUPS * _GROUP)]
    return "-".join("".join(letters[start : start + _GROUP]) for start in range(0, len(letters), _GROUP))


def typed(words: str) -> str:
    """Recovery words as they were given out, however somebody typed them."""
    letters = re.sub(r"[^A-Z0-9]", "", words.upper())
    return "-".join(letters[start : start + _GROUP] for start in range(0, len(letters), _GROUP))


def is_old(last: float, now: float, limit: float) -> bool:
    """Whether something was too long ago (POSIX seconds)."""
    return now - last > limit


def unknown(names: Iterable[str]) -> list[str]:
    """The names that are neither kept nor left out on purpose."""
    return sorted(name for name in names if not is_kept(name) and not is_left(name))
