"""What people are told at the place (TR), and how little of it the cameras take (DM)."""

from __future__ import annotations

from datetime import date, timedelta

from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind, Sign
from blickschutz.compliance.model import Answer, Form, Grounds, Result, broken, holds, unknown
from blickschutz.compliance.plan import density, shows_sign, unannounced
from blickschutz.compliance.policy.base import GATE, LOG, QUARTER, SETTING, lacking, names, recorded, rule, two_people
from blickschutz.compliance.policy.evidence import LEAST_SIDE, offices, says_something
from blickschutz.compliance.policy.signed import is_photograph_signed, sheet_vouchers, unsigned
from blickschutz.compliance.sheets import Sheet
from blickschutz.config.hours import service
from blickschutz.redaction.model import Style
from blickschutz.regime.model import Action, Mode, RegimeName
from blickschutz.situations.kinds import Kind

IDENTIFY = 250.0
MOST_CELLS = 12.5
_RECORDS = frozenset({Action.RECORD, Action.BOTH})
_SHEETS = (Sheet.WAYS, Sheet.SIGNS)
EDITION = "DIN EN 62676-4:2016"


@rule(
    "TR-01",
    "§ 21 Abs. 2 LDSG RLP",
    "An jedem Weg hängt vor dem Sichtfeld ein Schild, mit Foto, in den letzten 90 Tagen gesehen",
    "Each way has a sign before the camera's field, with a photograph, seen within 90 days",
    GATE,
    LOG,
)
def signs(g: Grounds) -> Answer:
    if not g.facts.ways or not g.facts.signs:
        return unknown(
            "Tragen Sie unter Nachweise die Wege und die Schilder ein.",
            "Enter the ways and the signs on the page of proofs.",
        )
    bare = unannounced(g.facts.ways, g.facts.signs, [camera.plan for camera in g.site.cameras if camera.plan is not None])
    if bare:
        return broken(
            f"Auf diesen Wegen kommt das Schild nach der Kamera oder gar nicht; hängen Sie es weiter außen auf: {names(bare)}.",
            f"On these ways the sign comes after the camera, or not at all; hang it further out: {names(bare)}.",
        )
    without = [sign.id for sign in g.facts.signs if not _is_shown(g, sign)]
    if without:
        return unknown(
            f"Es fehlt das Foto, es ist ein anderes, lässt sich nicht öffnen oder zeigt auch ein anderes Schild: {names(without)}.",
            f"The photograph is missing, is another one, cannot be opened, or shows another sign as well: {names(without)}.",
        )
    address = g.facts.information_address
    if not address:
        return unknown(
            "Tragen Sie unter Nachweise (Angaben zur Anlage) die Internetadresse des Informationsblatts ein; ohne sie hat das Schild "
            "keinen Bildcode, und kein Foto zeigt, dass es dieses Schild ist.",
            "Enter the address of the information sheet on the page of proofs (particulars); without it the sign has no picture code, and "
            "no photograph shows that it is this sign.",
        )
    blind = [sign.id for sign in g.facts.signs if not shows_sign(g.documents[sign.photo].code, address, sign.id)]
    if blind:
        return unknown(
            "Auf dem Foto ist der Bildcode dieses Schilds nicht zu lesen, oder es ist der eines anderen; fotografieren Sie näher und von "
            f"vorn: {names(blind)}.",
            "The picture code of this sign cannot be read on the photograph, or it is another sign's; take it from nearer and from the "
            f"front: {names(blind)}.",
        )
    old = [sign.id for sign in g.facts.signs if not _is_recent(sign.checked, g.today)]
    if old:
        return broken(
            f"Sehen Sie nach diesen Schildern und tragen Sie je ein neues Foto ein: {names(old)}.",
            f"Look at these signs, and enter a new photograph of each: {names(old)}.",
        )
    bare = [sign.id for sign in g.facts.signs if not is_photograph_signed(g, sign)]
    if bare:
        return unknown(
            f"Diese Fotos haben noch nicht zwei Personen unter Nachweise unterschrieben: {names(bare)}.",
            f"These photographs are not signed by two people on the page of proofs yet: {names(bare)}.",
        )
    return unsigned(g, *_SHEETS) or holds(*sheet_vouchers(g, *_SHEETS))


def _is_shown(g: Grounds, sign: Sign) -> bool:
    """Whether its photograph is there, can be looked at, and shows this sign alone."""
    found = g.documents.get(sign.photo)
    if found is None or found.sha256 != sign.sha256:
        return False
    return found.form is Form.PICTURE and found.side >= LEAST_SIDE and g.facts.uses(found.sha256) == {sign.id}


