"""What is said when a site file is wrong, in German and English."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError

TEXTS: dict[str, tuple[str, str]] = {
    "identifier": (
        "{value!r} ist kein Kurzname; erlaubt sind Kleinbuchstaben, Ziffern, Bindestriche, zum Beispiel {proposal!r}",
        "{value!r} is no short name; write lower-case letters, digits and hyphens, for example {proposal!r}",
    ),
    "time": (
        "{value!r} ist keine Uhrzeit; schreiben Sie zum Beispiel '06:00'",
        "{value!r} is no time of day; write for example '06:00'",
    ),
    "flat": (
        "die Fläche ist leer; schreiben Sie mindestens drei Punkte, die nicht auf einer Linie liegen",
        "the area is empty; write at least three points that do not lie on one line",
    ),
    "crossing": (
        "der Rand der Fläche kreuzt sich selbst, wie eine Acht; ordnen Sie die Ecken der Reihe nach rund um die Fläche",
        "the edge of the area crosses itself, like an eight; put the corners in their order around the area",
    ),
    "address": (
        "{value!r} ist keine Adresse; schreiben Sie 'rtsp://Rechner/Pfad', 'http://Rechner/Pfad' oder 'file:Pfad'",
        "{value!r} is no address; write 'rtsp://host/path', 'http://host/path' or 'file:path'",
    ),
    "database": (
        "{value!r} ist keine Datenbank; schreiben Sie 'postgresql://Rolle@Rechner/Name' oder, für einen Unix-Socket, "
        "'postgresql://Rolle@/Name?host=/run/postgresql'",
        "{value!r} is no database; write 'postgresql://role@host/name' or, for a Unix socket, "
        "'postgresql://role@/name?host=/run/postgresql'",
    ),
    "web_address": (
        "{value!r} ist keine Adresse eines ONVIF-Dienstes; schreiben Sie 'http://Rechner/onvif/device_service'",
        "{value!r} is no address of an ONVIF service; write 'http://host/onvif/device_service'",
    ),
    "substream_scheme": (
        "zwei Ströme hat nur eine Kamera mit RTSP; schreiben Sie 'address' und 'substream' beide mit rtsp:// oder rtsps://, oder streichen "
        "Sie 'substream'",
        "only a camera with RTSP has two streams; write 'address' and 'substream' both with rtsp:// or rtsps://, or remove 'substream'",
    ),
    "substream_same": (
        "das ist derselbe Strom wie 'address'; schreiben Sie die Adresse des kleinen Stroms oder streichen Sie 'substream'",
        "this is the same stream as 'address'; write the address of the small stream, or remove 'substream'",
    ),
    "substream_picture": (
        "mit 'substream' ist offen, in welchem Strom die Pixel gezählt sind; schreiben Sie in 'picture' Breite und Höhe des großen Stroms, "
        "oder 'scale' statt 'px_per_metre'",
        "with 'substream' it is open in which stream the pixels were counted; write width and height of the large stream in 'picture', or "
        "'scale' instead of 'px_per_metre'",
    ),
    "notify_file": (
        "eine Datei sendet nichts; streichen Sie 'notify' oder schreiben Sie die Adresse der Kamera",
        "a file sends nothing; remove 'notify', or write the camera's address",
    ),
    "network": (
        "{value!r} ist kein Netz von Kameras; schreiben Sie zum Beispiel '10.20.0.0/24', höchstens so groß wie /16 (IPv6: /48)",
        "{value!r} is no network of cameras; write for example '10.20.0.0/24', no larger than /16 (IPv6: /48)",
    ),
    "fingerprint": (
        "{value!r} ist kein Fingerabdruck; schreiben Sie SHA-256 des Zertifikats als 64 Ziffern und Buchstaben a bis f",
        "{value!r} is no fingerprint; write SHA-256 of the certificate as 64 digits and letters a to f",
    ),
    "host": (
        "{value!r} ist weder eine IP-Adresse noch ein Rechnername in Kleinbuchstaben; schreiben Sie zum Beispiel '192.168.40.2'",
        "{value!r} is neither an IP address nor a host name in lower case; write for example '192.168.40.2'",
    ),
    "tls": (
        "unverschlüsselt nur auf diesem Rechner selbst (Art. 32 DSGVO); streichen Sie 'tls = false' oder schreiben Sie host = '127.0.0.1'",
        "unencrypted only on this machine itself (Art. 32 GDPR); remove 'tls = false', or write host = '127.0.0.1'",
    ),
    "names": (
        'mit {value!r} ist offen, wie Arbeitsplätze diesen Rechner nennen; ergänzen Sie names = ["Name oder Adresse"]',
        'with {value!r} it is open what workstations call this machine; add names = ["name or address"]',
    ),
    "plain": (
        "unverschlüsselt oder ungeprüft nur auf diesem Rechner selbst (Art. 32 DSGVO); verschlüsseln Sie die Verbindung oder schreiben "
        "Sie in 'plain_because', warum es nicht geht",
        "unencrypted or unverified only on this machine itself (Art. 32 GDPR); encrypt the connection, or write in 'plain_because' why "
        "that cannot be",
    ),
    "secret_in_address": (
        "in {value} steht ein Kennwort; streichen Sie es, schreiben Sie es in eine Datei, die nur ihr Besitzer liest, und nennen Sie "
        "diese mit 'password_file' (und 'user'), bei apprise die ganze Adresse mit 'address_file'",
        "there is a password in {value}; remove it, write it into a file that only its owner reads, and name that with "
        "'password_file' (and 'user'), for apprise the whole address with 'address_file'",
    ),
    "one_trust": (
        "schreiben Sie entweder 'authority' oder 'certificate', nicht beides",
        "write either 'authority' or 'certificate', not both",
    ),
    "address_or_file": (
        "schreiben Sie entweder 'address' oder 'address_file', genau eines von beiden",
        "write either 'address' or 'address_file', exactly one of them",
    ),
    "user_or_file": (
        "schreiben Sie 'user' oder 'user_file', nicht beides",
        "write 'user' or 'user_file', not both",
    ),
    "own_certificate": (
        "schreiben Sie 'client_certificate' und 'client_key' zusammen, und nur wo mit TLS gesprochen wird",
        "write 'client_certificate' and 'client_key' together, and only where TLS is spoken",
    ),
    "discovery_states": (
        "was Home Assistant finden soll, muss beim Broker liegen; schreiben Sie 'states = true' oder lassen Sie 'discovery' weg",
        "what Home Assistant is to find must lie at the broker; write 'states = true' or leave 'discovery' out",
    ),
    "same_start": (
        "Tag und Nacht beginnen beide um {value}; schreiben Sie zwei verschiedene Uhrzeiten",
        "day and night both start at {value}; write two different times",
    ),
    "sun": (
        "der Sonnenstand braucht den Ort; ergänzen Sie 'site.latitude' und 'site.longitude' oder schreiben Sie 'by_sun = false'",
        "the sun's position needs the place; add 'site.latitude' and 'site.longitude', or write 'by_sun = false'",
    ),
    "retention_order": (
        "{hours} Stunden sind länger als die Höchstfrist von {days} Tagen; schreiben Sie eine kürzere Regelfrist",
        "{hours} hours are longer than the hard limit of {days} days; write a shorter regular limit",
    ),
    "separated": (
        "die Rollen {first!r} und {second!r} darf nicht dieselbe Person haben; streichen Sie eine davon",
        "the roles {first!r} and {second!r} must not be held by the same person; remove one of them",
    ),
    "calibration": (
        "schreiben Sie entweder 'px_per_metre' oder 'scale', genau eines von beiden",
        "write either 'px_per_metre' or 'scale', exactly one of them",
    ),
    "scale_points": (
        "die zwei Punkte liegen zu nah beieinander; wählen Sie Punkte, die weiter auseinanderliegen",
        "the two points lie too close together; choose points that are further apart",
    ),
    "twice": (
        "{value!r} kommt zweimal vor ({what}); geben Sie jedem einen eigenen Namen",
        "{value!r} occurs twice ({what}); give each a name of its own",
    ),
    "same_address": (
        "diese Adresse hat schon die Kamera {other!r}; schreiben Sie die Adresse der anderen Kamera oder streichen Sie eine von beiden",
        "the camera {other!r} has this address already; write the address of the other camera, or remove one of the two",
    ),
    "incidents_twice": (
        "der Zeitraum überschneidet sich mit einem anderen derselben Kamera {value!r} und Quelle; dieselben Vorfälle zählten doppelt",
        "the period overlaps with another one of the same camera {value!r} and source; the same incidents would count twice",
    ),
    "broker": (
        "{value!r} ist keine Adresse eines Brokers; schreiben Sie 'tls://Rechner:4222'",
        "{value!r} is no address of a broker; write 'tls://host:4222'",
    ),
    "site_address": (
        "das ist keine Adresse eines Standorts; schreiben Sie 'https://Rechner:8710', ohne Konto und Pfad",
        "that is no address of a site; write 'https://host:8710', without account or path",
    ),
    "no_camera": (
        "eine Kamera {value!r} gibt es in dieser Datei nicht; schreiben Sie die 'id' einer Kamera",
        "there is no camera {value!r} in this file; write the 'id' of a camera",
    ),
    "no_zone": (
        "einen Bereich {value!r} gibt es an keiner Kamera; schreiben Sie die 'id' eines Bereichs oder streichen Sie 'zone'",
        "no camera has a zone {value!r}; write the 'id' of a zone, or remove 'zone'",
    ),
    "unknown": ("diesen Schlüssel gibt es nicht; {proposal}", "there is no such key; {proposal}"),
    "meant": ("gemeint ist vielleicht {near!r}", "perhaps {near!r} is meant"),
    "allowed": ("möglich sind: {keys}", "possible are: {keys}"),
    "missing": ("dieser Schlüssel fehlt; ergänzen Sie ihn ({about})", "this key is missing; add it ({about})"),
    "type": ("{value} passt nicht; schreiben Sie {wanted}", "{value} does not fit; write {wanted}"),
    "range": ("{value} liegt außerhalb; schreiben Sie {wanted}", "{value} is out of range; write {wanted}"),
    "choice": ("{value} ist nicht möglich; schreiben Sie {wanted}", "{value} is not possible; write {wanted}"),
    "syntax": ("das ist kein gültiges TOML: {reason}", "this is not valid TOML: {reason}"),
    "no_file": (
        "die Datei gibt es nicht oder sie ist nicht lesbar ({reason})",
        "the file does not exist or cannot be read ({reason})",
    ),
    "text": ("einen Text in Anführungszeichen", "a text in quotation marks"),
    "number": ("eine Zahl", "a number"),
    "whole": ("eine ganze Zahl", "a whole number"),
    "truth": ("true oder false", "true or false"),
    "day": ("einen Tag, zum Beispiel 2026-05-01", "a day, for example 2026-05-01"),
    "moment": ("einen Zeitpunkt, zum Beispiel 2026-05-01T14:00+02:00", "a moment, for example 2026-05-01T14:00+02:00"),
    "list": ("eine Liste in eckigen Klammern", "a list in square brackets"),
    "table": ("einen Abschnitt", "a table"),
    "least": ("mindestens {bound}", "at least {bound}"),
    "most": ("höchstens {bound}", "at most {bound}"),
    "above": ("mehr als {bound}", "more than {bound}"),
    "multiple": ("ein Vielfaches von {bound}", "a multiple of {bound}"),
    "more_entries": ("mindestens {bound} Einträge", "at least {bound} entries"),
    "fewer_entries": ("höchstens {bound} Einträge", "at most {bound} entries"),
    "longer": ("mindestens {bound} Zeichen", "at least {bound} characters"),
    "shorter": ("höchstens {bound} Zeichen", "at most {bound} characters"),
    "no_offset": (
        "{value!r} sagt nicht, in welcher Zeitzone; schreiben Sie zum Beispiel 2027-03-01T08:15:00+01:00",
        "{value!r} does not say in which time zone; write for example 2027-03-01T08:15:00+01:00",
    ),
    "document_hash": (
        "ein Dokument zählt nur mit seinem Hash; schreiben Sie 'document' und 'sha256' zusammen",
        "a document counts only with its hash; write 'document' and 'sha256' together",
    ),
    "period_order": (
        "der Zeitraum endet ({last}), bevor er beginnt ({first}); tauschen Sie die Tage",
        "the period ends ({last}) before it begins ({first}); swap the days",
    ),
    "timezone": (
        "{value!r} ist keine Zeitzone; schreiben Sie zum Beispiel 'Europe/Berlin'",
        "{value!r} is no time zone; write for example 'Europe/Berlin'",
    ),
}


def say(name: str, language: str, **values: Any) -> str:
    """The text `name` in "de" or "en"."""
    german, english = TEXTS[name]
    return (german if language == "de" else english).format(**values)


class SiteError(PydanticCustomError):
    """A refusal of our own: a name from `TEXTS` and its values."""

    def __new__(cls, name: str, **values: Any) -> SiteError:
        return super().__new__(cls, f"site.{name}", "{name}", {"name": name, **values})

    def __init__(self, name: str, **values: Any) -> None:
        del name, values
