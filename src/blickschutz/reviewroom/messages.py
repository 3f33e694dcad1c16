"""The messages between control room and review room: a closed, schema-checked set. None can carry a key or a picture."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec

from blickschutz.vault.model import SealedPrivateKey, Vouched


class Trouble(StrEnum):
    """Why something was not done in the room; the pages have a text for each."""

    WRONG_PASSPHRASE = "wrong-passphrase"
    SECOND_HALF_MISSING = "second-half-missing"
    NOT_FOR_THIS_PERSON = "not-for-this-person"
    DAMAGED = "damaged"
    FULL = "full"
    LOCKED = "locked"
    NO_REASON = "no-reason"
    NO_REFERENCE = "no-reference"
    ALONE = "alone"
    NOT_YOU = "not-you"
    NOTHING_ASKED = "nothing-asked"
    REFUSED = "refused"
    ANONYMOUS = "anonymous"
    UNSAFE_REDACTION = "unsafe-redaction"
    ONE_BROWSER = "one-browser"
    NOT_SHOWN = "not-shown"
    OTHER_WISH = "other-wish"
    NOT_ADMITTED = "not-admitted"
    OTHER_STREAM = "other-stream"


class _Message(msgspec.Struct, frozen=True, tag=True, forbid_unknown_fields=True, kw_only=True):
    pass


class Guest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who may come in: name, their sealed private key, and whether the case waits for their verdict.

    `session` is the SHA-256 of the session in which they asked: in another one neither ticket nor seat is theirs.
    """

    id: str
    name: str
    sealed: SealedPrivateKey
    session: str = ""
    may_judge: bool = False
    may_release: bool = False


class RoomSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about the case that is no secret.

    `restricted`: kept for a request of somebody concerned, who may be given a copy of their own data though nothing is held.
    `back` is the address of the control room, `names` how this server may be called; with a `certificate` the room speaks TLS.
    """

    case: int
    clip: str
    path: str
    exports: str
    installation: str
    site: str
    operator: str
    camera: str
    timezone: str
    language: str
    theme: str
    back: str
    host: str
    names: tuple[str, ...]
    port: int
    certificate: str
    certificate_key: str
    unmask_s: int
    held: bool
    restricted: bool = False


class OpenRoom(_Message, frozen=True, tag="open"):
    settings: RoomSettings


class Waiting(msgspec.Struct, frozen=True):
    """A key that others are to vouch for: whose it is by name, and who did so already."""

    key: Vouched
    name: str
    voices: tuple[str, ...] = ()


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What a key desk knows of the register. `root` is empty where none was founded, `pinned` whether the site file names it.

    `head` is the hash of its newest entry; `may_confirm` whether whoever sits here can vouch for others, `counts` whether others
    vouched for their own key. `waiting` are the keys of others; `founders` those of a founding that somebody began, `signed` who
    signed it.
    """

    root: str = ""
    pinned: bool = False
    head: str = ""
    counts: bool = False
    may_confirm: bool = False
    may_found: bool = False
    waiting: tuple[Waiting, ...] = ()
    founders: tuple[Vouched, ...] = ()
    signed: tuple[str, ...] = ()


class OpenKeyDesk(_Message, frozen=True, tag="open-key-desk"):
    """A room for one person who makes or changes the key under their own passphrase, in the session with the SHA-256 `session`.

    `refused`: how many tries of theirs failed lately, here or at a review room.
    """

    settings: RoomSettings
    person: str
    name: str
    sealed: SealedPrivateKey | None
    ticket: str
    session: str = ""
    desk: Desk = Desk()
    refused: int = 0


class Admit(_Message, frozen=True, tag="admit"):
    """`ticket` lets this guest come to the door, once."""

    ticket: str
    guest: Guest


class Answer(_Message, frozen=True, tag="answer"):
    """The control room's answer to a request with that number; `problem` is empty where it was done."""

    number: int
    problem: str = ""
    state: str = ""
    signature: bytes = b""
    data: bytes = b""


class Expel(_Message, frozen=True, tag="expel"):
    """Somebody signed out or lost their rights: their seat is empty from now on, their tickets open nothing."""

    person: str


class Suspended(_Message, frozen=True, tag="suspended"):
    """The time for deadlines is unclear (`why`), or is not any more (empty): nothing ends by its deadline meanwhile."""

    why: str


class CloseRoom(_Message, frozen=True, tag="close"):
    pass


