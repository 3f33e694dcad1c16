"""Data folders: whose they are, who holds them, who may read them, and when none is begun."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from blickschutz.cli.main import cli
from blickschutz.cli.place import place_of
from blickschutz.config.loader import load_site, settings_hash
from blickschutz.installation.io.folder import exists, open_folder, require_outside_environment
from blickschutz.installation.io.lock import holder_of, is_held
from blickschutz.installation.io.mark import look, read_mark, write_mark
from blickschutz.installation.io.modes import secure
from blickschutz.installation.model import HOLD_LOCK, MARK, FolderError, State, Use, Why
from blickschutz.installation.rules import alike, default_base, derived_id, is_whole, old_name, sealed
from blickschutz.installation.texts import TEXTS
from blickschutz.kernel.clock import SystemClock
from tests.conftest import ROOT
from tests.faults.movers import place

CLOCK = SystemClock()
EXAMPLE = ROOT / "examples/rathaus-kaiserslautern.toml"


def opened(where, use=Use.RUN, **more):
    return open_folder(where, use, "blickschutz run", CLOCK, **{"make": True, **more})


def refusal(*arguments, **more):
    with pytest.raises(FolderError) as caught:
        opened(*arguments, **more).close()
    return caught.value


class TestNames:
    def test_two_site_files_never_have_the_same_derived_id(self):
        names = [Path(f"/etc/{folder}/{name}.toml") for folder in "ab" for name in ("Stadt Köln", "Stadt Käln", "stadt-koeln")]
        assert len({derived_id(one) for one in names}) == len(names)
        assert derived_id(names[0]).startswith("stadt-koeln-")
        assert all(len(derived_id(Path(f"/{'x' * 200}.toml"))) <= 40 for _ in names)

    def test_the_platform_says_where(self, tmp_path):
        assert default_base({}, tmp_path, root=True) == Path("/var/lib/blickschutz")
        assert default_base({}, tmp_path, root=False) == tmp_path / ".local/share/blickschutz"
        assert default_base({"XDG_DATA_HOME": "/x"}, tmp_path, root=False) == Path("/x/blickschutz")
        assert default_base({"XDG_DATA_HOME": "x"}, tmp_path, root=False) == tmp_path / ".local/share/blickschutz", "relative: ignored"
        assert default_base({"BLICKSCHUTZ_DATA": "/y"}, tmp_path, root=True) == Path("/y/sites")
        assert default_base({}, None, root=False) is None

    def test_what_older_versions_called_it(self):
        assert old_name("Stadt Köln", demo=False) == old_name("Stadt Käln", demo=False) == "stadt-k-ln"
        assert old_name("Rathaus Kaiserslautern", demo=True) == "rathaus-kaiserslautern-demo"
        assert alike("rathaus-kaiserlautern", ["rathaus-kaiserslautern", "schloss", "rathaus-kaiserlautern"]) == ["rathaus-kaiserslautern"]

    def test_each_text_says_the_same_with_the_same_values(self):
        import string

        for name, (german, english) in TEXTS.items():
            fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in (german, english)]
            assert fields[0] == fields[1], name


class TestPlace:
    @pytest.fixture
    def write(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path / "data"))
        text = EXAMPLE.read_text(encoding="utf-8").replace('name = "Rathaus Kaiserslautern"', 'name = "{name}"\n{more}')

        def write(file, name, more=""):
            path = tmp_path / file
            path.write_text(text.replace("{name}", name).replace("{more}", more), encoding="utf-8")
            return path

        return write

    def placed(self, path, data=None):
        return place_of(load_site(path), path, data)

    def test_the_display_name_means_nothing(self, write):
        first, second = write("a.toml", "Stadt Köln"), write("b.toml", "Stadt Käln")
        assert self.placed(first).folder != self.placed(second).folder
        before = self.placed(first).folder
        write("a.toml", "Stadt Köln am Rhein")
        assert self.placed(first).folder == before, "a name that was put right leads to the same data"

    def test_the_site_file_says_where_and_what_it_is_called(self, write, tmp_path):
        path = write("a.toml", "A", 'id = "rathaus-kl"\ndata = "daten"')
        place = self.placed(path)
        assert (place.id, place.stated, place.folder, place.chosen) == ("rathaus-kl", True, tmp_path / "daten", False)
        assert self.placed(path, tmp_path / "x").folder == tmp_path / "x"
        assert self.placed(write("b.toml", "A", 'id = "rathaus-kl"')).folder == tmp_path / "data/sites/rathaus-kl"
        shown = write("c.toml", "A", 'id = "rathaus-kl"\ndemo = true')
        assert self.placed(shown).folder == tmp_path / "data/sites/rathaus-kl-demo"

    def test_id_and_place_are_no_settings_that_anything_was_approved_for(self, write):
        plain, placed = write("a.toml", "A"), write("b.toml", "A", 'id = "x"\ndata = "y"')
        assert settings_hash(load_site(plain)) == settings_hash(load_site(placed))

    def test_commands_find_the_same_data_after_the_name_was_put_right(self, write):
        def run(*words, text=None):
            return CliRunner().invoke(cli, [str(word) for word in words], input=text)

        path = write("a.toml", "Stadt Käln")
        assert run("users", "password", "--site", path, "kvd-1", "--stdin", text="ein langes Kennwort\n").exit_code == 0
        write("a.toml", "Stadt Köln")
        rows = json.loads(run("users", "list", "--site", path, "--json").stdout.splitlines()[-1])["users"]
        assert [row["id"] for row in rows if row["password"]] == ["kvd-1"]
        other = write("b.toml", "Stadt Köln")
        rows = json.loads(run("users", "list", "--site", other, "--json").stdout.splitlines()[-1])["users"]
        assert not any(row["password"] for row in rows)

    def test_data_in_the_old_place_are_named_with_the_command_and_no_empty_site_begins(self, write, tmp_path):
        path = write("a.toml", "Stadt Köln")
        old = tmp_path / "data/sites/stadt-k-ln"
        (old / "keys").mkdir(parents=True)
        (old / "keys/installation.key").write_bytes(bytes(32))
        for command in (["run", "--site"], ["users", "list", "--site"]):
            result = CliRunner().invoke(cli, [*command, str(path)])
            assert result.exit_code == 1
            assert f"blickschutz move --site {path}" in result.stderr
            assert str(old) in result.stderr
        checked = CliRunner().invoke(cli, ["check", "--site", str(path), "--json"])
        rules = {rule["id"]: rule for rule in json.loads(checked.stdout.splitlines()[-1])["rules"]}
        assert rules["data-folder"]["result"] == "broken"
        assert f"blickschutz move --site {path}" in rules["data-folder"]["mend"]
        assert not self.placed(path).folder.exists()
        refused = CliRunner().invoke(cli, ["move", "--site", str(path)], input="n\n")
        assert refused.exit_code == 1
        assert (old / "keys/installation.key").exists()
        moved = CliRunner().invoke(cli, ["move", "--site", str(path)], input="y\n")
        assert moved.exit_code == 0, moved.output
        assert (self.placed(path).folder / "keys/installation.key").read_bytes() == bytes(32)
        assert old.is_file(), "an older version cannot begin an empty site here"
        assert CliRunner().invoke(cli, ["users", "list", "--site", str(path)]).exit_code == 0

    def test_a_demonstration_begins_anew_and_tells_of_old_data(self, write, tmp_path):
        path = write("a.toml", "Stadt Köln", "demo = true")
        old = tmp_path / "data/sites/stadt-k-ln-demo"
        (old / "keys").mkdir(parents=True)
        (old / "keys/installation.key").write_bytes(bytes(32))
        with opened(self.placed(path)) as folder:
            assert [str(old) in note for note in folder.notes] == [False, True]

    def test_a_name_that_was_put_right_before_the_move_is_told_of(self, write, tmp_path):
        path = write("a.toml", "Stadt Kaiserslautern")
        old = tmp_path / "data/sites/stadt-kaiserlautern"
        (old / "keys").mkdir(parents=True)
        (old / "keys/installation.key").write_bytes(bytes(32))
        result = CliRunner().invoke(cli, ["users", "list", "--site", str(path)])
        assert f"--from {old}" in result.stderr
        assert CliRunner().invoke(cli, ["move", "--site", str(path), "--from", str(old), "--yes"]).exit_code == 0
        assert exists(self.placed(path))

    def test_another_place_or_id_in_the_site_file_never_begins_an_empty_site(self, write, tmp_path):
        path = write("a.toml", "A", 'id = "rathaus"')
        opened(self.placed(path)).close()
        here = self.placed(path).folder
        for more in ('id = "rathaus"\ndata = "anderswo"', 'id = "ratshaus"', ""):
            write("a.toml", "A", more)
            error = refusal(self.placed(path))
            assert (error.why, str(here) in str(error)) == (Why.ELSEWHERE, True)
            assert not self.placed(path).folder.exists()
        opened(self.placed(path), new=True).close()

    def test_a_site_file_that_was_renamed_is_noticed(self, write, tmp_path):
        path = write("a.toml", "A")
        opened(self.placed(path)).close()
        here = self.placed(path)
        renamed = path.rename(tmp_path / "b.toml")
        error = refusal(self.placed(renamed))
        assert error.why is Why.ELSEWHERE
        assert f'id = "{here.id}"' in str(error)
        write("b.toml", "A", f'id = "{here.id}"')
        with opened(self.placed(renamed)) as folder:
            assert folder.path == here.folder

    def test_going_live_after_a_demonstration_begins_empty_and_says_so(self, write):
        path = write("a.toml", "A", "demo = true")
        opened(self.placed(path)).close()
        write("a.toml", "A")
        with opened(self.placed(path)) as folder:
            assert str(folder.path) in folder.notes[0]

    def test_no_data_in_an_environment_that_is_made_anew(self, write, tmp_path):
        path = write("a.toml", "A", f'data = "{sys.prefix}/daten"')
        with pytest.raises(FolderError) as caught:
            require_outside_environment(self.placed(path))
        assert caught.value.why is Why.IN_ENVIRONMENT
        assert refusal(self.placed(path)).why is Why.IN_ENVIRONMENT


class TestMark:
    def test_a_folder_of_another_installation_is_refused(self, tmp_path):
        opened(place(tmp_path / "d")).close()
        error = refusal(place(tmp_path / "d", id="schloss"))
        assert error.why is Why.OTHER_ID
        assert 'id = "rathaus"' in str(error)

    def test_two_site_files_with_no_id_do_not_share_a_folder_while_both_exist(self, tmp_path):
        one, two = tmp_path / "a.toml", tmp_path / "b.toml"
        one.touch()
        opened(place(tmp_path / "d", stated=False, site=one)).close()
        assert refusal(place(tmp_path / "d", id="other", stated=False, site=two)).why is Why.OTHER_SITE
        one.unlink()
        with opened(place(tmp_path / "d", id="other", stated=False, site=two)) as folder:
            assert (folder.mark.id, folder.mark.site) == ("rathaus", str(two)), "the installation keeps its name"

    def test_a_demonstration_never_becomes_a_site(self, tmp_path):
        opened(place(tmp_path / "d", demo=True)).close()
        assert refusal(place(tmp_path / "d")).why is Why.DEMONSTRATION

    def test_a_newer_version_s_folder_is_left_alone(self, tmp_path):
        opened(place(tmp_path / "d")).close()
        path = tmp_path / "d" / MARK
        path.write_text('{"format": 2, "version": "9.1", "unheard": []}', encoding="utf-8")
        before = {one.name: one.stat().st_mtime_ns for one in (tmp_path / "d").iterdir()}
        error = refusal(place(tmp_path / "d"))
        assert error.why is Why.NEWER
        assert "9.1" in str(error)
        assert "blickschutz restore" in str(error)
        assert before[MARK] == path.stat().st_mtime_ns

    @pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"format": 1}'])
    def test_damage_is_a_fault_with_a_way_back(self, tmp_path, damage):
        opened(place(tmp_path / "d")).close()
        (tmp_path / "d" / MARK).write_bytes(damage)
        assert refusal(place(tmp_path / "d")).why is Why.DAMAGED

    def test_a_mark_with_another_letter_in_it_is_damaged(self, tmp_path):
        opened(place(tmp_path / "d")).close()
        path = tmp_path / "d" / MARK
        text = path.read_text(encoding="utf-8")
        assert is_whole(read_mark(tmp_path / "d", "en"))
        path.write_text(text.replace("rathaus", "rathaus-2"), encoding="utf-8")
        assert refusal(place(tmp_path / "d")).why is Why.DAMAGED

    def test_a_folder_of_an_older_version_gets_its_mark(self, tmp_path):
        (tmp_path / "d/keys").mkdir(parents=True)
        (tmp_path / "d/keys/installation.key").write_bytes(bytes(32))
        with opened(place(tmp_path / "d")) as folder:
            assert folder.mark.id == "rathaus"
            assert "rathaus" in folder.notes[0]

    def test_what_is_no_data_folder_is_left_alone(self, tmp_path):
        (tmp_path / "d/keys").mkdir(parents=True)
        (tmp_path / "d/keys/id_rsa").touch(0o644)
        assert refusal(place(tmp_path / "d")).why is Why.FOREIGN
        assert (tmp_path / "d/keys/id_rsa").stat().st_mode & 0o777 == 0o644
        (tmp_path / "f").touch()
        assert refusal(place(tmp_path / "f")).why is Why.FOREIGN

    def test_commands_that_only_look_make_nothing(self, tmp_path):
        error = refusal(place(tmp_path / "d"), Use.BESIDE, make=False)
        assert error.why is Why.ABSENT
        assert not (tmp_path / "d").exists()

    def test_a_digest_covers_every_field(self, tmp_path):
        opened(place(tmp_path / "d")).close()
        mark = read_mark(tmp_path / "d", "en")
        for name in mark.__struct_fields__:
            if name not in {"digest", "format"}:
                other = msgspec.structs.replace(mark, **{name: not mark.demo if name == "demo" else "x"})
                assert not is_whole(other), name
                assert is_whole(sealed(other)), name
        write_mark(tmp_path / "d", mark)


class TestLock:
    @contextmanager
    def hold(self, *command):
        with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE, text=True) as child:
            try:
                assert child.stdout.readline() == "HELD\n"
                yield child
            finally:
                child.kill()

    def test_the_second_is_told_who_holds_it_and_a_kill_lets_it_go(self, tmp_path):
        with self.hold("-m", "tests.faults.movers", "hold", str(tmp_path / "d")) as child:
            error = refusal(place(tmp_path / "d"))
            assert error.why is Why.HELD
            for words in ("blickschutz run", str(child.pid), socket.gethostname(), "--data"):
                assert words in str(error)
            assert refusal(place(tmp_path / "d"), Use.ALONE).why is Why.HELD
            opened(place(tmp_path / "d"), Use.BESIDE).close()
            assert is_held(tmp_path / "d")
        assert not is_held(tmp_path / "d")
        with opened(place(tmp_path / "d")):
            assert holder_of(tmp_path / "d").pid == os.getpid()
        assert holder_of(tmp_path / "d") is None

    def test_the_commands_say_it_too(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path / "data"))
        text = EXAMPLE.read_text(encoding="utf-8").replace("[site]\n", '[site]\ndemo = true\nid = "rathaus"\ndata = "d"\n')
        site = tmp_path / "site.toml"
        site.write_text(text.replace("8710", "0").replace("port = 0", "port = 18799"), encoding="utf-8")
        CliRunner().invoke(cli, ["users", "list", "--site", str(site)])
        with self.hold("-c", HOLD, str(tmp_path / "d")) as child:
            result = CliRunner().invoke(cli, ["run", "--site", str(site), "--seconds", "1"])
            assert result.exit_code == 1
            assert str(child.pid) in result.stderr
            assert CliRunner().invoke(cli, ["users", "list", "--site", str(site)]).exit_code == 0
            assert "Traceback" not in result.output

    def test_many_may_work_beside_and_none_beside_one_that_wants_it_alone(self, tmp_path):
        where = place(tmp_path / "d")
        opened(where).close()
        with opened(where, Use.BESIDE), opened(where, Use.BESIDE), opened(where):
            assert refusal(where, Use.ALONE).why is Why.HELD
        with opened(where, Use.BESIDE):
            assert refusal(where, Use.ALONE).why is Why.BUSY
        with opened(where, Use.ALONE):
            assert refusal(where, Use.BESIDE).why is Why.HELD

    def test_what_the_holder_starts_does_not_keep_the_lock(self, tmp_path):
        folder = opened(place(tmp_path / "d"))
        child = subprocess.Popen(["sleep", "30"], close_fds=False)
        try:
            folder.close()
            assert not is_held(tmp_path / "d")
        finally:
            child.kill()
            child.wait(10)


HOLD = """
import dataclasses, sys, time
from pathlib import Path
from tests.faults.movers import place
from blickschutz.installation.io.folder import open_folder
from blickschutz.installation.model import Use
from blickschutz.kernel.clock import SystemClock
where = place(Path(sys.argv[1]), demo=True)
with open_folder(where, Use.RUN, "blickschutz run", SystemClock(), make=True):
    print("HELD", flush=True)
    time.sleep(60)