def _is_recent(checked: date | None, today: date) -> bool:
    return checked is not None and timedelta() <= today - checked <= timedelta(days=QUARTER)


@rule("TR-02", "§ 21 Abs. 2 LDSG RLP", "Die Angaben des Schilds sind vollständig", "The sign's particulars are complete", GATE)
def sign_fields(g: Grounds) -> Answer:
    missing = lacking(g, "controller", "data_protection_officer", "grounds", "full_information") or offices(g.facts)
    if missing is not None:
        return missing
    without = sorted({camera.id for camera in g.site.cameras} - {ground.camera for ground in g.facts.grounds})
    if without or not says_something(g.facts.full_information):
        listed = names([*without, *([] if says_something(g.facts.full_information) else ["full_information"])])
        return unknown(f"Dem Schild fehlt Zweck oder Ort der Informationen: {listed}.", f"The sign lacks purpose or place: {listed}.")
    return unsigned(g, Sheet.PARTICULARS, Sheet.PURPOSES) or holds(*sheet_vouchers(g, Sheet.PARTICULARS, Sheet.PURPOSES))


@rule(
    "TR-03",
    "Art. 13 DSGVO",
    "Das Informationsblatt nennt Zeiten, Fristen und Empfänger, wie sie gelten",
    "The information sheet has hours, limits and recipients as they are in force",
    SETTING,
)
def information_sheet(g: Grounds) -> Answer:
    answer, sheet = recorded(g, FactKind.INFORMATION_SHEET, of_settings=True), g.facts.newest(FactKind.INFORMATION_SHEET)
    if answer.result is not Result.HOLDS or sheet is None:
        return answer
    if not g.facts.recipients:
        return unknown("Es ist kein Empfänger eingetragen.", "No recipient is entered.")
    unnamed = [one for one in g.facts.recipients if one.lower() not in sheet.text.lower()]
    if unnamed:
        return broken(
            f"Das Blatt nennt nicht alle Empfänger; drucken Sie es neu und schreiben Sie bei „informationsblatt“ unter text, wen es nennt: "
            f"{names(unnamed)}.",
            f"The sheet does not name all recipients; print it anew, and write under text of 'informationsblatt' whom it names: "
            f"{names(unnamed)}.",
        )
    return answer


_CLAIMS = ("keine personenbezogenen daten", "anonym", "no personal data", "anonymous")


@rule(
    "TR-04",
    "Art. 4 Nr. 5 DSGVO",
    "Niemand behauptet Anonymität, solange Unverpixeltes gespeichert wird",
    "Nobody claims anonymity while anything unredacted is stored",
    SETTING,
)
def no_false_claim(g: Grounds) -> Answer:
    sealed = Mode.SEALED in (g.site.regimes.day.mode, g.site.regimes.night.mode)
    said = [fact.kind.value for fact in g.facts.facts if any(claim in fact.text.lower() for claim in _CLAIMS)]
    said += ["full_information"] if any(claim in g.facts.full_information.lower() for claim in _CLAIMS) else []
    if sealed and said:
        return broken(
            f"Versiegelte Clips sind pseudonymisiert, nicht anonym; ändern Sie den Text von: {names(said)}.",
            f"Sealed clips are pseudonymised, not anonymous; change the text of: {names(said)}.",
        )
    return holds("regimes.day.mode, regimes.night.mode; Texte der Tatsachen", "regimes.day.mode, regimes.night.mode; texts of the facts")


@rule("DM-01", "EDPB 3/2019, Rn. 129", "Kein Ton, kein Schwenken, kein Zoomen", "No sound, no panning, no zooming", SETTING)
def no_sound(g: Grounds) -> Answer:
    asked = ("audio=1", "audio=on", "ptz", "zoom")
    talking = [camera.id for camera in g.site.cameras if any(word in one.lower() for one in camera.addresses for word in asked)]
    if talking:
        return broken(
            f"Die Adresse verlangt Ton oder Bewegung; streichen Sie es bei: {names(talking)}.",
            f"The address asks for sound or movement; remove it at: {names(talking)}.",
        )
    return holds(
        "Es gibt keine solche Einstellung; die Tonspur wird nie gelesen (tests/unit/test_ingest.py)",
        "there is no such setting; the sound track is never read (tests/unit/test_ingest.py)",
    )