class Ready(_Message, frozen=True, tag="ready"):
    """The room's pages are there, at that port."""

    port: int


class SeatTaken(_Message, frozen=True, tag="seat-taken"):
    person: str


class SeatRefused(_Message, frozen=True, tag="seat-refused"):
    person: str
    reason: str


class PassphraseRefused(_Message, frozen=True, tag="passphrase-refused"):
    """A try at a key desk that opened nothing, or whose end nobody waited for."""

    reason: str


class SeatLeft(_Message, frozen=True, tag="seat-left"):
    person: str


class ClipOpened(_Message, frozen=True, tag="clip-opened"):
    """Two people opened the clip; `state` is what the file turned out to be."""

    people: tuple[str, str]
    state: str


class ClipUnreadable(_Message, frozen=True, tag="clip-unreadable"):
    state: str
    text: str


class ClipShown(_Message, frozen=True, tag="clip-shown"):
    """All of the clip that a verdict takes was shown to a person: how many seconds of how many, and within how long."""

    person: str
    seconds: float
    length: float
    took: float


class VerdictGiven(_Message, frozen=True, tag="verdict"):
    number: int
    person: str
    verdict: str
    note: str
    ground: str
    reference: str


class UnmaskAsked(_Message, frozen=True, tag="unmask-asked"):
    """Somebody asks to see unredacted pictures; waits for the other."""

    person: str
    reason: str
    reference: str


class UnmaskConsented(_Message, frozen=True, tag="unmask-consented"):
    """The other agrees; the control room counts and logs it before anything is shown."""

    number: int
    asked: str
    person: str
    reason: str
    reference: str


class UnmaskRefused(_Message, frozen=True, tag="unmask-refused"):
    person: str


class UnmaskEnded(_Message, frozen=True, tag="unmask-ended"):
    by: str


class ReleaseAsked(_Message, frozen=True, tag="release-asked"):
    """`key` is the public key that whoever asks gave for the recipient; empty where words are to open the package."""

    person: str
    basis: str
    recipient: str
    reference: str
    key: str = ""


class ReleaseRefused(_Message, frozen=True, tag="release-refused"):
    person: str
    why: str


class ReleaseAgreed(_Message, frozen=True, tag="release-agreed"):
    """Both agree; the answer brings the excerpt of the log, and the installation's public key as `state`."""

    number: int
    asked: str
    person: str
    basis: str
    recipient: str
    reference: str


class SignThis(_Message, frozen=True, tag="sign"):
    """A digest to be signed with the installation's key."""

    number: int
    text: bytes


class Released(_Message, frozen=True, tag="released"):
    """`words_for`: who reads the words that open the package; empty where it is encrypted to `key`, which the first of `people` gave."""

    people: tuple[str, str]
    basis: str
    recipient: str
    reference: str
    file: str
    sha256: str
    size: int
    contents: tuple[str, ...]
    words_for: str = ""
    key: str = ""


class KeyMade(_Message, frozen=True, tag="key-made"):
    """A person's key pair, the private half sealed under a passphrase that only they know.

    `changed`: the passphrase is new, the key is not; `presented`: an older key has a half now to vouch for others with.
    """

    sealed: SealedPrivateKey
    changed: bool
    presented: bool = False


class KeyConfirmed(_Message, frozen=True, tag="key-confirmed"):
    """Somebody vouches for another's key, having seen the register up to the entry with the hash `seen`; signature in hex."""

    number: int
    key: Vouched
    seen: str
    signature: str


class FoundingSigned(_Message, frozen=True, tag="founding-signed"):
    """Somebody founds the register of reviewers together with others; signature in hex."""

    number: int
    founders: tuple[Vouched, ...]
    signature: str


class RoomEmpty(_Message, frozen=True, tag="room-empty"):
    pass


ToRoom: TypeAlias = OpenRoom | OpenKeyDesk | Admit | Expel | Answer | Suspended | CloseRoom
FromRoom: TypeAlias = (
    Ready
    | SeatTaken
    | SeatRefused
    | PassphraseRefused
    | SeatLeft
    | ClipOpened
    | ClipUnreadable
    | ClipShown
    | VerdictGiven
    | UnmaskAsked
    | UnmaskConsented
    | UnmaskRefused
    | UnmaskEnded
    | ReleaseAsked
    | ReleaseRefused
    | ReleaseAgreed
    | SignThis
    | Released
    | KeyMade
    | KeyConfirmed
    | FoundingSigned
    | RoomEmpty
)
