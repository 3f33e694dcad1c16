"""Bad files, full disks, altered models: a clear message, exit code 1, nothing unredacted left behind."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from blickschutz.analysis.io import centernet
from blickschutz.analysis.io.registry import INDEX, ModelRegistry, sha256_of
from blickschutz.analysis.io.tfjs import GraphConverter
from blickschutz.analysis.model import Head
from blickschutz.cli.main import cli
from blickschutz.kernel.errors import ModelError
from tests.conftest import ROOT
from tests.videos import read_gray, read_planes


def command(*arguments, **environment):
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], env=environment)


class TestMask:
    @pytest.mark.parametrize("style", ["mosaic", "silhouette"])
    def test_one_frame_out_for_one_in_and_the_masks_match(self, walk_clip, tmp_path, style):
        out, masks = tmp_path / "out.mp4", tmp_path / "masks.mkv"
        result = command("mask", walk_clip, out, "--masks", masks, "--style", style, "--json")
        assert result.exit_code == 0, result.output
        report = json.loads(result.stdout.splitlines()[-1])
        assert report["frames"] == 80
        assert report["faults"] == 0
        source, shown, masked = read_planes(walk_clip), read_planes(out), read_gray(masks)
        assert len(shown) == len(masked) == 80
        for before, after, mask in list(zip(source, shown, masked, strict=True))[40:]:
            open_ = mask == 0
            assert np.abs(before[:240].astype(int) - after[:240])[open_].mean() < 4
        assert {tuple(np.unique(mask)) for mask in masked} <= {(0,), (255,), (0, 255)}

    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("none.mp4", None, "there is no file"),
            ("garbage.mp4", b"no video at all" * 900, "cannot be"),
            ("empty.mp4", b"", "cannot be"),
        ],
    )
    def test_a_bad_source_is_said(self, tmp_path, name, content, says):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        result = command("mask", tmp_path / name, tmp_path / "out.mp4")
        assert result.exit_code == 1
        assert says in result.stderr
        assert "Traceback" not in result.output

    def test_a_place_that_cannot_be_written_is_said(self, walk_clip):
        result = command("mask", walk_clip, "/nowhere/at/all/out.mp4")
        assert result.exit_code == 1
        assert "cannot be written" in result.stderr

    def test_a_full_disk_is_said(self, walk_clip, tmp_path):
        """The file may not grow beyond 8 KB, as on a disk that is full."""

        def limit():
            import signal

            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

        program = [sys.executable, "-m", "blickschutz.cli.main", "mask", str(walk_clip), str(tmp_path / "out.mp4")]
        result = subprocess.run(program, capture_output=True, text=True, preexec_fn=limit, check=False, timeout=120)
        assert result.returncode == 1
        assert "cannot be written" in result.stderr or "cannot be finished" in result.stderr
        assert "Traceback" not in result.stderr

    def test_a_missing_model_stops_the_command(self, walk_clip, tmp_path):
        result = command("mask", walk_clip, tmp_path / "out.mp4", BLICKSCHUTZ_DATA=str(tmp_path))
        assert result.exit_code == 1
        assert "blickschutz models install" in result.stderr
        assert not (tmp_path / "out.mp4").exists()


class TestRegistry:
    def test_the_default_detector_is_installed_and_sound(self):
        result = command("models", "list", "--json")
        rows = {row["name"]: row for row in json.loads(result.stdout.splitlines()[-1])["models"]}
        assert rows["centernet"]["state"] == "ok"
        centernet.verify(ModelRegistry().load("centernet")[1])

    def test_one_flipped_byte_is_noticed(self, tmp_path):
        registry = ModelRegistry(tmp_path)
        card, data = ModelRegistry().load("centernet")
        registry.add(card, data)
        assert registry.load("centernet")[1] == data
        flipped = bytearray(data)
        flipped[1234] ^= 1
        (tmp_path / card.file).write_bytes(flipped)
        assert registry.verify(card) == "altered"
        with pytest.raises(ModelError, match="was altered"):
            registry.load("centernet")
        (tmp_path / card.file).unlink()
        assert registry.verify(card) == "missing"
        with pytest.raises(ModelError, match="is missing"):
            registry.load("centernet")

    def test_a_network_that_answers_otherwise_is_not_accepted(self):
        _, data = ModelRegistry().load("centernet")
        import onnx
        from onnx import numpy_helper

        model = onnx.load_from_string(data)
        bias = next(t for t in model.graph.initializer if t.name.endswith("centernet_cls_output/BiasAdd/bias"))
        bias.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(bias) + 1, bias.name))
        with pytest.raises(ModelError, match="answers"):
            centernet.verify(model.SerializeToString())

    def test_a_broken_index_is_said(self, tmp_path):
        (tmp_path / INDEX).write_text('[{"name": "x"}]', encoding="utf-8")
        with pytest.raises(ModelError, match="cannot be read"):
            ModelRegistry(tmp_path).load("x")

    def test_an_own_model_needs_its_hash_and_must_be_a_network(self, tmp_path):
        registry = ModelRegistry(tmp_path / "models")
        file = tmp_path / "own.onnx"
        with pytest.raises(ModelError, match="no file"):
            registry.register(file, "0" * 64, "own", Head.YOLOX, 416, "MIT")
        file.write_bytes(b"no network")
        with pytest.raises(ModelError, match="not the stated"):
            registry.register(file, "0" * 64, "own", Head.YOLOX, 416, "MIT")
        result = command(
            *("models", "register", file, "--sha256", sha256_of(file), "--name", "own", "--licence", "MIT"),
            BLICKSCHUTZ_DATA=str(tmp_path),
        )
        assert result.exit_code == 1
        assert "no ONNX model" in result.stderr

    def test_an_unknown_operation_is_not_guessed(self):
        nodes = [{"name": "x", "op": "Placeholder"}, {"name": "y", "op": "Erf", "input": ["x"], "attr": {}}]
        with pytest.raises(ModelError, match="Erf"):
            GraphConverter(nodes, {}).convert({"out": "y"}, {})

    def test_an_index_that_is_not_there_is_an_empty_list(self, tmp_path):
        result = command("models", "list", BLICKSCHUTZ_DATA=str(tmp_path))
        assert "models install" in result.output


def shown(text):
    """The same site as a demonstration, which needs no gates."""
    return text.replace("[site]\n", "[site]\ndemo = true\n")


class TestSiteCommands:
    def test_run_refuses_a_site_with_closed_gates_and_names_each(self, tmp_path):
        site = tmp_path / "site.toml"
        site.write_text((ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8"), encoding="utf-8")
        result = command("run", "--site", site, BLICKSCHUTZ_DATA=str(tmp_path))
        assert result.exit_code == 3, "a new start does not open them"
        for gate in ("RG-01", "RG-04", "DF-01", "DF-04", "TR-01", "AP-01"):
            assert gate in result.stderr
        assert "--prepare" in result.stderr

    def test_check_names_what_is_wrong(self, tmp_path):
        site = tmp_path / "site.toml"
        site.write_text("format = 1\n", encoding="utf-8")
        result = command("check", "--site", site, "--json", BLICKSCHUTZ_DATA=str(tmp_path))
        assert result.exit_code == 1
        rule = json.loads(result.stdout.splitlines()[-1])["rules"][0]
        assert rule["result"] == "broken"
        assert "cameras" in rule["mend"]

    def test_check_says_when_all_is_well(self, tmp_path):
        result = command("check", "--site", ROOT / "examples/rathaus-kaiserslautern.toml", BLICKSCHUTZ_DATA=str(tmp_path))
        assert "nicht bekannt" in result.output
        assert "11 Kameras" in result.output
        # Twelve gates and more are closed, and whoever asks by a script must see it.
        assert result.exit_code == 3
        assert "geschlossene Tore" in result.output
        assert "not yet known" not in result.output

    def test_check_of_a_demonstration_has_no_gates_and_speaks_its_language(self, tmp_path):
        site = tmp_path / "site.toml"
        text = shown((ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8"))
        site.write_text(text.replace('language = "de"', 'language = "en"'), encoding="utf-8")
        result = command("check", "--site", site, BLICKSCHUTZ_DATA=str(tmp_path), LANG="de_DE.UTF-8")
        assert result.exit_code == 0, result.output
        assert "11 cameras" in result.output
        assert "nicht bekannt" not in result.output
        assert "noch nie" not in result.output

    def test_run_refuses_a_port_that_is_taken(self, tmp_path):
        import socket

        text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            site = tmp_path / "site.toml"
            site.write_text(shown(text).replace("8710", str(taken.getsockname()[1])), encoding="utf-8")
            result = command("run", "--site", site, BLICKSCHUTZ_DATA=str(tmp_path))
        assert result.exit_code == 1
        assert not (tmp_path / "sites").exists(), "nothing is made for a site that cannot start"
        assert "taken" in result.stderr

    def test_run_refuses_a_time_zone_that_does_not_exist(self, tmp_path):
        text = (ROOT / "examples/rathaus-kaiserslautern.toml").read_text(encoding="utf-8")
        site = tmp_path / "site.toml"
        site.write_text(shown(text).replace("Europe/Berlin", "Europa/Lautern"), encoding="utf-8")
        result = command("run", "--site", site, BLICKSCHUTZ_DATA=str(tmp_path))
        assert result.exit_code == 4, "a new start does not mend it"
        assert "Europe/Berlin" in result.stderr


def test_tracks_are_written_in_motchallenge_form(walk_clip, tmp_path):
    target = tmp_path / "tracks.txt"
    result = command("tracks", walk_clip, "--mot", target)
    assert result.exit_code == 0
    for line in target.read_text(encoding="ascii").splitlines():
        cells = line.split(",")
        assert len(cells) == 10
        assert 1 <= int(cells[0]) <= 80
        assert float(cells[4]) > 0


def test_tracks_say_when_the_target_cannot_be_written(walk_clip):
    result = command("tracks", walk_clip, "--mot", "/nowhere/at/all.txt")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_the_console_script_runs():
    result = subprocess.run([Path(sys.executable).with_name("blickschutz"), "--version"], capture_output=True, text=True, check=False)
    assert result.returncode == 0
