"""Security keys (FIDO2, WebAuthn level 2): made and asked by the browser, checked here."""

from __future__ import annotations

from typing import Any

from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestationConveyancePreference,
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from blickschutz.access.model import Caller, FactorKind, Half, Member, Turned
from blickschutz.access.service.access import Access
from blickschutz.access.service.sessions import hashed

_MOST_PENDING = 200
# What the library raises for answers that are not what they should be.
_WRONG = (ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError)


class SecurityKeys:
    """`host` is the name by which browsers know this server (a key is bound to it; an IP address is none); `origin` its origin."""

    def __init__(self, access: Access, site: str, host: str, origin: str) -> None:
        self._access, self.host = access, host
        entity = PublicKeyCredentialRpEntity(name=site, id=host)
        self._server = Fido2Server(entity, AttestationConveyancePreference.NONE, verify_origin=lambda given: given == origin)
        self._making: dict[str, Any] = {}

    def make(self, member: Member, session: str) -> dict[str, Any]:
        """What the browser needs to make a credential for somebody."""
        user = PublicKeyCredentialUserEntity(name=member.id, id=member.id.encode(), display_name=member.name)
        begun, state = self._server.register_begin(user, self._known(member.id), user_verification=UserVerificationRequirement.DISCOURAGED)
        while len(self._making) >= _MOST_PENDING:
            self._making.pop(next(iter(self._making)))
        self._making[hashed(session)] = state
        return dict(begun)

    def made(self, member: Member, session: str, name: str, answer: Any) -> bool:
        """Keep the credential that the browser made; False where the answer does not fit what was asked."""
        state = self._making.pop(hashed(session), None)
        if state is None:
            return False
        try:
            data = self._server.register_complete(state, answer)
        except _WRONG:
            return False
        if data.credential_data is None:
            return False
        self._access.own.add_key(member, session, name, bytes(data.credential_data))
        return True

    def ask(self, secret: str, half: Half) -> dict[str, Any] | None:
        """What the browser needs to ask one of somebody's keys; None where they have none."""
        known = self._known(half.person)
        if not known:
            return None
        begun, state = self._server.authenticate_begin(known, UserVerificationRequirement.DISCOURAGED)
        self._access.sessions.challenge(secret, state)
        return dict(begun)

    def answered(self, secret: str, answer: Any, caller: Caller) -> str:
        """The secret of a session where one of the keys has signed the challenge, else empty. A challenge counts once."""
        half = self._access.sessions.half(secret)
        if half is None or half.challenge is None or not self._access.take_code(half.person, caller):
            return ""
        self._access.sessions.challenge(secret, None)
        keys = {AttestedCredentialData(one.secret).credential_id: one for one in self._keys(half.person)}
        try:
            parsed = AuthenticationResponse.from_dict(answer)
            used = self._server.authenticate_complete(half.challenge, self._known(half.person), parsed)
            factor, counter = keys[used.credential_id], parsed.response.authenticator_data.counter
        except _WRONG:
            self._access.turned.tell(Turned.FACTOR, caller.place, half.person)
            return ""
        if counter and counter <= factor.last:
            # The counter of a key only grows: this one was copied, or an answer was replayed.
            return ""
        self._access.factors.used(factor.id, counter)
        return self._access.complete(secret, half, caller)

    def _keys(self, person: str) -> list[Any]:
        return [one for one in self._access.factors.of(person) if one.kind is FactorKind.KEY]

    def _known(self, person: str) -> list[AttestedCredentialData]:
        return [AttestedCredentialData(one.secret) for one in self._keys(person)]
