"""Units of systemd that are written for a site, and the socket that a witness is passed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from blickschutz.anchor.io.channel import passed_door
from blickschutz.bootstrap.units import Setting, units
from blickschutz.bootstrap.units_beside import Beside, host_units, overview_units
from blickschutz.cli.main import cli
from blickschutz.config.hosts import HostedCamera, Hosts, JoinedCamera, JoinedStore, JoinFile
from blickschutz.config.loader import load_site, parse_site
from blickschutz.config.overview import OverviewFile, WatchedSite
from blickschutz.config.storage import Storage
from blickschutz.zones.calls import _CELL
from tests.conftest import ROOT

EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"
SITE = load_site(EXAMPLE)
MOST_EXPOSED = 2.0
# Beside a cell's list: what walls, launcher and the control room call.
NEEDED = (
    *("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "prctl", "prlimit64", "clone", "execve", "wait4"),
    *(
        "pidfd_open",
        "pidfd_send_signal",
        "sendmsg",
        "recvmsg",
        "bind",
        "listen",
        "accept4",
        "adjtimex",
        "flock",
        "mlock",
        "rename",
        "unlink",
    ),
)
REFUSED = (
    "ptrace",
    "mount",
    "bpf",
    "kexec_load",
    "init_module",
    "chroot",
    "setuid",
    "clock_settime",
    "process_vm_readv",
    "keyctl",
    "reboot",
)


def setting(site=SITE, **changed):
    paths = {"path": Path("/etc/blickschutz/site.toml"), "data": Path("/var/lib/blickschutz/rathaus"), "backups": Path("/srv/backup")}
    return Setting(site=site, program="/bin/true", **{**paths, **changed})


def stored():
    """A site with its databases on a server and cameras with hosts."""
    hosted = Hosts(broker="tls://192.0.2.91:4222", cameras=(HostedCamera(id=SITE.cameras[0].id),))
    storage = Storage(database="postgresql://blickschutz@192.0.2.90/blickschutz", password_file="database")
    return SITE.model_copy(update={"storage": storage, "hosts": hosted})


def beside(name, **changed):
    return Beside(Path(f"/etc/{name}/file.toml"), Path(f"/var/lib/{name}/data"), "/bin/true", **changed)


JOIN = JoinFile(
    format=1,
    installation="town-hall",
    host="north",
    broker="tls://192.0.2.91:4222",
    broker_name="broker.town-hall.blickschutz.internal",
    authority="authority.crt",
    certificate="host.crt",
    key="host.key",
    cores=4,
    memory_mb=4000,
    cameras=(JoinedCamera(id="gate", address="rtsp://192.0.2.11/s", user="wache", password_file="gate.password"),),
)
WATCHED = OverviewFile(
    format=1,
    sites=(WatchedSite(id="rathaus", name="Rathaus", address="https://192.0.2.40:8710", authority="r.pem", token_file="r.token"),),
)


class TestUnits:
    def test_addresses_are_those_of_cameras_and_workstations(self):
        text = units(setting(networks=("10.20.0.0/24",)))["blickschutz.service"]
        (allowed,) = [line for line in text.splitlines() if line.startswith("IPAddressAllow=")]
        assert allowed.split("=")[1].split()[:2] == ["localhost", "192.0.2.11"]
        assert allowed.endswith(" 10.20.0.0/24")
        assert "IPAddressDeny=any" in text

    def test_names_instead_of_addresses_are_said(self):
        text = EXAMPLE.read_text(encoding="utf-8").replace("192.0.2.11", "cam-1.example")
        made = units(setting(parse_site(text, "site.toml", "en")))["blickschutz.service"]
        assert "# No IPAddressDeny=" in made
        assert "cam-1.example" in made
        assert "\nIPAddressDeny" not in made

    def test_without_a_network_workstations_are_not_shut_out(self):
        host = EXAMPLE.read_text(encoding="utf-8").replace('host = "127.0.0.1"', 'host = "192.0.2.5"')
        assert host.count('host = "192.0.2.5"') == 1
        site = parse_site(host, "site.toml", "en")
        assert "no --network" in units(setting(site))["blickschutz.service"]
        assert "IPAddressDeny=any" in units(setting(site, networks=("192.0.2.0/24",)))["blickschutz.service"]

    def test_secrets_come_as_credentials(self):
        text = EXAMPLE.read_text(encoding="utf-8")
        at = text.index("[[cameras]]")
        channels = '[alerts.mqtt]\nhost = "192.0.2.5"\npassword_file = "broker"\n'
        channels += 'client_certificate = "site.pem"\nclient_key = "site-key"\n'
        made = units(setting(parse_site(text[:at] + channels + text[at:], "site.toml", "en")))["blickschutz.service"]
        assert "\nLoadCredential=broker:/etc/blickschutz/secrets/broker\n" in made
        assert "\nLoadCredential=site-key:/etc/blickschutz/secrets/site-key\n" in made
        assert "LoadCredential" not in units(setting())["blickschutz.service"]

    def test_the_data_folder_is_the_one_place_that_is_written_to(self):
        assert "\nStateDirectory=blickschutz\n" in units(setting())["blickschutz.service"]
        other = units(setting(data=Path("/srv/data")))["blickschutz.service"]
        assert "\nReadWritePaths=/srv/data\n" in other
        assert "ReadWritePaths=/etc/blickschutz\n" not in other
        assert "StateDirectory" not in other

    def test_pages_write_the_site_file_where_somebody_decided_so(self):
        service = units(setting(changeable=True))["blickschutz.service"]
        assert "\nReadWritePaths=/etc/blickschutz\nReadOnlyPaths=-/etc/blickschutz/secrets\n" in service
        assert "\nExecReload=/bin/kill -HUP $MAINPID\n" in service

    def test_pages_alone_are_a_service_beside(self):
        """While gates are closed, for accounts and signatures; never both at once on one data folder."""
        full, pages = (units(setting())[f"blickschutz{name}.service"].splitlines() for name in ("", "-prepare"))
        (command,) = [one for one in pages if one.startswith("ExecStart=")]
        assert command == "ExecStart=/bin/true run --prepare --site /etc/blickschutz/site.toml --data /var/lib/blickschutz/rathaus"
        assert "Conflicts=blickschutz.service" in pages
        assert "WantedBy=multi-user.target" not in pages
        differ = {one.split("=")[0] for one in set(full) ^ set(pages) if not one.startswith("#")}
        assert differ == {"Description", "Conflicts", "ExecStart", "[Install]", "WantedBy"}

    def test_closed_gates_and_a_wrong_site_file_are_not_tried_again(self):
        assert "\nRestartPreventExitStatus=2 3 4\n" in units(setting())["blickschutz.service"]

    def test_where_a_control_room_may_take_over_there_is_a_unit_for_both_machines(self):
        assert "blickschutz-standby.service" not in units(setting())
        made = units(setting(stored()))
        full, waits = (made[f"blickschutz{name}.service"].splitlines() for name in ("", "-standby"))
        (command,) = [one for one in waits if one.startswith("ExecStart=")]
        assert command == "ExecStart=/bin/true run --standby --site /etc/blickschutz/site.toml --data /var/lib/blickschutz/rathaus"
        assert {one.split("=")[0] for one in set(full) ^ set(waits) if not one.startswith("#")} == {"Description", "Conflicts", "ExecStart"}

    def test_database_server_and_broker_are_reached(self):
        text = units(setting(stored(), networks=("10.20.0.0/24",)))["blickschutz.service"]
        (allowed,) = [line for line in text.splitlines() if line.startswith("IPAddressAllow=")]
        assert {"192.0.2.90", "192.0.2.91"} <= set(allowed.split("=")[1].split())
        assert "\nLoadCredential=database:/etc/blickschutz/secrets/database\n" in text

    def test_cells_on_a_machine_of_their_own(self):
        text = host_units(beside("blickschutz-cells"), JOIN)["blickschutz-cells.service"]
        for line in (
            "ExecStart=/bin/true cells --join /etc/blickschutz-cells/file.toml",
            "User=blickschutz-cells",
            "StateDirectory=blickschutz-cells",
            "KillMode=process",
            "RestartPreventExitStatus=2 4",
            "IPAddressAllow=localhost 192.0.2.11 192.0.2.91",
            "LoadCredential=gate.password:/etc/blickschutz/secrets/gate.password",
        ):
            assert line in text.splitlines()

    def test_a_host_reaches_all_that_its_join_file_names(self):
        gate = JOIN.cameras[0].model_copy(update={"substream": "rtsp://192.0.2.12/small", "onvif": "http://192.0.2.13/onvif"})
        store = JoinedStore(name="rz", endpoint="https://192.0.2.92", bucket="copies", access_file="rz.access", secret_file="rz.secret")
        join = JOIN.model_copy(update={"cameras": (gate,), "store": store})
        lines = host_units(beside("blickschutz-cells"), join)["blickschutz-cells.service"].splitlines()
        (allowed,) = [line for line in lines if line.startswith("IPAddressAllow=")]
        assert {f"192.0.2.{n}" for n in (11, 12, 13, 91, 92)} <= set(allowed.split("=")[1].split())
        assert {f"LoadCredential={name}:/etc/blickschutz/secrets/{name}" for name in ("gate.password", "rz.access", "rz.secret")} <= set(
            lines
        )

    def test_an_overview(self):
        made = overview_units(beside("blickschutz-overview", networks=("10.20.0.0/24",)), WATCHED)
        lines = made["blickschutz-overview.service"].splitlines()
        assert "ExecStart=/bin/true overview run /etc/blickschutz-overview/file.toml" in lines
        assert "IPAddressAllow=localhost 192.0.2.40 10.20.0.0/24" in lines
        assert "MemoryDenyWriteExecute=yes" in lines
        named = WATCHED.model_copy(update={"sites": (WATCHED.sites[0].model_copy(update={"address": "https://rathaus.example:8710"}),)})
        assert "# No IPAddressDeny=" in overview_units(beside("blickschutz-overview"), named)["blickschutz-overview.service"]
        assert 'u blickschutz-overview - "Blickschutz" /var/lib/blickschutz-overview -' in made["blickschutz-overview.sysusers"]

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
    @pytest.mark.parametrize("site", ["example", "names", "stored"])
    def test_exposure_as_systemd_reckons_it(self, site, tmp_path):
        text = EXAMPLE.read_text(encoding="utf-8")
        named = text.replace("192.0.2.11", "cam-1.example") if site == "names" else text
        every = units(setting(stored() if site == "stored" else parse_site(named, "s.toml", "en")))
        if site == "stored":
            beside_it = (host_units(beside("blickschutz-cells"), JOIN), overview_units(beside("blickschutz-overview"), WATCHED))
            every = {**every, **beside_it[0], **beside_it[1]}
        made = {name: unit for name, unit in every.items() if name.endswith(".service")}
        assert len(made) == (7 if site == "stored" else 4)
        for name, unit in made.items():
            (tmp_path / name).write_text(unit, encoding="utf-8")
            threshold = f"--threshold={MOST_EXPOSED * 10:.0f}"
            judged = subprocess.run(
                ["systemd-analyze", "security", "--offline=yes", "--no-pager", threshold, str(tmp_path / name)],
                capture_output=True,
                text=True,
                check=False,
            )
            assert judged.returncode == 0, f"{name}: {judged.stdout[-300:]}{judged.stderr}"
            assert "Unknown" not in judged.stderr, judged.stderr

    @pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
    def test_what_zones_and_the_launcher_call_is_on_the_list_of_calls(self):
        text = units(setting())["blickschutz.service"]
        allowed: set[str] = set()
        for line in text.splitlines():
            if line.startswith("SystemCallFilter="):
                words = line.split("=")[1]
                named = set().union(*(calls_of(word) for word in words.removeprefix("~").split()))
                allowed = allowed - named if words.startswith("~") else allowed | named
        assert (set(_CELL) | set(NEEDED)) - allowed == set()
        assert allowed & set(REFUSED) == set()


def calls_of(word: str) -> set[str]:
    """The calls that a group of systemd stands for, groups within it included."""
    if not word.startswith("@"):
        return {word}
    listed = subprocess.run(["systemd-analyze", "syscall-filter", word], capture_output=True, text=True, check=True).stdout
    found = [line.strip() for line in listed.splitlines()[1:]]
    return set().union(*(calls_of(one) for one in found if one and not one.startswith("#")))


class TestCommand:
    def test_it_writes_them_and_says_what_to_do(self, tmp_path):
        result = CliRunner().invoke(
            cli, ["units", str(tmp_path / "out"), "--site", str(EXAMPLE), "--data", "/srv/data", "--network", "10.20.0.0/24"]
        )
        assert result.exit_code == 0, result.output
        assert {one.name for one in (tmp_path / "out").iterdir()} == set(units(setting()))
        text = (tmp_path / "out/blickschutz.service").read_text(encoding="utf-8")
        assert f"run --site {EXAMPLE} --data /srv/data\n" in text
        assert "systemctl enable --now" in result.output

    @pytest.mark.parametrize("kind", ["join", "overview"])
    def test_for_another_machine_too(self, kind, tmp_path):
        file = tmp_path / "file.toml"
        if kind == "join":
            head = "".join(f'{key} = "{getattr(JOIN, key)}"\n' for key in ("installation", "host", "broker", "broker_name", "authority"))
            file.write_text(f'format = 1\n{head}certificate = "c"\nkey = "k"\ncores = 4\nmemory_mb = 4000\ndata = "/srv/cells"\n')
        else:
            site = "".join(f'{key} = "{getattr(WATCHED.sites[0], key)}"\n' for key in ("id", "name", "address", "authority", "token_file"))
            file.write_text(f'format = 1\ndata = "/srv/overview"\n[[sites]]\n{site}')
        result = CliRunner().invoke(cli, ["units", str(tmp_path / "out"), f"--{kind}", str(file)])
        assert result.exit_code == 0, result.output
        name = "blickschutz-cells" if kind == "join" else "blickschutz-overview"
        assert {one.name for one in (tmp_path / "out").iterdir()} == {f"{name}.service", f"{name}.sysusers"}
        assert f"systemctl enable --now {name}.service" in result.output
        assert CliRunner().invoke(cli, ["units", str(tmp_path / "out")]).exit_code == 2

    def test_what_services_do_not_see_is_refused(self, tmp_path):
        result = CliRunner().invoke(cli, ["units", str(tmp_path), "--site", str(EXAMPLE), "--data", "/home/somebody/data"])
        assert result.exit_code == 1
        assert "lies in a home" in result.output
        odd = CliRunner().invoke(cli, ["units", str(tmp_path), "--site", str(EXAMPLE), "--data", "/srv/of the site"])
        assert odd.exit_code == 1
        assert CliRunner().invoke(cli, ["units", str(tmp_path), "--site", str(EXAMPLE), "--network", "10.20.0.0/99"]).exit_code == 2
        assert list(tmp_path.iterdir()) == []


class TestWitness:
    def test_a_socket_that_is_passed_is_only_taken_where_it_is_meant_for_this_process(self):
        assert passed_door({}, 7) is None
        assert passed_door({"LISTEN_PID": "8", "LISTEN_FDS": "1"}, 7) is None
        assert passed_door({"LISTEN_PID": "7", "LISTEN_FDS": "2"}, 7) is None

    def test_it_asks_for_a_socket(self, tmp_path):
        result = CliRunner().invoke(cli, ["witness", "--folder", str(tmp_path / "w")])
        assert result.exit_code == 2
        assert "--socket" in result.output
