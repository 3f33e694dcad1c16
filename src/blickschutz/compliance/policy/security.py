"""Security of processing (SI) and vendors (AP)."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from blickschutz.audit.model import Event
from blickschutz.compliance.facts import FactKind
from blickschutz.compliance.model import Answer, Grounds, Result, broken, holds, unknown
from blickschutz.compliance.policy.base import GATE, HALF_YEAR, LOG, NOT_STARTED, SETTING, YEAR, names, recorded, rule, saying
from blickschutz.config.model import SiteFile
from blickschutz.config.parts import is_local
from blickschutz.ingest.rules.address import read_address
from blickschutz.situations.kinds import Kind as SituationKind

MOST_DRIFT_S = 1.0
MOST_ANCHOR_S = 86_400.0
_DEFAULT_PASSWORDS = ("admin", "password", "12345", "123456", "888888", "service", "root", "pass")


def _password(address: str) -> str:
    """The password in a camera's address; "x" where there is none."""
    parts = read_address(address)
    return parts.password if parts is not None and parts.password else "x"


def _host(address: str) -> str:
    """Host of an address; empty for a file."""
    parts = read_address(address)
    return parts.host if parts is not None else urlsplit(address).hostname or ""


def allowed_hosts(site: SiteFile) -> frozenset[str]:
    """Every host that the site file names: cameras, channels, a database server. Nothing else is ever connected to."""
    addresses = [address for camera in site.cameras for address in camera.addresses]
    addresses += [hook.address for hook in site.alerts.webhooks] + [other.address for other in site.alerts.apprise]
    hosts = {_host(address) for address in addresses}
    hosts |= {channel.host for channel in (site.alerts.mail, site.alerts.mqtt) if channel is not None}
    server = site.storage.server
    hosts |= {server.host} if server is not None and not server.local else set()
    return frozenset(hosts - {""})


def _outside(addresses: Iterable[str], allowed: frozenset[str]) -> list[str]:
    found = []
    for address in addresses:
        host = address.rsplit(":", 1)[0].strip("[]")
        if not is_local(host) and host not in allowed:
            found.append(address)
    return found


@rule(
    "SI-01",
    "Auftrag der Stadt",
    "Keine Standardroute, keine Namensauflösung, keine Verbindung außerhalb der Liste",
    "No default route, no resolver, no connection outside the list",
    SETTING,
    LOG,
)
def air_gap(g: Grounds) -> Answer:
    if g.machine is None:
        return unknown("Starten Sie „blickschutz check“ auf dem Rechner der Anlage.", "Run `blickschutz check` on the site's machine.")
    # Before its first start nobody knows whether this is the site's machine.
    wrong = broken if g.started else unknown
    if g.machine.default_routes:
        return wrong(
            f"Es gibt einen Weg hinaus ({names(g.machine.default_routes)}); entfernen Sie die Standardroute.",
            f"There is a way out ({names(g.machine.default_routes)}); remove the default route.",
        )
    resolvers = _outside((f"{one}:53" for one in g.machine.resolvers), frozenset())
    if resolvers:
        return wrong(
            f"Namensauflösung ist eingetragen ({names(g.machine.resolvers)}); leeren Sie /etc/resolv.conf.",
            f"A resolver is set ({names(g.machine.resolvers)}); empty /etc/resolv.conf.",
        )
    strange = _outside(g.machine.connections, allowed_hosts(g.site))
    if strange:
        return wrong(
            f"Verbindungen, die nicht in der Anlagendatei stehen: {names(strange)}; beenden Sie das Programm, das sie hält.",
            f"Connections that the site file does not name: {names(strange)}; end the program that holds them.",
        )
    return holds("Routen, Namensauflösung und Verbindungen dieses Rechners", "routes, resolver and connections of this machine")


@rule(
    "SI-02",
    "Art. 32 DSGVO",
    "Gespeichertes ist verschlüsselt, ein Schlüssel je Clip; der Weg zur Kamera ist geschützt",
    "What is stored is encrypted, a key per clip; the way to the camera is protected",
    SETTING,
)
def encryption(g: Grounds) -> Answer:
    plain = [camera.id for camera in g.site.cameras if any(one.lower().startswith(("rtsp:", "http:")) for one in camera.addresses)]
    if plain:
        answer = recorded(g, FactKind.CAMERA_LINK, document=False)
        if answer.result is not Result.HOLDS:
            return unknown(
                f"Schreiben Sie rtsps:// oder https:// oder belegen Sie „kameranetz“: Nur Kameras sind in diesem Netz: {names(plain)}.",
                f"Write rtsps:// or https://, or record with 'kameranetz' that only cameras are in that network: {names(plain)}.",
            )
    return holds("Format der Clips (docs/design/clips.md); cameras.address", "format of the clips (docs/design/clips.md); cameras.address")


