"""What cameras find themselves: said in every document that speaks of software, exactly where the settings have it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from blickschutz.compliance.documents.pack import pack
from blickschutz.compliance.documents.sources import ways
from blickschutz.compliance.documents.tongues import ASKED, phrases
from blickschutz.config.channels import MqttChannel
from blickschutz.config.model import Notify, Onvif
from blickschutz.situations.kinds import Kind, name
from tests.unit.test_documents import as_text
from tests.unit.test_policy import SITE, whole

ADDRESS = "http://192.0.2.11/onvif/device_service"
LINES = Notify(host="192.0.2.2", port=8701, secret_file="nord.line")
OFFICE = ("dsfa", "vvt", "ki-einstufung")
SETTINGS = {
    "nothing": ({}, False, []),
    "onvif": ({"onvif": Onvif(address=ADDRESS)}, False, ["ONVIF"]),
    "onvif for streams alone": ({"onvif": Onvif(address=ADDRESS, events=False)}, False, []),
    "motion for a broker that is not heard": ({"onvif": Onvif(motion=Kind.LOITERING)}, False, []),
    "lines": ({"notify": LINES}, False, ["eigene Zeilen (unverschlüsselt)"]),
    "a broker that is heard": ({}, True, ["MQTT"]),
    "all of it": ({"notify": LINES, "onvif": Onvif(address=ADDRESS, motion=Kind.LOITERING)}, True, ["ONVIF", "eigene Zeilen", "MQTT"]),
}


def site_with(update, listen):
    cameras = (SITE.cameras[0].model_copy(update=update), *SITE.cameras[1:])
    mqtt = MqttChannel(host="127.0.0.1", listen=listen)
    return replace(whole(), site=SITE.model_copy(update={"cameras": cameras, "alerts": SITE.alerts.model_copy(update={"mqtt": mqtt})}))


@pytest.mark.parametrize("case", SETTINGS)
def test_documents_say_what_is_taken_of_cameras_and_nothing_where_nothing_is(case):
    update, listen, expected = SETTINGS[case]
    g = site_with(update, listen)
    found = ways(g, g.site.cameras[0])
    assert [way.split(" (")[0] for way in found] == [way.split(" (")[0] for way in expected]
    documents = {one.key: as_text(one) for one in pack(g)}
    for key in OFFICE:
        assert ("Kameras werten auch selbst aus" in documents[key]) is bool(expected), key
        assert ("Was Kameras selbst auswerten können, nimmt die Anlage nicht an" in documents[key]) is not bool(expected), key
        for way in found:
            assert f"{way}: " in documents[key]
        if expected and not listen:
            assert f": {SITE.cameras[0].name}" in documents[key]
        elif expected:
            assert "MQTT: alle Kameras" in documents[key]
    assert ("Erkennen Kameras, die selbst auswerten" in documents["ki-einstufung"]) is bool(expected)
    for language in ASKED:
        said = phrases(language).software_own.splitlines()[0]
        for key in (f"informationsblatt-{language}", f"fragen-{language}"):
            assert (said in documents[key]) is bool(expected), key


def test_what_plain_motion_counts_as_is_said():
    text = next(as_text(one) for one in pack(site_with(*SETTINGS["all of it"][:2])) if one.key == "vvt")
    assert f"zählt bei {SITE.cameras[0].name} als „{name(Kind.LOITERING, 'de')}“, sonst nicht." in text
    other = next(as_text(one) for one in pack(site_with(*SETTINGS["lines"][:2])) if one.key == "vvt")
    assert "Dass sich nur etwas bewegt hat, zählt nicht." in other
