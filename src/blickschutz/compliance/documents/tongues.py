"""Citizens' sheet and questions in the languages of a town: Leichte Sprache, Turkish, Russian, Arabic, Ukrainian; questions also in
German and English. Hours are a table of the week, so that no language has to say them in prose."""

from __future__ import annotations

from datetime import time
from functools import lru_cache
from importlib import resources

import msgspec

from blickschutz.audit.model import Event
from blickschutz.compliance.documents import hours, words
from blickschutz.compliance.documents.model import (
    Document,
    Evidence,
    Section,
    Sentence,
    Table,
    event,
    fact,
    law,
    missing,
    rule,
    say,
    setting,
)
from blickschutz.compliance.documents.sources import OWN, listens
from blickschutz.compliance.facts import FactKind, Office, Purpose
from blickschutz.compliance.model import Grounds
from blickschutz.compliance.policy.signed import is_signed, unsigned
from blickschutz.compliance.sheets import Sheet
from blickschutz.config.hours import service
from blickschutz.regime.model import MOST_OVERRIDE_HOURS, Action, Mode, Policy, RegimeName, Span, Sun
from blickschutz.regime.rules import week
from blickschutz.situations.kinds import Kind

TRANSLATED = ("ls", "tr", "ru", "ar", "uk")
ASKED = ("de", "en", *TRANSLATED)
_LFDI = "Der Landesbeauftragte für den Datenschutz und die Informationsfreiheit Rheinland-Pfalz"
_RECORDS = frozenset({Action.RECORD, Action.BOTH})
_NONE = "–"


class Phrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a language says; the keys of `languages/*.toml`. Names in braces are filled from the site.

    `joint` stands between two sentences: in Leichte Sprache each has a line of its own. `rtl`: it is written from right to left.
    """

    joint: str
    rtl: bool
    as_of: str
    demo: str
    unverified: str
    title_sheet: str
    title_faq: str
    days: tuple[str, str, str, str, str, str, str]
    holidays: str
    col_day: str
    col_time: str
    span: str
    next_day: str
    sunrise: str
    sunset: str
    during: str
    other: str
    act_notify: str
    act_record: str
    act_both: str
    act_count: str
    some_record: str
    none_record: str
    mode_anonymous: str
    mode_sealed: str
    refused: str
    by_order: str
    switching: str
    place: str
    nature_sealed: str
    nature_anonymous: str
    remains: str
    h_what: str
    h_controller: str
    h_officer: str
    h_purposes: str
    h_recipients: str
    h_storage: str
    h_rights: str
    h_objection: str
    h_software: str
    h_where: str
    purpose_public_task: str
    purpose_house_right: str
    purpose_property: str
    in_detail: str
    basis: str
    recipients: str
    third: str
    storage: str
    rights: str
    identify: str
    no_duty: str
    complaint: str
    objection: str
    software: str
    software_own: str
    q_filmed: str
    q_recognised: str
    q_who: str
    a_who: str
    q_sound: str
    a_sound: str
    q_long: str
    q_faces: str
    q_rights: str
    q_assembly: str
    a_assembly: str
    a_assembly_rule: str


@lru_cache(maxsize=len(ASKED))
def phrases(language: str) -> Phrases:
    """The phrases of a language."""
    data = resources.files("blickschutz.compliance").joinpath(f"languages/{language}.toml").read_bytes()
    return msgspec.toml.decode(data, type=Phrases)


def sheet(g: Grounds, language: str) -> Document:
    """The information sheet (Art. 13 GDPR) in a language of `TRANSLATED`."""
    p = phrases(language)
    sections = (
        Section(p.h_what, (*_unverified(g, p, language), _place(g, p), *_hours(g, p), *_nature(g, p))),
        Section(p.h_controller, (_office(p, g.facts.controller, "controller", p.h_controller),)),
        Section(p.h_officer, (_office(p, g.facts.data_protection_officer, "data_protection_officer", p.h_officer),)),
        Section(p.h_purposes, tuple(_purposes(g, p))),
        Section(p.h_recipients, (_recipients(g, p), say(p.third, rule("SI-01")))),
        Section(p.h_storage, (_storage(g, p),)),
        Section(p.h_rights, tuple(_rights(g, p))),
        Section(p.h_objection, (say(p.objection, law("Art. 21 Abs. 4 DSGVO")),)),
        Section(p.h_software, tuple(_software(g, p))),
        Section(p.h_where, (_where(g, p),)),
    )
    return _public(f"informationsblatt-{language}", p.title_sheet, language, "Art. 13 DSGVO", sections)


def questions(g: Grounds, language: str) -> Document:
    """Questions and answers in a language of `ASKED`; the answers are the sheet's sentences."""
    p = phrases(language)
    sections = (
        Section(p.q_filmed, (*_unverified(g, p, language), *_hours(g, p))),
        Section(p.q_recognised, tuple(_nature(g, p))),
        Section(p.q_who, (say(p.a_who, rule("DM-04")), *_opened(g, p), _recipients(g, p))),
        Section(p.q_sound, (say(p.a_sound, rule("DM-01")),)),
        Section(p.q_long, (_storage(g, p),)),
        Section(p.q_faces, tuple(_software(g, p))),
        Section(p.q_rights, tuple(_rights(g, p))),
        Section(p.h_objection, (say(p.objection, law("Art. 21 Abs. 4 DSGVO")),)),
        Section(p.q_assembly, tuple(_assemblies(g, p))),
        Section(p.h_where, (_where(g, p),)),
    )
    return _public(f"fragen-{language}", p.title_faq, language, "Art. 12 und 13 DSGVO", sections)


