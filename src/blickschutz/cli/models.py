"""`blickschutz models`: install, list and register detectors."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import click

from blickschutz.analysis.io import engine
from blickschutz.analysis.io.registry import DEFAULT, ModelRegistry
from blickschutz.analysis.model import DETECTOR_HEADS, Head, ModelCard
from blickschutz.kernel.errors import ModelError


def require_models() -> None:
    """Raise `ModelError` where the engine or the default detector is not installed: before anything else takes long."""
    if not engine.is_there():
        raise ModelError("the inference engine is not installed; run `blickschutz models install`")
    ModelRegistry().card(DEFAULT)


@click.group()
def models() -> None:
    """Detector models: an allow-list by hash."""


@models.command()
@click.option(
    "--from", "given", type=click.Path(path_type=Path, file_okay=False, exists=True), help="A folder of models, in place of a network."
)
@click.option("--wheels", type=click.Path(path_type=Path, file_okay=False, exists=True), help="A folder with the engine's wheel, likewise.")
def install(given: Path | None, wheels: Path | None) -> None:
    """Bring the inference engine, the default detector and the network for poses: each by its hash, converted, verified."""

    def say(text: str) -> None:
        click.echo(f"  {text}")

    engine.install(say, wheels)
    from blickschutz.analysis.io import blazepose, centernet

    for source in (centernet, blazepose):
        card = source.install(ModelRegistry(), say) if given is None else _taken(source.NAME, ModelRegistry(given), source.verify)
        click.echo(f"{card.name} is installed, SHA-256 {card.sha256}")


def _taken(name: str, given: ModelRegistry, verify: Callable[[bytes], None]) -> ModelCard:
    """A model of another registry, with its licence: its hash, and what it answers, are held against what was examined."""
    verify(given.load(name)[1])
    return hand_over(name, given, ModelRegistry())


def hand_over(name: str, given: ModelRegistry, taking: ModelRegistry) -> ModelCard:
    """Copy a model, by its hash, and its licence. Raises `ModelError`."""
    card, data = given.load(name)
    taking.add(card, data)
    for licence in given.folder.glob(f"{name}.LICENCE"):
        shutil.copyfile(licence, taking.folder / licence.name)
    return card


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on the last line.")
def list_(as_json: bool) -> None:
    """All registered models, and whether their files are as registered."""
    registry = ModelRegistry()
    rows = [
        {
            "name": card.name,
            "state": registry.verify(card),
            "head": card.head.value,
            "licence": card.licence,
            "sha256": card.sha256,
            "source": card.source,
        }
        for card in registry.cards()
    ]
    if as_json:
        click.echo(json.dumps({"models": rows}))
    elif not rows:
        click.echo("No model is registered; run `blickschutz models install`.")
    for row in [] if as_json else rows:
        click.echo(f"{row['name']:16} {row['state']:8} {row['head']:10} {row['licence']:12} {row['sha256'][:16]}  {row['source']}")


@models.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--sha256", required=True, help="The file's SHA-256, as its maker states it.")
@click.option("--name", required=True, help="Name under which a site file asks for it.")
@click.option("--head", type=click.Choice([head.value for head in DETECTOR_HEADS]), default=Head.YOLOX.value, show_default=True)
@click.option("--input-width", type=click.IntRange(96, 1280), default=416, show_default=True, help="Width of the network's input.")
@click.option("--licence", required=True, help="Licence of the model, for example Apache-2.0.")
@click.option("--engine", "engine_name", default="openvino", show_default=True, help="What runs it; another package may offer one.")
def register(file: Path, sha256: str, name: str, head: str, input_width: int, licence: str, engine_name: str) -> None:
    """Register an own detector by file and hash: ONNX, or what another engine takes."""
    from blickschutz.analysis.io.engines import load_detector

    registry = ModelRegistry()
    card = registry.register(file, sha256, name, Head(head), input_width, licence, engine_name)
    load_detector(card.name, registry)
    click.echo(f"{card.name} is registered, SHA-256 {card.sha256}")
