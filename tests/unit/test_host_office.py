"""Who is let in as a host, by whom, with what; what of a cell's settings travels to one. docs/design/cell-contract.md."""

from __future__ import annotations

import hashlib
import re
import ssl
from dataclasses import replace

import msgspec
import pytest
from click.testing import CliRunner

from blickschutz.bootstrap.cellhost import load_join, own_camera
from blickschutz.bootstrap.doctor import own_cameras
from blickschutz.cli.main import cli
from blickschutz.cli.users import open_records
from blickschutz.config.hosts import JoinedCamera
from blickschutz.config.loader import load_site, parse_site, settings_hash
from blickschutz.hosts.model import Enrolled
from blickschutz.hosts.rules.enrolled import valid
from blickschutz.hosts.rules.lease import Capacity
from blickschutz.hosts.rules.placement import Need, place
from blickschutz.hosts.rules.settings import OwnCamera, housed, travelling
from blickschutz.ingest.model import NoticeSettings, NotifySettings, SourceKind, SourceSettings
from blickschutz.kernel.errors import DeviceError, SettingsError
from blickschutz.pipeline.credentials import Credentials
from blickschutz.pipeline.messages import CellSettings, Configure
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
HOSTS = """
[hosts]
broker = "tls://127.0.0.1:4222"
[[hosts.cameras]]
id = "vorplatz-nord"
network = "hall"
"""
WORD = "ein langes Kennwort"


@pytest.fixture(scope="module")
def active(tmp_path_factory):
    base = tmp_path_factory.mktemp("office")
    (base / "site.toml").write_text(EXAMPLE.read_text(encoding="utf-8") + HOSTS, encoding="utf-8")
    for person in ("technik", "aufsicht", "kvd-1"):
        run(base, "users", "password", "--site", base / "site.toml", person, "--stdin", text=f"{WORD}\n")
    own_passwords(base, "technik", "aufsicht", "kvd-1")
    return base


@pytest.fixture(scope="module")
def joined(active):
    """The folder that a host was let in with."""
    assert enrol(active, "west", "west").exit_code == 0
    return active / "west"


def own_passwords(base, *people):
    """As if each of them had signed in and set a password of their own, which is the same word here."""
    records = open_records(base / "site.toml", base / "data")
    for person in people:
        records.office.access.accounts.set_must_change(person, False)
    records.keeping.close()


def run(base, *words, text=None):
    result = CliRunner().invoke(cli, [*map(str, words), "--data", str(base / "data")], input=text)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def enrol(base, name, out, first="technik", second="aufsicht", words=(WORD, WORD)):
    typed = "".join(f"{word}\n" for word in words)
    more = ("--out", base / out, "--by", first, "--with", second, "--stdin")
    return run(base, "hosts", "enrol", name, "--site", base / "site.toml", *more, text=typed)


