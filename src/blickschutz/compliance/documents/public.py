"""What the public reads: Informationsblatt (Art. 13 DSGVO) and Hinweisschild (§ 21 Abs. 2 LDSG RLP), in German and English."""

from __future__ import annotations

from blickschutz.compliance.documents import hours, remains, words
from blickschutz.compliance.documents.model import Document, Plan, Section, Sentence, fact, law, missing, rule, say, setting
from blickschutz.compliance.documents.sources import OWN, listens
from blickschutz.compliance.documents.tongues import phrases
from blickschutz.compliance.facts import Office
from blickschutz.compliance.model import Grounds

_LFDI = "Der Landesbeauftragte für den Datenschutz und die Informationsfreiheit Rheinland-Pfalz"
_LFDI_EN = "the data protection authority of Rhineland-Palatinate (LfDI Rheinland-Pfalz)"


def _office(who: Office | None, section: str, what: str) -> Sentence:
    return missing(what, fact(section)) if who is None else say(f"{who.name}, {who.address}, {who.phone}, {who.email}", fact(section))


def _purposes(g: Grounds, english: bool) -> Sentence:
    names = words.PURPOSES_EN if english else words.PURPOSES
    found = sorted({names[ground.purpose] for ground in g.facts.grounds})
    return say("; ".join(found) + ".", fact("grounds")) if found else missing("purposes" if english else "Zwecke", fact("grounds"))


def _recipients(g: Grounds, english: bool) -> Sentence:
    if not g.facts.recipients:
        return missing("recipients" if english else "Empfänger", fact("recipients"))
    listed = ", ".join(g.facts.recipients)
    text = f"Only in single cases and by statute: {listed}." if english else f"Nur im Einzelfall und auf gesetzlicher Grundlage: {listed}."
    return say(text, fact("recipients"), rule("ZB-01"))


def _complaint(g: Grounds, english: bool) -> Sentence:
    who, evidence = g.facts.supervisory_authority, (fact("supervisory_authority"), law("Art. 77 DSGVO"))
    name = _LFDI_EN if english else _LFDI
    address = f", {who.address}, {who.phone}, {who.email}" if who is not None else ""
    return say(f"You may complain to {name}{address}." if english else f"Beschweren können Sie sich bei: {name}{address}.", *evidence)


def _reasons(g: Grounds, english: bool) -> list[Sentence]:
    """What the cameras are there for in the town's own words; they are written down in German."""
    found = words.public_reasons(g)
    if not found:
        return []
    return [say(f"{'In detail (in German)' if english else 'Im Einzelnen'}: {'; '.join(found)}.", fact("grounds"), rule("RG-01"))]


def _where(g: Grounds, english: bool) -> Sentence:
    if not g.facts.full_information:
        return missing(
            "where the full information is to be had" if english else "Ort des vollständigen Informationsblatts", fact("full_information")
        )
    return say(g.facts.full_information, fact("full_information"))


def _address(g: Grounds) -> tuple[Sentence, ...]:
    """The printed address beside the picture code: not everybody can read the code."""
    address = g.facts.information_address
    return (say(address, fact("information_address")),) if address else ()


def _nature(g: Grounds, english: bool) -> Sentence:
    """Never a claim of anonymity while anything unredacted is stored (TR-04)."""
    evidence = (setting("regimes.day.mode"), setting("regimes.night.mode"), rule("TR-04"))
    if words.stored(g):
        if english:
            return say(
                "People are redacted in every live picture. What is recorded unredacted is kept sealed, and only two trained people "
                "together can open it. Recordings are personal data.",
                *evidence,
            )
        return say(
            "In jedem Live-Bild sind Personen verpixelt. Was unverpixelt aufgezeichnet wird, wird versiegelt gespeichert, und nur zwei "
            "geschulte Personen können es gemeinsam öffnen. Aufzeichnungen sind personenbezogene Daten.",
            *evidence,
        )
    if english:
        return say("People are redacted irreversibly before a picture is shown or stored.", *evidence)
    return say("Personen werden unwiderruflich verpixelt, bevor ein Bild gezeigt oder gespeichert wird.", *evidence)