"""


class TestModes:
    def test_whatever_the_umask_only_the_owner_reads(self, tmp_path, monkeypatch):
        monkeypatch.setenv("BLICKSCHUTZ_DATA", str(tmp_path / "data"))
        before = os.umask(0)
        try:
            result = CliRunner().invoke(
                cli, ["users", "password", "--site", str(EXAMPLE), "kvd-1", "--stdin"], input="ein langes Kennwort\n"
            )
            assert result.exit_code == 0, result.output
            assert os.umask(0) == 0, "the umask of whoever called is put back"
        finally:
            os.umask(before)
        folder = place_of(load_site(EXAMPLE), EXAMPLE).folder
        found = {one: one.stat().st_mode & 0o777 for one in [folder, folder.parent, *folder.rglob("*")]}
        assert len(found) > 5
        assert {mode for one, mode in found.items() if one.is_dir()} == {0o700}
        assert {mode for one, mode in found.items() if one.is_file()} == {0o600}

    def test_what_was_open_is_closed_at_the_start_and_said(self, tmp_path):
        opened(place(tmp_path / "d")).close()
        clips, elsewhere = tmp_path / "d/keys/deep", tmp_path / "disk"
        clips.mkdir(parents=True, mode=0o755)
        elsewhere.mkdir(mode=0o777)
        (clips / "a").touch(0o644)
        (elsewhere / "b.clip").touch(0o664)
        (tmp_path / "d/clips").symlink_to(elsewhere)
        (clips / "out").symlink_to("/etc/passwd")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "d/s"))
            (tmp_path / "d/s").chmod(0o777)
            with opened(place(tmp_path / "d")) as folder:
                assert (tmp_path / "d/s").stat().st_mode & 0o777 == 0o700
                assert any("6 " in note for note in folder.notes), folder.notes
                assert any("/out" in note for note in folder.notes), folder.notes
        modes = [(clips / "a").stat(), (elsewhere / "b.clip").stat(), clips.stat(), elsewhere.stat()]
        assert [one.st_mode & 0o777 for one in modes] == [0o600, 0o600, 0o700, 0o700]
        assert Path("/etc/passwd").stat().st_mode & 0o777 == 0o644
        assert secure(tmp_path / "d") == ([], [clips / "out"])

    def test_another_user_s_folder_is_not_filled_with_files_that_they_cannot_read(self, tmp_path):
        if os.geteuid() != 0:
            pytest.skip("only root can give a folder away")
        opened(place(tmp_path / "d")).close()
        os.chown(tmp_path / "d", 65534, 65534)
        error = refusal(place(tmp_path / "d"), Use.BESIDE)
        assert error.why is Why.OWNER
        assert "sudo -u nobody" in str(error)


def test_an_empty_mount_point_counts_as_empty(tmp_path):
    (tmp_path / "lost+found").mkdir()
    (tmp_path / HOLD_LOCK).touch()
    assert look(tmp_path) is State.EMPTY
