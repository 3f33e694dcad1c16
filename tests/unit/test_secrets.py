"""Secrets outside of the site file: files that only their owner reads, credentials of systemd; a password in an address is refused."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from blickschutz.bootstrap.alerting import make_channels
from blickschutz.bootstrap.cells import cell_settings
from blickschutz.bootstrap.secrets import CREDENTIALS, read_secret, require_secrets
from blickschutz.compliance.documents.measures import _ways_out
from blickschutz.config.loader import load_site, parse_site
from blickschutz.ingest.rules.address import read_address, without_secrets
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.errors import SettingsError
from tests.conftest import ROOT

TEXT = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
SITE = load_site(ROOT / "examples/rathaus-kaiserslautern.toml")
SECRET = "Kiesel & Moos: 81/@"
INSTALLATION = "0123456789abcdef"
CHANNELS = {
    "mqtt": '[alerts.mqtt]\nhost = "192.0.2.5"\n',
    "mail": '[alerts.mail]\nhost = "192.0.2.5"\nsender = "a@b.example"\nto = ["c@d.example"]\n',
    "hook": '[[alerts.webhooks]]\nid = "hook"\naddress = "https://192.0.2.5/x"\n',
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "geheim").write_text(f"{SECRET}\n", encoding="utf-8")
    (tmp_path / "geheim").chmod(0o600)
    return tmp_path


def parsed(more):
    """The example with sections of its own; the first key of a table in it is the one that is meant."""
    at = TEXT.index("[[cameras]]")
    return parse_site(TEXT[:at] + more + TEXT[at:], "site.toml", "en")


class TestFiles:
    def test_a_secret_comes_from_its_file(self, folder):
        assert read_secret("x", "geheim", folder) == SECRET
        assert read_secret("x", str(folder / "geheim"), folder / "elsewhere") == SECRET
        assert read_secret("x", "", folder) == ""

    def test_credentials_of_systemd_come_first(self, folder, tmp_path):
        passed = tmp_path / "credentials"
        passed.mkdir()
        (passed / "geheim").write_text("aus systemd")
        (passed / "geheim").chmod(0o444)
        given = {CREDENTIALS: str(passed)}
        assert read_secret("x", "geheim", folder, given) == "aus systemd"
        (passed / "geheim").unlink()
        assert read_secret("x", "geheim", folder, given) == SECRET

    @pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
    def test_one_that_others_may_read_or_write_is_refused_with_the_mend(self, folder, mode):
        (folder / "geheim").chmod(mode)
        with pytest.raises(SettingsError, match=r"alerts\.mail\.password_file: .*chmod 600") as caught:
            read_secret("alerts.mail.password_file", "geheim", folder)
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize("content", [b"", b"\n", b"a\nb\n", b"x" * 5000, b"\xff\xfe"])
    def test_one_that_holds_no_secret_is_refused(self, folder, content):
        (folder / "geheim").write_bytes(content)
        with pytest.raises(SettingsError, match=r"x: "):
            read_secret("x", "geheim", folder)

    def test_all_of_them_are_read_before_anything_starts(self, folder):
        camera = SITE.cameras[3].model_copy(update={"password_file": "fehlt"})
        site = SITE.model_copy(update={"cameras": (*SITE.cameras[:3], camera)})
        with pytest.raises(SettingsError, match=rf"cameras\.{camera.id}\.password_file: .*LoadCredential"):
            require_secrets(site, folder)
        require_secrets(SITE, folder)


class TestCameras:
    def test_a_camera_gets_user_and_password_and_nobody_else_sees_them(self, folder):
        camera = SITE.cameras[0].model_copy(update={"user": "wache", "password_file": "geheim"})
        source = cell_settings(SITE, camera, folder).source
        assert source.address == "rtsp://wache:Kiesel%20%26%20Moos%3A%2081%2F%40@192.0.2.11/stream1"
        assert without_secrets(source.address) == "rtsp://192.0.2.11/stream1"
        assert read_address(source.address).password == SECRET

    @pytest.mark.parametrize("language", ["de", "en"])
    def test_a_password_in_the_address_is_refused_with_the_mend(self, language):
        text = TEXT.replace("rtsp://192.0.2.11/", "rtsp://wache:Kiesel81@192.0.2.11/")
        with pytest.raises(SettingsError, match=r"address.*rtsp://192\.0\.2\.11/.*'password_file'") as caught:
            parse_site(text, "site.toml", language)
        assert "Kiesel81" not in str(caught.value)

    def test_a_wrong_address_is_said_without_its_password(self):
        text = TEXT.replace("rtsp://192.0.2.11/", "rtps://wache:Kiesel81@192.0.2.11/")
        with pytest.raises(SettingsError) as caught:
            parse_site(text, "site.toml", "en")
        assert "Kiesel81" not in str(caught.value)


class TestPlain:
    @pytest.mark.parametrize(
        ("more", "key"),
        [
            (CHANNELS["mqtt"] + "tls = false\n", r"alerts\.mqtt\.tls"),
            (CHANNELS["mail"] + "starttls = false\n", r"alerts\.mail\.starttls"),
            (CHANNELS["hook"].replace("https:", "http:"), r"alerts\.webhooks\.0\.address"),
            (CHANNELS["hook"].replace("https:", "http:") + 'plain_because = "so"\n', r"alerts\.webhooks\.0\.address"),
        ],
    )
    def test_plain_text_beyond_this_machine_takes_a_reason(self, more, key):
        with pytest.raises(SettingsError, match=rf"{key}: .*plain_because"):
            parsed(more)
        more = more.replace('plain_because = "so"\n', "")
        site = parsed(f'{more}plain_because = "eigenes Netz der Kameras, kein TLS im Gerät"\n')
        assert [(host, why) for _, host, why in site.alerts.plain()] == [("192.0.2.5", "eigenes Netz der Kameras, kein TLS im Gerät")]

    @pytest.mark.parametrize("name", ["mqtt", "mail", "hook"])
    def test_tls_is_on_by_default_and_plain_text_stays_on_this_machine(self, name, folder):
        site = parsed(CHANNELS[name])
        assert site.alerts.plain() == []
        (channel,) = make_channels(site, folder, {}, INSTALLATION, SystemClock())
        assert (channel._broker.tls if name == "mqtt" else channel._tls) is not None
        here = parsed(CHANNELS[name].replace("192.0.2.5", "127.0.0.1").replace("https:", "http:"))
        assert here.alerts.plain() == []
        assert here.alerts.mqtt is None or (here.alerts.mqtt.known_port, here.alerts.mqtt.secure) == (1883, False)
        assert site.alerts.mqtt is None or site.alerts.mqtt.known_port == 8883

    @pytest.mark.parametrize(
        ("more", "text"),
        [
            (CHANNELS["hook"].replace("https://", "https://u:Kiesel81@"), "password_file"),
            ('[[alerts.apprise]]\nid = "o"\naddress = "mailtos://u:Kiesel81@h.example"\n', "address_file"),
            ('[[alerts.apprise]]\nid = "o"\n', "exactly one"),
            (CHANNELS["mail"] + 'authority = "a"\ncertificate = "b"\n', "not both"),
        ],
    )
    def test_what_cannot_be_is_said_without_secrets(self, more, text):
        with pytest.raises(SettingsError, match=text) as caught:
            parsed(more)
        assert "Kiesel81" not in str(caught.value)

    @pytest.mark.parametrize(("content", "said"), [(None, "No such file"), ("nonsense", "no certificate")])
    def test_an_authority_that_cannot_be_read_is_said(self, folder, content, said):
        if content is not None:
            (folder / "ca.pem").write_text(content)
        with pytest.raises(SettingsError, match=rf"alerts\.mail\.authority: .*{said}"):
            make_channels(parsed(CHANNELS["mail"] + 'authority = "ca.pem"\n'), folder, {}, INSTALLATION, SystemClock())

    def test_apprise_in_plain_text_tells_nothing_beyond_this_machine(self, folder):
        (folder / "geheim").write_text("json://192.0.2.5/x")
        site = parsed('[[alerts.apprise]]\nid = "o"\naddress_file = "geheim"\n')
        (channel,) = make_channels(site, folder, {}, INSTALLATION, SystemClock())
        assert (channel._known, channel._allowed) == (True, False)
        (folder / "geheim").write_text("jsons://192.0.2.5/x")
        assert make_channels(site, folder, {}, INSTALLATION, SystemClock())[0]._allowed
        (folder / "geheim").write_text("jsons://192.0.2.5/x?verify=no")
        assert not make_channels(site, folder, {}, INSTALLATION, SystemClock())[0]._allowed


def test_secrets_stand_on_no_page_and_in_no_representation(folder, caplog):
    """What shows settings shows names of files; what logs or prints an object shows no password."""
    more = CHANNELS["mqtt"] + 'user = "wache"\npassword_file = "geheim"\n'
    site = parsed(more)
    (channel,) = make_channels(site, folder, {}, INSTALLATION, SystemClock())
    assert SECRET not in repr(channel._broker)
    assert SECRET not in site.model_dump_json()
    assert SECRET not in caplog.text


def test_the_documents_print_what_is_not_encrypted_and_why():
    why = "eigenes Netz der Kameras, kein TLS im Gerät"
    grounds = SimpleNamespace(site=parsed(CHANNELS["mqtt"] + f'tls = false\nplain_because = "{why}"\n'))
    assert _ways_out(grounds).endswith(f"außer unverschlüsselt: MQTT zu 192.0.2.5 ({why}).")
    assert "außer" not in _ways_out(SimpleNamespace(site=SITE))