def information_sheet(g: Grounds, language: str) -> Document:
    """The information sheet in "de" or "en"."""
    english, t = language == "en", words.either(language)
    kept = g.site.retention
    storage = say(
        t(
            f"Was niemand sichtet, wird nach {kept.unreviewed_hours} Stunden vernichtet; was harmlos ist, sofort nach der Sichtung; alles "
            f"andere spätestens nach {kept.hard_limit_days} Tagen, nie später als zwei Kalendermonate nach der Aufnahme. Länger bleibt "
            "nur, was als Beweis gesperrt ist, was eine offene Anfrage betrifft oder was nach einer Störung erst zwei Personen klären.",
            f"What nobody reviews is destroyed after {kept.unreviewed_hours} hours; what is harmless at once after review; everything else "
            f"after {kept.hard_limit_days} days at the latest, never later than two calendar months after the recording. Only what is held "
            "as evidence, what an open request is about, or what two people must settle after a fault stays longer.",
        ),
        setting("retention.unreviewed_hours"),
        setting("retention.hard_limit_days"),
        rule("LO-04"),
    )
    rights = say(
        t(
            "Sie haben das Recht auf Auskunft (Art. 15), Berichtigung (Art. 16), Löschung (Art. 17) und Einschränkung (Art. 18 DSGVO).",
            "You have the rights of access (Art. 15), rectification (Art. 16), erasure (Art. 17) and restriction (Art. 18 GDPR).",
        ),
        law("Art. 13 Abs. 2 lit. b DSGVO"),
    )
    objection = say(
        t(
            "Sie können der Verarbeitung aus Gründen, die sich aus Ihrer besonderen "
            "Situation ergeben, jederzeit widersprechen (Art. 21 DSGVO).",
            "You may object to the processing at any time on grounds relating to your particular situation (Art. 21 GDPR).",
        ),
        law("Art. 21 Abs. 4 DSGVO"),
    )
    software = say(
        t(
            "Software sucht nach Bewegungen, die für die Sicherheit wichtig sind. Sie erkennt "
            "keine Gesichter. Sie zählt, meldet oder zeichnet auf, mehr nicht; alles Weitere entscheiden Menschen.",
            "Software looks for movement that matters for safety. It recognises no "
            "faces. It counts, reports or records, and nothing else; everything further is decided by people.",
        ),
        rule("KI-01"),
        rule("KI-03"),
        setting("analysis.model"),
    )
    own = (say(phrases(language).software_own, *OWN),) if listens(g) else ()
    sections = (
        Section(
            t("Was geschieht hier?", "What happens here?"),
            (
                say(
                    t(
                        f"Videoschutz an {g.site.site.name}, {len(g.site.cameras)} Kameras, ohne Ton.",
                        f"Video protection at {g.site.site.name}, {len(g.site.cameras)} cameras, without sound.",
                    ),
                    setting("site.name"),
                    setting("cameras"),
                    rule("DM-01"),
                ),
                *hours.hours(g, language),
                _nature(g, english),
                *remains.costs(g, language),
            ),
        ),
        Section(t("Verantwortlicher", "Controller"), (_office(g.facts.controller, "controller", t("Verantwortlicher", "controller")),)),
        Section(
            t("Datenschutzbeauftragte", "Data protection officer"),
            (_office(g.facts.data_protection_officer, "data_protection_officer", t("Datenschutzbeauftragte", "data protection officer")),),
        ),
        Section(
            t("Zwecke und Rechtsgrundlage", "Purposes and legal basis"),
            (
                _purposes(g, english),
                *_reasons(g, english),
                say(words.BASIS + ("." if not english else " (state data protection act; GDPR)."), law("§ 21 Abs. 1 LDSG RLP")),
            ),
        ),
        Section(
            t("Empfänger", "Recipients"),
            (
                _recipients(g, english),
                say(t("Eine Übermittlung in Drittländer findet nicht statt.", "Nothing is transferred to third countries."), rule("SI-01")),
            ),
        ),
        Section(t("Speicherdauer", "Storage"), (storage,)),
        Section(
            t("Ihre Rechte", "Your rights"),
            (
                rights,
                say(
                    t(
                        "Sie müssen sich dafür nicht weiter zu erkennen geben, als nötig ist, um eine Aufnahme zu finden: Ort, Zeit und "
                        "eine Beschreibung genügen meist.",
                        "You need not identify yourself further than it takes to find footage: place, time and a description are "
                        "mostly enough.",
                    ),
                    law("Art. 11 und 12 Abs. 6 DSGVO"),
                ),
                say(
                    t(
                        "Sie sind nicht verpflichtet, uns Daten zu geben; wer den Bereich betritt, wird aber von den Kameras erfasst.",
                        "You are not obliged to give us data; but whoever enters the area is seen by the cameras.",
                    ),
                    law("Art. 13 Abs. 2 lit. e DSGVO"),
                ),
                _complaint(g, english),
            ),
        ),
        Section(t("Ihr Widerspruchsrecht", "Your right to object"), (objection,)),
        Section(t("Software und Entscheidungen", "Software and decisions"), (software, *own)),
        Section(t("Wo es dieses Blatt gibt", "Where this sheet is to be had"), (_where(g, english),)),
    )
    title = t("Informationen zum Videoschutz", "Information on video protection")
    return Document(f"informationsblatt-{language}", title, language, "Art. 13 DSGVO", sections, values={"reader": "public"})