def _opened(g: Grounds, p: Phrases) -> list[Sentence]:
    """Who opens recordings: of each operation where they differ, else a sentence on one would deny what the other stores."""
    said = {one: _stored_as(service(g.site).policies[one], p) for one in RegimeName}
    if len(set(said.values())) == 1:
        return [say(said[RegimeName.DAY], *_modes())]
    return [say(f"{prefix}{p.joint}{said[one]}", *_modes()) for one, prefix in ((RegimeName.DAY, p.during), (RegimeName.NIGHT, p.other))]


def _kept(p: Phrases, text: str) -> str:
    """German text, names and numbers in a sentence of another direction, so that they are read in their own (Unicode UAX 9)."""
    return f"\N{LEFT-TO-RIGHT ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}" if p.rtl else text


def _public(key: str, title: str, language: str, basis: str, sections: tuple[Section, ...]) -> Document:
    p = phrases(language)
    values = {"reader": "public", "as_of": p.as_of, "demo": p.demo, "plain": "yes" if language == "ls" else ""}
    return Document(key, title, "de" if language == "ls" else language, basis, sections, values=values)


def _unverified(g: Grounds, p: Phrases, language: str) -> list[Sentence]:
    """That nobody has checked the translation yet, until somebody recorded that they did and two people signed that."""
    checked = any(one.language == language for one in g.facts.translations) and unsigned(g, Sheet.TRANSLATIONS) is None
    if not p.unverified or checked:
        return []
    return [say(p.unverified, fact("translations"))]


def _place(g: Grounds, p: Phrases) -> Sentence:
    return say(
        p.place.format(site=_kept(p, g.site.site.name), count=len(g.site.cameras)), setting("site.name"), setting("cameras"), rule("DM-01")
    )


def _hours(g: Grounds, p: Phrases) -> list[Sentence | Table]:
    """The table of the week and what follows an event in each of its two parts.

    Kinds for which less follows than usual are not named: the sentence then says more than happens, never less.
    """
    found, policies = service(g.site), service(g.site).policies
    table = week(found.hours, holidays=bool(g.site.regimes.holidays))
    spans = list(zip(p.days, table.days, strict=True))
    if table.holidays:
        spans.append((p.holidays.format(state=_kept(p, hours.state_of(g))), table.holiday))
    rows = tuple(((day, _span(g, span, p)), hours.HOURS) for day, span in spans)
    said: list[Sentence | Table] = [Table((p.col_day, p.col_time), rows)]
    for which, prefix in ((RegimeName.DAY, p.during), (RegimeName.NIGHT, p.other)):
        said.append(say(f"{prefix}{p.joint}{_follows(policies[which], p)}", *hours.evidence(which)))
    if any(_some_record(one) for one in policies.values()):
        said.append(say(p.refused, event(Event.RECORDING_REFUSED)))
    said.append(say(p.by_order, event(Event.RECORDING_ORDERED), rule("DM-07")))
    said.append(say(p.switching.format(hours=MOST_OVERRIDE_HOURS), event(Event.REGIME_SET), event(Event.REGIME_RELEASED)))
    return said


def _span(g: Grounds, span: Span | None, p: Phrases) -> str:
    """From when to when in figures, or by the sun; and by the clock where the sun may not rise or set."""
    if span is None:
        return _NONE
    words_of = {Sun.RISE: p.sunrise, Sun.SET: p.sunset}
    start = words_of[span.start] if isinstance(span.start, Sun) else f"{span.start:%H:%M}"
    end = words_of[span.end] if isinstance(span.end, Sun) else "24:00" if span.end == time() else f"{span.end:%H:%M}"
    later = f" ({p.next_day})" if span.over_midnight and not isinstance(span.end, Sun) and span.end != time() else ""
    clock = ""
    if isinstance(span.start, Sun) and abs(g.site.site.latitude or 0.0) > hours.POLAR_DEGREES:
        clock = f" / {p.span.format(start=g.site.regimes.day.starts, end=g.site.regimes.night.starts)}"
    return f"{p.span.format(start=start, end=end)}{later}{clock}"