class TestEnrolment:
    def test_two_people_let_a_host_in_and_its_folder_has_all_that_it_needs(self, active):
        result = enrol(active, "north", "north")
        assert result.exit_code == 0, result.output
        join = load_join(active / "north/join.toml")
        assert (join.host, join.broker_name) == ("north", f"broker.{join.installation}.blickschutz.internal")
        assert [camera.id for camera in join.cameras] == ["vorplatz-nord"], "those that lie with hosts, no other"
        assert join.networks == ("hall",)
        assert all(path.stat().st_mode & 0o077 == 0 for path in (active / "north").iterdir())
        config = (active / "data/hosts/broker/nats.conf").read_text()
        (enrolment,) = re.findall(r'user: "(\w+)\.north\.', config)
        assert f"{enrolment}  since" in run(active, "hosts", "list", "--site", active / "site.toml").output
        log = run(active, "hosts", "revoke", "north", "--site", active / "site.toml", "--by", "technik", "--stdin", text=f"{WORD}\n")
        assert log.exit_code == 0, log.output
        assert "north" not in (active / "data/hosts/broker/nats.conf").read_text(), "the broker knows it no more"
        assert enrol(active, "north", "north-again").exit_code == 0
        (again,) = re.findall(r'user: "(\w+)\.north\.', (active / "data/hosts/broker/nats.conf").read_text())
        assert again != enrolment, "the first certificate opens nothing any more"

    @pytest.mark.parametrize(
        ("first", "second", "words", "why"),
        [
            ("technik", "technik", (WORD, WORD), "two people"),
            ("technik", "kvd-1", (WORD, WORD), "may not confirm"),
            ("aufsicht", "technik", (WORD, WORD), "may not propose"),
            ("technik", "dsb", (WORD, WORD), "not the password of dsb"),
            ("technik", "aufsicht", (WORD, "geraten"), "not the password of aufsicht"),
            ("technik", "nobody", (WORD, WORD), "no account"),
        ],
    )
    def test_one_alone_or_the_wrong_ones_let_nobody_in(self, active, first, second, words, why):
        result = enrol(active, "evil", "evil", first, second, words)
        assert result.exit_code == 1
        assert why in result.output
        assert not (active / "evil").exists()
        assert "evil" not in run(active, "hosts", "list", "--site", active / "site.toml").output

    @pytest.mark.parametrize("name", ["control-room", "broker", "a.b", "*", ""])
    def test_a_name_that_stands_for_something_else_is_refused(self, active, name):
        assert enrol(active, name, "named").exit_code == 1
        assert not (active / "named").exists()

    def test_the_authority_of_hosts_is_good_for_hosts_alone(self, active, joined):
        from cryptography import x509

        authority = x509.load_pem_x509_certificate((active / "data/hosts/authority.crt").read_bytes())
        names = authority.extensions.get_extension_for_class(x509.NameConstraints)
        (allowed,) = names.value.permitted_subtrees
        assert names.critical
        assert allowed.value.endswith(".blickschutz.internal")
        host = x509.load_pem_x509_certificate((joined / "host.crt").read_bytes())
        assert list(host.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(joined / "host.crt", joined / "host.key")

    def test_without_the_section_there_are_no_hosts(self, tmp_path):
        (tmp_path / "site.toml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
        result = run(tmp_path, "hosts", "list", "--site", tmp_path / "site.toml")
        assert result.exit_code == 1
        assert "[hosts]" in result.output

    def test_of_one_host_the_last_enrolment_that_is_not_over_counts(self):
        one = Enrolled(host="a", enrolment="1", at=0.0, until=100.0, by=("x", "y"))
        two = msgspec.structs.replace(one, enrolment="2")
        assert valid([one, two], 50.0) == {"a": "2"}
        assert valid([one, msgspec.structs.replace(two, revoked=40.0)], 50.0) == {"a": "1"}
        assert valid([one, two], 100.0) == {}


class TestFiles:
    def test_what_was_approved_before_the_section_could_be_written_stays_approved(self):
        site = load_site(EXAMPLE)
        assert site.hosts is None
        before = site.model_dump_json(exclude={"site": {"id", "data"}, "review": {"root"}, "hosts": True})
        assert '"hosts"' not in before
        assert settings_hash(site) == hashlib.sha256(before.encode()).hexdigest()
        assert settings_hash(parse_site(EXAMPLE.read_text(encoding="utf-8") + HOSTS, "x", "en")) != settings_hash(site)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            (HOSTS.replace("vorplatz-nord", "unknown"), "no camera 'unknown'"),
            (HOSTS + '[[hosts.cameras]]\nid = "vorplatz-nord"\n', "twice"),
            (HOSTS.replace("tls://127.0.0.1:4222", "nats://127.0.0.1:4222"), "no address of a broker"),
            (HOSTS.replace("tls://127.0.0.1:4222", "tls://user:secret@host"), "no address of a broker"),
        ],
    )
    def test_a_wrong_section_is_named(self, text, why):
        with pytest.raises(SettingsError, match=why) as error:
            parse_site(EXAMPLE.read_text(encoding="utf-8") + text, "x", "en")
        assert "secret" not in str(error.value)

    def test_a_wrong_join_file_is_named(self, joined, tmp_path):
        good = (joined / "join.toml").read_text(encoding="utf-8")
        for old, new, why in (
            ("cores = 4", "cores = 0", "cores"),
            ("format = 1", "format = 2", "format"),
            ("host = ", "guest = ", "guest"),
            ('address = "rtsp://', 'address = "rtsp://wache:geheim@', "password"),
        ):
            (tmp_path / "join.toml").write_text(good.replace(old, new), encoding="utf-8")
            with pytest.raises(SettingsError, match=why) as error:
                load_join(tmp_path / "join.toml")
            assert "geheim" not in str(error.value)
        with pytest.raises(SettingsError, match="cannot be read"):
            load_join(tmp_path / "gone.toml")

    def test_a_secret_that_others_read_is_refused(self, joined):
        join = load_join(joined / "join.toml")
        camera = join.cameras[0].model_copy(update={"address": "rtsp://10.0.0.9/live", "user": "wache", "password_file": "word"})
        (joined / "word").write_text("geheim")
        (joined / "word").chmod(0o644)
        with pytest.raises(SettingsError, match="word"):
            own_camera(camera, joined)
        (joined / "word").chmod(0o600)
        assert own_camera(camera, joined).credentials.source == "rtsp://wache:geheim@10.0.0.9/live"

    def test_the_doctor_asks_no_camera_that_a_host_has(self):
        site = parse_site(EXAMPLE.read_text(encoding="utf-8") + HOSTS, "x", "en")
        assert "vorplatz-nord" not in [camera.id for camera in own_cameras(site)]
        assert len(own_cameras(site)) == len(site.cameras) - 1