@rule(
    "SI-03",
    "SDM M51",
    "Zweiter Faktor; keine gemeinsamen Konten; kein Kennwort des Herstellers",
    "Second factor; no shared accounts; no vendor's password",
    SETTING,
)
def passwords(g: Grounds) -> Answer:
    weak = [camera.id for camera in g.site.cameras if _password(camera.address).lower() in _DEFAULT_PASSWORDS]
    if weak:
        return broken(
            f"Kennwort des Herstellers; ändern Sie es an der Kamera und in der Anlagendatei: {names(weak)}.",
            f"Vendor's password; change it at the camera and in the site file: {names(weak)}.",
        )
    if g.rows is not None and g.rows.without_factor:
        return broken(
            f"Ohne zweiten Faktor: {names(g.rows.without_factor)}; sie richten ihn bei der nächsten Anmeldung ein.",
            f"Without a second factor: {names(g.rows.without_factor)}; they set it up when they sign in next.",
        )
    return holds("cameras.address; Konten", "cameras.address; accounts")


@rule(
    "SI-04",
    "SDM M43",
    "Das Protokoll ist verkettet, wird nur ergänzt und täglich geprüft",
    "The log is chained, only added to, and verified daily",
    LOG,
)
def chain(g: Grounds) -> Answer:
    if g.rows is None:
        return NOT_STARTED
    if g.rows.chain_faults:
        return broken(
            f"Das Protokoll ist nicht heil: {names(g.rows.chain_faults)}; bewahren Sie "
            "den Datenträger und sagen Sie es der Datenschutzbeauftragten.",
            f"The log is not whole: {names(g.rows.chain_faults)}; keep the disk and tell the data protection officer.",
        )
    return holds("Prüfung der Kette", "verification of the chain")


@rule(
    "SI-05",
    "SDM M43",
    "Die Uhr geht ohne Netz auf eine Sekunde genau; Sprünge sind protokolliert",
    "The clock is right to a second without a network; jumps are logged",
    LOG,
)
def clock(g: Grounds) -> Answer:
    if g.machine is None or g.machine.drift_s is None:
        return unknown(
            "Stellen Sie eine Zeitquelle bereit (Funkuhr oder GPS, zum Beispiel mit chrony), damit die Abweichung bekannt ist.",
            "Provide a source of time (radio clock or GPS, for example with chrony), so that the drift is known.",
        )
    if abs(g.machine.drift_s) > MOST_DRIFT_S:
        return broken(
            f"Die Uhr weicht um {g.machine.drift_s:.1f} s ab; stellen Sie sie.", f"The clock is off by {g.machine.drift_s:.1f} s; set it."
        )
    return holds(f"Abweichung {abs(g.machine.drift_s):.3f} s", f"drift {abs(g.machine.drift_s):.3f} s")


@rule("SI-06", "Art. 32 DSGVO", "Wechseldatenträger: Liste, zwei Personen, protokolliert", "Removable media: list, two people, logged", LOG)
def media(g: Grounds) -> Answer:
    return saying(g, FactKind.MEDIA_CONTROL, Liste="liste", zwei="zwei", Protokoll="protokoll")


@rule(
    "SI-07",
    "DIN EN 62676-1-1",
    "Sabotagemeldung je Kamera: verdeckt, bewegt, unscharf, geblendet",
    "Tamper alarm for each camera: covered, moved, defocused, blinded",
    LOG,
)
def tamper(g: Grounds) -> Answer:
    off = [camera.id for camera in g.site.cameras for zone in camera.zones if SituationKind.CAMERA_TAMPERED in zone.rules.off]
    bare = [camera.id for camera in g.site.cameras if not camera.zones]
    if off or bare:
        return broken(
            f"Hier wird Sabotage nicht gemeldet; streichen Sie es aus rules.off oder zeichnen Sie einen Bereich: {names(off + bare)}.",
            f"Tampering is not reported here; remove it from rules.off, or draw a zone: {names(off + bare)}.",
        )
    return holds("cameras.zones.rules; tests/figures/test_events.py", "cameras.zones.rules; tests/figures/test_events.py")


@rule(
    "SI-08",
    "ISO 22311",
    "Beweispaket: Original, Verzeichnis, SHA-256, Signatur, Gewahrsam",
    "Evidence: original, manifest, SHA-256, signature, custody",
    LOG,
)
def evidence(g: Grounds) -> Answer:
    bare = [entry.number for entry in g.entries(Event.RELEASED, YEAR) if not entry.facts.get("sha256")]
    if bare:
        return broken(f"Herausgaben ohne SHA-256: Einträge {names(bare)}.", f"Releases without SHA-256: entries {names(bare)}.")
    return holds("Einträge released; „blickschutz verify evidence“", "entries released; `blickschutz verify evidence`")


