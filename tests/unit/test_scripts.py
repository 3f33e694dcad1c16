"""What the scripts of the pages decide, without a browser: which alert the keys act on, where the pictures lie."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from tests.conftest import ROOT

ESBUILD = ROOT / "node_modules/.bin/esbuild"
TESTED = sorted(path.name.removesuffix(".test.mjs") for path in (ROOT / "tests/scripts").glob("*.test.mjs"))


@pytest.mark.parametrize("name", TESTED)
def test_the_script_does_what_its_tests_say(name, tmp_path):
    if not ESBUILD.exists() or shutil.which("node") is None:
        pytest.skip("the front-end tools are not installed (npm ci)")
    source, target = ROOT / f"src/blickschutz/web/ts/{name}.ts", tmp_path / f"{name}.mjs"
    build = subprocess.run([ESBUILD, source, "--format=esm", f"--outfile={target}"], capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    environment = {**os.environ, "SCRIPTS": str(tmp_path)}
    command = ["node", "--test", str(ROOT / f"tests/scripts/{name}.test.mjs")]
    found = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=60)
    assert found.returncode == 0, found.stdout[-4000:]
    assert "\n# fail 0" in found.stdout
    assert "\n# pass 0" not in found.stdout