class TestSettings:
    WHOLE = CellSettings(
        camera="gate",
        source=SourceSettings(SourceKind.RTSP, "rtsp://wache:geheim@10.0.0.1/live?key=1", authority="/etc/site/ca.pem"),
        notices=NoticeSettings("http://wache:geheim@10.0.0.1/onvif", authority="/etc/site/ca.pem"),
        notify=NotifySettings("10.0.0.5", 9000, "10.0.0.1", "word"),
        models="/models",
        clips="/data/clips",
    )

    def test_neither_a_secret_nor_a_path_of_this_machine_travels(self):
        said = msgspec.msgpack.encode(Configure(travelling(self.WHOLE)))
        for needle in (b"geheim", b"wache", b"key=1", b"word", b"/etc/site", b"/data", b"/models"):
            assert needle not in said
        film = msgspec.structs.replace(self.WHOLE, source=SourceSettings(SourceKind.FILE, "/data/a.mp4"))
        assert b"a.mp4" not in msgspec.msgpack.encode(Configure(travelling(film)))

    def test_the_host_puts_in_what_it_has_itself(self):
        own = OwnCamera(Credentials(source="rtsp://a:b@10.0.0.1/live", notices="http://a:b@10.0.0.1/onvif", notify="own"), "/host/ca.pem")
        there = housed(travelling(self.WHOLE), own, "/host/clips")
        assert there.source.address == "rtsp://a:b@10.0.0.1/live"
        assert (there.source.authority, there.clips, there.models) == ("/host/ca.pem", "/host/clips", "")
        assert (there.notices.address, there.notify.secret) == ("http://a:b@10.0.0.1/onvif", "own")
        assert there.source.stall_s == self.WHOLE.source.stall_s

    @pytest.mark.parametrize(
        ("site", "host", "looked_at", "recorded"),
        [
            (True, True, "rtsp://a:b@10.0.0.1/small", "rtsp://a:b@10.0.0.1/large"),
            (True, False, "rtsp://a:b@10.0.0.1/large", None),
            (False, True, "rtsp://a:b@10.0.0.1/large", None),
        ],
    )
    def test_of_two_streams_the_large_one_is_recorded_and_none_that_one_side_does_not_know(self, tmp_path, site, host, looked_at, recorded):
        (tmp_path / "word").touch(mode=0o600)
        (tmp_path / "word").write_text("b")
        streams = {"address": "rtsp://10.0.0.1/large", "substream": "rtsp://10.0.0.1/small" if host else None}
        own = own_camera(JoinedCamera(id="gate", user="a", password_file="word", authority="ca.pem", **streams), tmp_path)
        large = replace(self.WHOLE.source, address="rtsp://u:geheim@192.0.2.9/large") if site else None
        sent = travelling(msgspec.structs.replace(self.WHOLE, recorded=large))
        assert b"geheim" not in msgspec.msgpack.encode(Configure(sent))
        assert sent.recorded is None or sent.recorded.authority == ""
        there = housed(sent, own, "")
        assert there.source.address == looked_at
        assert (there.recorded and there.recorded.address) == recorded
        assert {one.authority for one in (there.source, there.recorded) if one is not None} == {str(tmp_path / "ca.pem")}

    def test_what_it_does_not_have_is_not_listened_to_and_without_an_address_nothing_is_opened(self):
        plain = travelling(self.WHOLE)
        there = housed(plain, OwnCamera(Credentials(source="file:/host/a.mp4")), "")
        assert (there.source.kind, there.source.address, there.notices, there.notify) == (SourceKind.FILE, "/host/a.mp4", None, None)
        assert housed(plain, OwnCamera(Credentials(source="https://10.0.0.1/mjpg")), "").source.kind is SourceKind.PICTURES
        for source in ("", "gopher://x"):
            with pytest.raises(DeviceError, match="address"):
                housed(plain, OwnCamera(Credentials(source=source)), "")

    def test_only_a_host_that_has_its_secrets_gets_a_camera(self):
        all_ = Capacity(cores=4.0, memory_mb=4000.0)
        hosts = {"a": msgspec.structs.replace(all_, cameras=("gate",)), "b": msgspec.structs.replace(all_, cameras=("yard",))}
        assert place({"gate": Need(), "yard": Need(), "roof": Need()}, hosts, {}) == {"gate": "a", "yard": "b"}