def _some_record(policy: Policy) -> bool:
    return any(policy.action(kind) in _RECORDS for kind in Kind)


def _follows(policy: Policy, p: Phrases) -> str:
    usual = {Action.NOTIFY: p.act_notify, Action.RECORD: p.act_record, Action.BOTH: p.act_both, Action.COUNT: p.act_count}
    parts = [usual[policy.usual]]
    if not _some_record(policy):
        parts.append(p.none_record)
    elif policy.usual not in _RECORDS:
        parts.append(p.some_record)
    return p.joint.join([*parts, _stored_as(policy, p)])


def _stored_as(policy: Policy, p: Phrases) -> str:
    return p.mode_sealed if policy.mode is Mode.SEALED else p.mode_anonymous


def _modes() -> tuple[Evidence, ...]:
    return (setting("regimes.day.mode"), setting("regimes.night.mode"), rule("TR-04"))


def _nature(g: Grounds, p: Phrases) -> list[Sentence]:
    return [say(p.nature_sealed if words.stored(g) else p.nature_anonymous, *_modes()), say(p.remains, rule("DM-06"))]


def _office(p: Phrases, who: Office | None, section: str, what: str) -> Sentence:
    if who is None:
        return missing(what, fact(section))
    return say(_kept(p, f"{who.name}, {who.address}, {who.phone}, {who.email}"), fact(section))


def _purposes(g: Grounds, p: Phrases) -> list[Sentence]:
    names = {
        Purpose.PUBLIC_TASK: p.purpose_public_task,
        Purpose.HOUSE_RIGHT: p.purpose_house_right,
        Purpose.PROPERTY: p.purpose_property,
    }
    basis = say(p.basis.format(basis=_kept(p, words.BASIS)), law("§ 21 Abs. 1 LDSG RLP"))
    if not g.facts.grounds:
        return [missing(p.h_purposes, fact("grounds")), basis]
    reasons = "; ".join(words.public_reasons(g))
    found = "; ".join(sorted({names[one.purpose] for one in g.facts.grounds}))
    detail = [say(p.in_detail.format(reasons=_kept(p, reasons)), fact("grounds"), rule("RG-01"))] if reasons else []
    return [say(f"{found}.", fact("grounds")), *detail, basis]


def _recipients(g: Grounds, p: Phrases) -> Sentence:
    if not g.facts.recipients:
        return missing(p.h_recipients, fact("recipients"))
    return say(p.recipients.format(list=_kept(p, ", ".join(g.facts.recipients))), fact("recipients"), rule("ZB-01"))


def _storage(g: Grounds, p: Phrases) -> Sentence:
    kept = g.site.retention
    text = p.storage.format(hours=kept.unreviewed_hours, days=kept.hard_limit_days)
    return say(text, setting("retention.unreviewed_hours"), setting("retention.hard_limit_days"), rule("LO-04"))


def _rights(g: Grounds, p: Phrases) -> list[Sentence]:
    who = g.facts.supervisory_authority
    name = f"{_LFDI}, {who.address}, {who.phone}, {who.email}" if who is not None else _LFDI
    return [
        say(p.rights, law("Art. 13 Abs. 2 lit. b DSGVO")),
        say(p.identify, law("Art. 11 und 12 Abs. 6 DSGVO")),
        say(p.no_duty, law("Art. 13 Abs. 2 lit. e DSGVO")),
        say(p.complaint.format(who=_kept(p, name)), fact("supervisory_authority"), law("Art. 77 DSGVO")),
    ]


def _assemblies(g: Grounds, p: Phrases) -> list[Sentence]:
    """What the stop control does; what the town laid down for assemblies is said where two people signed it."""
    found = g.facts.newest(FactKind.ASSEMBLIES)
    told = say(p.a_assembly, rule("KI-08"), event(Event.CAMERA_STOPPED))
    if found is None or not found.text or not is_signed(g, found):
        return [told]
    text = p.a_assembly_rule.format(day=_kept(p, words.day(found.date, "de")), text=_kept(p, found.text))
    return [told, say(text, fact(FactKind.ASSEMBLIES))]


def _software(g: Grounds, p: Phrases) -> list[Sentence]:
    told = say(p.software, rule("KI-01"), rule("KI-03"), setting("analysis.model"), law("Art. 13 Abs. 2 lit. f DSGVO"))
    return [told, say(p.software_own, *OWN)] if listens(g) else [told]


def _where(g: Grounds, p: Phrases) -> Sentence:
    if not g.facts.full_information:
        return missing(p.h_where, fact("full_information"))
    return say(_kept(p, g.facts.full_information), fact("full_information"))