def here(g: Grounds, language: str) -> list[str]:
    """For each recorded sign what its plan shows, in words: for those who cannot see it, "you are here" included."""
    t = words.either(language)
    shown = words.plan(g, language == "en")
    if not isinstance(shown, Plan):
        return []
    across = (t("links", "on the left"), t("in der Mitte", "in the middle"), t("rechts", "on the right"))
    down = (t("oben", "at the top"), t("auf halber Höhe", "half way up"), t("unten", "at the bottom"))
    north = [t("oben", "at the top"), t("rechts", "on the right"), t("unten", "at the bottom"), t("links", "on the left")]
    at = "" if g.facts.north is None else t(" Norden ist ", " North is ") + north[round(g.facts.north / 90) % 4] + "."
    found = []
    for one in g.facts.signs:
        place = f"{down[min(2, int(one.y * 3))]} {across[min(2, int(one.x * 3))]}"
        found.append(f"{shown.caption.text} {t('Sie stehen', 'You are')} {place}.{at}")
    return found


def sign(g: Grounds, language: str, paper: str) -> Document:
    """The sign in "de" or "en" on "a4" or "a3" paper."""
    english, t = language == "en", words.either(language)
    kept = g.site.retention
    sections = (
        Section(
            t("Verantwortlicher", "Controller"),
            (_office(g.facts.controller, "controller", t("Name, Anschrift, Telefon", "name, address, telephone")),),
        ),
        Section(
            t("Datenschutzbeauftragte", "Data protection officer"),
            (_office(g.facts.data_protection_officer, "data_protection_officer", t("Kontakt", "contact")),),
        ),
        Section(
            t("Zweck und Rechtsgrundlage", "Purpose and legal basis"),
            (_purposes(g, english), say(words.BASIS, law("§ 21 Abs. 2 LDSG RLP"))),
        ),
        Section(t("Zeiten", "Hours"), tuple(hours.sign_hours(g, language))),
        Section(
            t("Speicherdauer", "Storage"),
            (
                say(
                    t(
                        f"ohne Vorfall in der Regel höchstens {kept.unreviewed_hours} Stunden",
                        f"without an incident usually at most {kept.unreviewed_hours} hours",
                    ),
                    setting("retention.unreviewed_hours"),
                ),
            ),
        ),
        Section(
            t("Software", "Software"),
            (
                say(
                    t(
                        "Software erkennt Bewegungen, keine Gesichter. Was daraus folgt, entscheiden Menschen.",
                        "Software finds movement, no faces. People decide what follows.",
                    ),
                    rule("KI-01"),
                    rule("KI-03"),
                ),
            ),
        ),
        Section(t("Vollständige Informationen", "Full information"), (_where(g, english), *_address(g))),
        Section(t("Bereich", "Area"), (words.plan(g, english),)),
    )
    values = {
        "paper": paper,
        "headline": t("Videoschutz", "Video protection"),
        "law": t("Videoüberwachung", "CCTV in operation"),
        "site": g.site.site.name,
        "address": g.facts.information_address,
        "who": g.facts.controller.name if g.facts.controller else t("OFFEN: Verantwortlicher", "OFFEN: controller"),
    }
    return Document(f"schild-{language}-{paper}", t("Hinweisschild", "Sign"), language, "§ 21 Abs. 2 LDSG RLP", sections, "sign", values)
