"""The control room's side of a key desk: what somebody finds there, and what they told. It has neither passphrases nor private keys."""

from __future__ import annotations

from collections.abc import Mapping

from blickschutz.access.model import Member
from blickschutz.audit.model import Event
from blickschutz.control.service.enrolment import Enrolment
from blickschutz.reviewroom import messages as m
from blickschutz.vault.register import RegisterError


def desk_of(enrolment: Enrolment, members: Mapping[str, Member], member: Member) -> m.Desk:
    """What `member` finds at their desk."""
    root, founding, head = enrolment.known_root(), enrolment.founding(), ""
    counts = may_confirm = False
    try:
        roll = enrolment.roll()
        head, counts = roll.head, member.id in roll.certified
        may_confirm = counts and enrolment.is_fit(member.id)
    except RegisterError:
        pass  # nobody can vouch for anybody yet: the desk says what is missing
    others = (one for one in enrolment.waiting() if one.key.id != member.id and enrolment.is_fit(one.key.id))
    return m.Desk(
        root=root,
        pinned=bool(root) and root == enrolment.pin,
        head=head,
        counts=counts,
        may_confirm=may_confirm,
        may_found=enrolment.can_found() and enrolment.is_fit(member.id),
        waiting=tuple(m.Waiting(one.key, members[one.key.id].name, one.voices) for one in others),
        founders=founding.founders if founding is not None else (),
        signed=founding.signed if founding is not None else (),
    )


def taken_at_desk(enrolment: Enrolment, person: str, message: m.FromRoom) -> m.Answer | None:
    """Do what somebody told at their own desk; None where no answer is waited for."""
    match message:
        case m.KeyMade(sealed=sealed) if sealed.id == person:
            changed = Event.PASSPHRASE_CHANGED if message.changed else Event.REVIEWER_ENROLLED
            enrolment.take_key(sealed, Event.KEY_PRESENTED if message.presented else changed)
        case m.KeyConfirmed():
            problem = enrolment.confirm(person, message.key, message.seen, message.signature)
            return m.Answer(number=message.number, problem=problem)
        case m.FoundingSigned():
            problem = enrolment.sign_founding(person, message.founders, message.signature)
            return m.Answer(number=message.number, problem=problem, state=enrolment.known_root())
        case _:
            pass
    return None