@rule(
    "DM-02",
    "EDPB 3/2019, Rn. 129",
    "Privatzonen liegen über Nachbarn und unbeteiligter Straße und sind freigegeben",
    "Privacy zones cover neighbours and irrelevant street, and are approved",
    SETTING,
)
def privacy_zones(g: Grounds) -> Answer:
    excused = {ground.camera for ground in g.facts.grounds if ground.no_privacy_zone}
    bare = [camera.id for camera in g.site.cameras if not camera.privacy_zones and camera.id not in excused]
    if bare:
        return unknown(
            f"Zeichnen Sie Privatzonen oder begründen Sie unter no_privacy_zone, warum keine nötig ist: {names(bare)}.",
            f"Draw privacy zones, or say under no_privacy_zone why none is needed: {names(bare)}.",
        )
    return recorded(g, FactKind.PRIVACY_ZONES, document=False, of_settings=True)


@rule(
    "DM-03",
    f"{EDITION}, Tabelle 1",
    "Die Pixeldichte je Bereich ist berechnet; ab 250 px/m ist sie begründet",
    "The density of each place is computed; from 250 px/m on it is justified",
    SETTING,
)
def densities(g: Grounds) -> Answer:
    missing = [camera.id for camera in g.site.cameras if camera.calibration is None]
    if missing:
        return unknown(
            f"Tragen Sie calibration ein, sonst ist die Dichte unbekannt: {names(missing)}.",
            f"Write calibration, else the density is not known: {names(missing)}.",
        )
    unsized = [camera.id for camera in g.site.cameras if density(camera) is None]
    if unsized:
        return unknown(
            f"Tragen Sie picture (Breite und Höhe des Kamerabildes) ein, sonst gibt scale keine Dichte: {names(unsized)}.",
            f"Write picture (width and height of the camera's picture), else a scale gives no density: {names(unsized)}.",
        )
    reasons = {ground.camera for ground in g.facts.grounds if ground.density_reason}
    dense = [camera.id for camera in g.site.cameras if (density(camera) or 0) >= IDENTIFY and camera.id not in reasons]
    if dense:
        return broken(
            f"Ab {IDENTIFY:g} px/m kann jemand identifiziert werden; begründen Sie es "
            f"unter density_reason oder senken Sie die Dichte: {names(dense)}.",
            f"From {IDENTIFY:g} px/m on somebody can be identified; justify it under density_reason or lower it: {names(dense)}.",
        )
    return holds(f"cameras.calibration, {EDITION}", f"cameras.calibration, {EDITION}")


@rule(
    "DM-04",
    "Art. 25 Abs. 2 DSGVO",
    "Voreingestellt ist die verpixelte Ansicht, live und in der Wiedergabe",
    "The redacted view is the default, live and in playback",
    SETTING,
    LOG,
)
def default_redacted(g: Grounds) -> Answer:
    bare = [entry.number for entry in g.entries(Event.UNMASK_GRANTED, 365) if not two_people(entry)]
    if bare:
        return broken(
            f"Diese Entpixelungen hatten keine zwei Personen: Einträge {names(bare)}; melden Sie es der Datenschutzbeauftragten.",
            f"These unmaskings lacked two people: entries {names(bare)}; tell the data protection officer.",
        )
    return holds(
        "Typ RedactedFrame; tests/live/test_browser.py; Einträge unmask-granted",
        "type RedactedFrame; tests/live/test_browser.py; entries unmask-granted",
    )


@rule("DM-05", "Art. 25 DSGVO", "Die Verpixelung fällt auf die sichere Seite", "Redaction fails closed", SETTING, LOG)
def fails_closed(g: Grounds) -> Answer:
    if g.rows is None:
        return holds(
            "tests/properties/test_redaction.py, tests/live/test_cells.py", "tests/properties/test_redaction.py, tests/live/test_cells.py"
        )
    if g.rows.redaction_faults:
        return broken(
            f"{g.rows.redaction_faults} Kameras melden eine gestörte Verpixelung (das "
            "Bild ist ganz verdeckt); sehen Sie auf der Seite Zustand nach.",
            f"{g.rows.redaction_faults} cameras report a redaction fault (the picture is wholly covered); look at the page of health.",
        )
    if g.rows.old_seconds or g.rows.old_clips:
        return broken(
            f"Verpixelte Bilder einer älteren Version liegen noch da: {g.rows.old_seconds} Meldungen, Vorgänge {names(g.rows.old_clips)}. "
            "Der nächste Start vernichtet sie. Gesperrte und eingeschränkte bleiben bis dahin, werden niemandem gezeigt und enden damit.",
            f"Redacted pictures of an older version are still there: {g.rows.old_seconds} alerts, cases {names(g.rows.old_clips)}. "
            "The next start destroys them. What is held or restricted stays until that ends and is shown to nobody.",
        )
    return holds("tests/properties/test_redaction.py; Zustand der Kameras", "tests/properties/test_redaction.py; health of the cameras")