@rule(
    "SI-09",
    "Art. 32 Abs. 1 lit. c und d DSGVO",
    "Wiederherstellung binnen zwölf, Rechte binnen sechs Monaten geprüft",
    "Restore tested within twelve months, rights reviewed within six",
    LOG,
)
def restore(g: Grounds) -> Answer:
    answer = _restored(g)
    return answer if answer.result is not Result.HOLDS else recorded(g, FactKind.RIGHTS_REVIEW, HALF_YEAR, document=False)


def _restored(g: Grounds) -> Answer:
    """By the log, where a restore was tried with this program; else by what people recorded of another way."""
    tried = sorted((*g.entries(Event.RESTORE_TRIED, YEAR), *g.entries(Event.RESTORED, YEAR)), key=lambda entry: entry.number)
    if not tried:
        return recorded(g, FactKind.RESTORE_TEST, YEAR, document=False)
    last = tried[-1]
    if not last.facts.get("whole", True):
        return broken(
            f"Die letzte Wiederherstellung (Eintrag {last.number}) misslang; beheben Sie die Ursache und versuchen Sie es erneut.",
            f"The last restore (entry {last.number}) failed; mend the cause and try again.",
        )
    return holds(f"Eintrag {last.number}", f"entry {last.number}")


@rule(
    "SI-10", "Art. 33 DSGVO", "Für Datenpannen gibt es ein Verfahren mit 72 Stunden", "There is a procedure for breaches with 72 hours", LOG
)
def breach(g: Grounds) -> Answer:
    return saying(g, FactKind.BREACH_PROCESS, **{"72 Stunden": "72"})


@rule(
    "SI-11",
    "SDM M43",
    "Für das Protokoll bürgt ein Zeuge außerhalb der Anlage, täglich",
    "A witness outside the site vouches for the log, daily",
    SETTING,
    LOG,
)
def anchor(g: Grounds) -> Answer:
    if g.site.audit.witness is None:
        return unknown(
            "Nennen Sie unter [audit] witness einen Zeugen, den die Datenschutzbeauftragte verwahrt (docs/design/anchor.md).",
            "Name a witness under [audit] witness that the data protection officer keeps (docs/design/anchor.md).",
        )
    if g.rows is None:
        return NOT_STARTED
    if g.rows.anchor_problem:
        return broken(
            f"Der Zeuge bestätigt das Protokoll nicht ({g.rows.anchor_problem}); die Seite „Zustand“ sagt, was zu tun ist.",
            f"The witness does not confirm the log ({g.rows.anchor_problem}); the page of health says what to do.",
        )
    if not g.rows.anchored_at:
        return unknown(
            "Starten Sie die Anlage; der Zeuge hat noch nichts bestätigt.", "Start the site; the witness has confirmed nothing yet."
        )
    hours = (g.now - g.rows.anchored_at) / 3600
    if g.now - g.rows.anchored_at > MOST_ANCHOR_S:
        return broken(
            f"Der Zeuge bestätigte das Protokoll zuletzt vor {hours:.0f} Stunden; prüfen Sie, ob er läuft.",
            f"The witness last confirmed the log {hours:.0f} hours ago; see whether it runs.",
        )
    return holds(f"audit.witness; zuletzt bestätigt vor {hours:.1f} Stunden", f"audit.witness; last confirmed {hours:.1f} hours ago")


@rule(
    "AP-01",
    "Art. 28 DSGVO",
    "Wartung durch Dritte: Vertrag, beaufsichtigt, protokolliert",
    "Maintenance by a vendor: contract, supervised, logged",
    GATE,
    LOG,
)
def maintenance(g: Grounds) -> Answer:
    fact = g.facts.newest(FactKind.MAINTENANCE_CONTRACT)
    text = fact.text.lower() if fact is not None else ""
    if fact is not None and text.startswith("keine"):
        return recorded(g, FactKind.MAINTENANCE_CONTRACT, document=False)
    answer = recorded(g, FactKind.MAINTENANCE_CONTRACT)
    unsaid = [word for word, said in (("beaufsichtigt", "aufsicht"), ("protokolliert", "protokoll")) if said not in text]
    if answer.result is Result.HOLDS and unsaid:
        return unknown(
            f"Schreiben Sie bei „wartungsvertrag“ unter text, wie Wartung {' und '.join(unsaid)} wird, oder „keine Wartung durch Dritte“.",
            "Write under text of 'wartungsvertrag' how maintenance is supervised (Aufsicht) and logged (Protokoll), or that there is none "
            "('keine Wartung durch Dritte').",
        )
    return answer


RULES = (air_gap, encryption, passwords, chain, clock, media, tamper, evidence, restore, breach, anchor, maintenance)
