"""How the house is kept: contracts, seal, sizes, documents, texts, front end."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import get_type_hints

import pytest
from benchmarks.mutations.lines import FORTY, FURTHER
from benchmarks.mutations.runner import places
from scripts.test import ALONE
from scripts.texts import used_texts

from blickschutz.cli.main import cli
from blickschutz.config.about import english, section_of, settings_in
from blickschutz.config.loader import schema
from blickschutz.config.model import SiteFile
from blickschutz.pipeline.messages import Fragment, FromCell, Head, Moment, Snapshot
from blickschutz.web.metrics import METRICS, RECORDS
from blickschutz.web.texts import catalogue
from stimmungsbild.cli import main as survey
from tests.conftest import ROOT

SOURCE = ROOT / "src/blickschutz"
MODULES = sorted(SOURCE.rglob("*.py"))
SURVEY = ROOT / "src/stimmungsbild"
PLATFORM = ROOT / "src/plattform"
EVERY_MODULE = [*MODULES, *sorted(SURVEY.rglob("*.py")), *sorted(PLATFORM.rglob("*.py"))]
DOCS = {path: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *ROOT.glob("docs/**/*.md")]}
ALL_DOCS = "\n".join(DOCS.values())


@lru_cache(maxsize=1000)
def all_calls(module: Path) -> dict[str, list[ast.Call]]:
    """Every call in a module by the name of what is called."""
    found: dict[str, list[ast.Call]] = {}
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            found.setdefault(getattr(node.func, "id", getattr(node.func, "attr", "")), []).append(node)
    return found


def calls(module: Path, name: str) -> list[ast.Call]:
    return all_calls(module).get(name, [])


def tool(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def beside_python(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def test_import_contracts_hold():
    result = tool(beside_python("lint-imports"))
    assert result.returncode == 0, result.stdout


def test_types_hold():
    result = tool(sys.executable, "-m", "mypy")
    assert result.returncode == 0, result.stdout


def test_style_holds():
    result = tool(beside_python("ruff"), "check", ".")
    assert result.returncode == 0, result.stdout
    result = tool(beside_python("ruff"), "format", "--check", ".")
    assert result.returncode == 0, result.stdout


def test_only_redaction_builds_redacted_frames():
    builders = {module.relative_to(SOURCE).parts[0] for module in MODULES if calls(module, "RedactedFrame")}
    takers = [module.relative_to(SOURCE).as_posix() for module in MODULES if calls(module, "take_redaction_seal")]
    assert builders == {"redaction"}
    assert takers == ["redaction/service.py"]


def test_there_is_one_way_to_a_picture_that_may_be_shown():
    """Live, alert, anonymous recording, review, evidence, own copy: one function, with proof that was made in one place."""

    def callers(name):
        return {module.relative_to(SOURCE).as_posix() for module in MODULES if calls(module, name)}

    assert callers("Backdrop") == {"analysis/rules/proof.py"}
    assert callers("prove") == {"analysis/service.py", "pipeline/replay.py"}
    assert callers("recorded_proof") == {"pipeline/replay.py"}
    assert callers("compared") == {"analysis/rules/proof.py", "analysis/service.py"}
    assert callers("Redactor") == callers("redact") == {"pipeline/showing.py"}
    assert callers("blank") == {"redaction/service.py", "pipeline/showing.py", "pipeline/recorded.py"}
    assert {one for one in callers("show") if one.startswith("pipeline/")} == {"pipeline/path.py", "pipeline/replay.py"}
    assert callers("Replay") == {"pipeline/render.py"}
    assert callers("Renderer") == {
        "pipeline/moment.py",
        "pipeline/recorded.py",
        "pipeline/redacted.py",
        "reviewroom/playback.py",
        "reviewroom/release.py",
    }
    for module in MODULES:
        room = module.relative_to(SOURCE).parts[0]
        if room not in {"redaction", "pipeline"}:
            text = module.read_text(encoding="utf-8")
            assert "pipeline.showing" not in text, module
            assert "pipeline.replay" not in text, module


def test_no_message_from_a_cell_can_carry_a_raw_picture():
    """Bytes leave a cell in four kinds of messages; each is built in one place, from what a wall encoder gave out."""
    with_bytes = {kind for kind in FromCell.__args__ if any(f.type is bytes or "bytes" in str(f) for f in fields(kind))}
    assert with_bytes == {Head, Fragment, Snapshot, Moment}
    # The recording has types of the same names for what goes into sealed clips; they are no messages.
    modules = [module for module in MODULES if "pipeline.messages import" in module.read_text(encoding="utf-8")]
    places = {(m.relative_to(SOURCE).as_posix(), n) for m in modules for n in ("Head", "Fragment", "Moment", "Snapshot") if calls(m, n)}
    assert {place for place, name in places if name in {"Moment", "Snapshot"}} == {"pipeline/cell.py"}
    assert {place for place, name in places if name == "Fragment"} <= {"pipeline/cell.py", "pipeline/record.py"}
    record = (SOURCE / "pipeline/record.py").read_text(encoding="utf-8")
    assert "from blickschutz.pipeline.messages import CellSettings\n" in record, "no message is built there"


def test_a_trial_gives_out_no_picture_but_what_the_wall_would_show():
    """One message has bytes; it is built where there is a redacted frame, from its JPEG. Words are short; all else is numbers."""
    from blickschutz.pipeline import trials

    kinds = trials.FromTrial.__args__
    assert {(kind, f.name) for kind in kinds for f in fields(kind) if "bytes" in str(f.type)} == {(trials.PictureTold, "data")}
    worded = {(kind, f.name) for kind in kinds for f in fields(kind) if f.type is str or "str" in str(f.type)}
    assert {kind for kind, _ in worded} == {trials.StreamOffered, trials.CameraAnswered}
    assert {module.relative_to(SOURCE).as_posix() for module in MODULES if calls(module, "PictureTold")} == {"pipeline/trial.py"}
    built = {ast.unparse(call.args[0]) for call in calls(SOURCE / "pipeline/trial.py", "PictureTold")}
    assert built == {"data", "b''"}
    assert "data = jpeg(self._picture)" in (SOURCE / "pipeline/trial.py").read_text(encoding="utf-8")


def fields(kind):
    import msgspec

    return msgspec.structs.fields(kind)


def test_wall_sinks_accept_redacted_frames_only():
    for module in (SOURCE / "wall").rglob("*.py"):
        assert "RawFrame" not in module.read_text(encoding="utf-8"), module


@pytest.mark.parametrize("line", [*FORTY, *FURTHER], ids=lambda line: line.name)
def test_the_lines_that_carry_the_promises_are_where_the_list_of_mutations_says(line):
    """The list follows the code: a line that was rewritten is rewritten there too, and so is a test."""
    assert places(line) == 1, f"{line.file}: {line.text}"
    assert line.text != line.altered
    for test in line.tests:
        path, *names = test.split("::")
        text = (ROOT / "tests" / path).read_text(encoding="utf-8")
        assert all(re.search(rf"^ *(def|class) {name}\b", text, re.M) for name in names), test


@pytest.mark.parametrize("line", FORTY, ids=lambda line: line.name)
def test_make_test_itself_notices_when_a_promise_is_altered(line):
    """Somebody who changes such a line hears of it at once, not from what runs later or before a release."""
    for test in line.tests:
        path, *names = test.split("::")
        tree = ast.parse((ROOT / "tests" / path).read_text(encoding="utf-8"))
        marks = [ast.unparse(one.value) for one in tree.body if isinstance(one, ast.Assign) and ast.unparse(one.targets[0]) == "pytestmark"]
        named = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.ClassDef) and one.name in names]
        marks += [ast.unparse(mark) for one in named for mark in one.decorator_list if "parametrize" not in ast.unparse(mark)]
        assert not [mark for mark in marks if re.search(r"mark\.(later|long)\b", mark)], test


def test_forty_lines_have_forty_names():
    assert len(FORTY) == 40
    assert len({line.name for line in (*FORTY, *FURTHER)}) == len(FORTY) + len(FURTHER)


def test_nothing_pickles():
    for module in EVERY_MODULE:
        assert not re.search(r"^\s*(import|from) (pickle|marshal|shelve)", module.read_text(encoding="utf-8"), re.M), module


def test_no_module_is_too_long_and_every_one_says_what_it_is_for():
    for module in EVERY_MODULE:
        text = module.read_text(encoding="utf-8")
        assert text.count("\n") < 500, module
        assert ast.get_docstring(ast.parse(text)), module


def test_every_broad_except_has_its_reason():
    for module in EVERY_MODULE:
        for number, line in enumerate(module.read_text(encoding="utf-8").splitlines(), 1):
            if re.search(r"except( Base)?( \(?)?Exception\b", line):
                assert re.search(r"# noqa: BLE001 - \w+", line), f"{module}:{number}"


def test_every_room_promises_something_and_rules_something_out():
    for package in [*SOURCE.glob("*/__init__.py"), *SURVEY.rglob("__init__.py"), *PLATFORM.rglob("__init__.py")]:
        words = ast.get_docstring(ast.parse(package.read_text(encoding="utf-8"))) or ""
        if package.parent.name in {"cli"}:
            continue
        assert "Promises:" in words, package
        assert "ever" in words.lower(), package


# Threads and tasks outside the guard: module, and why.
UNGUARDED = {
    "recording/io/clipfile.py": "one write at a time, whose error comes out of the next call: the clip's guarded thread meets it",
    "control/service/keeper.py": "the reading of one message outlasts two waits, and ends in the function that began it",
}
# The survey has no guard, so work beside needs a reason why no error ends it unseen.
SURVEY_UNGUARDED = {
    "collection/service.py": "what keeping forms raises is the answer of each of them, and the next ones are kept; what cutting raises too",
}
STARTERS = (
    "Thread",
    "Timer",
    "ThreadPoolExecutor",
    "ProcessPoolExecutor",
    "create_task",
    "ensure_future",
    "TaskGroup",
    "run_coroutine_threadsafe",
)


def test_threads_and_tasks_are_guarded():
    """An error that was not foreseen ends no work unseen: whatever runs beside is started by the guard."""
    found = {module.relative_to(SOURCE).as_posix() for module in MODULES for name in STARTERS if calls(module, name)}
    beside = {module.relative_to(SURVEY).as_posix() for module in SURVEY.rglob("*.py") for name in STARTERS if calls(module, name)}
    assert beside == set(SURVEY_UNGUARDED)
    inside = {name for name in found if name.startswith("guard/")}
    assert inside == {"guard/work.py", "guard/service.py"}
    assert found - inside - set(UNGUARDED) == set(), "start it with blickschutz.guard"
    assert set(UNGUARDED) - found == set(), "needs no exception any more"
    for module in MODULES:
        text = module.read_text(encoding="utf-8")
        assert not re.search(r"^\s*import _thread|start_new_thread|\(threading\.Thread\)|\(Thread\):", text, re.M), module


@pytest.mark.parametrize("name", sorted({*METRICS, *RECORDS}))
def test_every_metric_is_documented(name):
    assert name in ALL_DOCS


def test_every_command_is_documented():
    def names(group, prefix):
        for name, command in group.commands.items():
            yield f"{prefix} {name}"
            if hasattr(command, "commands"):
                yield from names(command, f"{prefix} {name}")

    for name in (*names(cli, "blickschutz"), *names(survey, "stimmungsbild")):
        assert f"`{name}" in ALL_DOCS, name


def test_every_route_is_documented():
    found = set()
    for module in (SOURCE / "web/routes").glob("*.py"):
        found.update(re.findall(r'@router\.\w+\(\s*"([^"]+)"', module.read_text(encoding="utf-8")))
    assert len(found) > 60
    for path in found:
        assert f"`{path}`" in DOCS[ROOT / "docs/permissions.md"], path


def test_every_section_of_the_site_file_is_documented():
    for name in schema()["properties"]:
        assert f"`{name}`" in DOCS[ROOT / "docs/site-file.md"], name


def test_every_setting_has_its_meaning_in_both_languages():
    seen = {SiteFile}
    for part in (waiting := [SiteFile]):
        for key, one in settings_in(part).items():
            assert one.german.endswith("."), f"{part.__name__}.{key}"
            # An enumeration carries its description with its values.
            assert english(part, key) or (part.__name__, key) == ("Regime", "mode"), f"{part.__name__}.{key}"
        inner = {section for hint in get_type_hints(part).values() if (section := section_of(hint)) is not None} - seen
        seen |= inner
        waiting += inner
    assert len(seen) > 30
    described = schema()
    assert {part.__name__ for part in seen} - {"SiteFile"} == {name for name, one in described["$defs"].items() if "properties" in one}


def test_every_text_is_there_in_both_languages():
    used, known = used_texts(), set(catalogue("en"))
    assert used - known == set(), "without English"
    assert known - used == set(), "no longer used"


def test_links_in_the_documentation_lead_somewhere():
    for path, text in DOCS.items():
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
            assert (path.parent / target).exists(), f"{path}: {target}"


def test_requirements_are_hashed_and_name_no_address():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text
        assert "://" not in text, path
        assert "index-url" not in text, path
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text(encoding="utf-8")


def test_pages_load_nothing_from_outside():
    for path in [*SOURCE.glob("web/templates/*.html"), *SOURCE.glob("web/static/*"), *SOURCE.glob("web/ts/*.ts")]:
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.[a-z]", text), path


def test_the_scripts_are_typed():
    binaries = ROOT / "node_modules/.bin"
    if not (binaries / "tsc").exists() or shutil.which("node") is None:
        pytest.skip("the front-end tools are not installed (npm ci)")
    check = tool(str(binaries / "tsc"), "--noEmit", "-p", "src/blickschutz/web/ts")
    assert check.returncode == 0, check.stdout


@pytest.mark.parametrize(
    ("source", "built", "most"),
    [("wall", "web/static/wall.js", 45_000), ("package-view", "evidence/viewer/viewer.js", 10_000)],
)
def test_the_script_is_small_and_the_committed_one_is_the_built_one(tmp_path, source, built, most):
    import gzip

    committed = (SOURCE / built).read_bytes()
    assert len(gzip.compress(committed)) < most
    binaries = ROOT / "node_modules/.bin"
    if not (binaries / "esbuild").exists() or shutil.which("node") is None:
        pytest.skip("the front-end tools are not installed (npm ci)")
    target = tmp_path / "built.js"
    options = ["--bundle", "--minify", "--target=es2022", "--format=esm", f"--outfile={target}"]
    build = tool(str(binaries / "esbuild"), f"src/blickschutz/web/ts/{source}.ts", *options)
    assert build.returncode == 0, build.stderr
    assert target.read_bytes() == committed, "run `npm run build`"


def test_only_the_review_room_shows_people_as_they_were():
    users = {m.relative_to(SOURCE).as_posix() for m in MODULES if calls(m, "fill_zones") or calls(m, "clear_video")}
    assert users == {"reviewroom/clear.py", "reviewroom/playback.py"}


def test_no_message_between_the_rooms_can_carry_a_key_or_a_picture():
    from blickschutz.reviewroom.messages import FromRoom, ToRoom

    with_bytes = {
        (kind.__name__, f.name) for kind in (*FromRoom.__args__, *ToRoom.__args__) for f in fields(kind) if "bytes" in str(f.type)
    }
    # A digest to be signed, its signature, an excerpt of the log: facts of the control room and for it.
    assert with_bytes == {("SignThis", "text"), ("Answer", "signature"), ("Answer", "data")}


def test_make_test_looks_for_tests_that_run_alone_where_they_are():
    looked = [ROOT / place for place in ALONE]
    marked = {path for path in (ROOT / "tests").rglob("*.py") if "mark.alone" in path.read_text(encoding="utf-8")} - {Path(__file__)}
    assert marked
    assert {path for path in marked if not any(path.is_relative_to(place) for place in looked)} == set()