@rule(
    "DM-06",
    "abgeleitet aus DIN EN 62676-4 (monitor)",
    "In der Maske bleiben höchstens 12,5 px/m; wer stillsteht, bleibt verpixelt",
    "At most 12.5 px/m are left in the mask; whoever stands still stays redacted",
    SETTING,
)
def residual_density(g: Grounds) -> Answer:
    if g.site.redaction.style is Style.SILHOUETTE:
        return holds("redaction.style = silhouette", "redaction.style = silhouette")
    if g.cells_per_metre > MOST_CELLS:
        return broken(
            f'Das Mosaik lässt {g.cells_per_metre:g} Zellen je Meter; schreiben Sie redaction.style = "silhouette".',
            f'The mosaic leaves {g.cells_per_metre:g} cells a metre; write redaction.style = "silhouette".',
        )
    return holds(
        "tests/properties/test_redaction.py, docs/benchmarks.md (cdnet-office)",
        "tests/properties/test_redaction.py, docs/benchmarks.md (cdnet-office)",
    )


@rule(
    "DM-07", "OVG NRW", "Keine Daueraufzeichnung; kein Clip ohne Anlass", "No continuous recording; no clip without a cause", SETTING, LOG
)
def no_continuous(g: Grounds) -> Answer:
    present = [name.value for name, policy in service(g.site).policies.items() if policy.action(Kind.PERSON_IN_ZONE) in _RECORDS]
    if present:
        return broken(
            f'Schon Anwesenheit löst eine Aufnahme aus; schreiben Sie kinds = {{ person_in_zone = "count" }} bei regimes.{names(present)}.',
            f'Mere presence records; write kinds = {{ person_in_zone = "count" }} at regimes.{names(present)}.',
        )
    if g.rows is not None and g.rows.untriggered:
        return broken(
            f"Diese Vorgänge haben keinen Anlass: {names(g.rows.untriggered)}; melden Sie es der Datenschutzbeauftragten.",
            f"These cases have no cause: {names(g.rows.untriggered)}; tell the data protection officer.",
        )
    return holds(
        "recording.before_s, recording.most_s; Spalte cause der Vorgänge", "recording.before_s, recording.most_s; column cause of the cases"
    )


@rule(
    "DM-08",
    "Auftrag der Stadt",
    "Am Tag meldet, in der Nacht zeichnet die Anlage auf; die Zeiten sind veröffentlicht",
    "By day it notifies, by night it records; the hours are published",
    GATE,
    SETTING,
    LOG,
)
def hours(g: Grounds) -> Answer:
    policies = service(g.site).policies
    day, night = policies[RegimeName.DAY], policies[RegimeName.NIGHT]
    recorded_by_day = [kind.value for kind in Kind if day.action(kind) in _RECORDS]
    if recorded_by_day or day.mode is Mode.SEALED:
        return broken(
            'Am Tag wird nur gemeldet; schreiben Sie regimes.day.on_situation = "notify" und mode = "anonymous", und in kinds kein '
            f'"record" oder "both" ({names(recorded_by_day) or day.mode.value}).',
            'By day it only notifies; write regimes.day.on_situation = "notify" and mode = "anonymous", and no "record" or "both" in kinds '
            f"({names(recorded_by_day) or day.mode.value}).",
        )
    if night.usual not in _RECORDS:
        return broken(
            'In der Nacht ist niemand da, der eine Meldung sieht; schreiben Sie regimes.night.on_situation = "record".',
            'At night nobody is there to see an alert; write regimes.night.on_situation = "record".',
        )
    return recorded(g, FactKind.PUBLISHED_HOURS, document=False, of_settings=True)


RULES = (
    signs,
    sign_fields,
    information_sheet,
    no_false_claim,
    no_sound,
    privacy_zones,
    densities,
    default_redacted,
    fails_closed,
    residual_density,
    no_continuous,
    hours,
)
