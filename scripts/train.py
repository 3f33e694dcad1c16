"""Learn the rules that come as numbers, with folds by scene, from one command with a fixed seed.

    .venv/bin/python -m scripts.train DATA --kind physical_altercation [--cache DIR] [--found FILE] [--write]

DATA holds `clips.csv` (clip, scene, kind, start_s, end_s, ...; an empty kind: ordinary, nothing to report) and the clips. The
clips are looked at through the very path of a cell with nobody watching; with `--cache` their scenes are kept there, without
any picture. What shows somebody who falls is learned from three more times, mirrored and begun a little later, so that every look
falls on another moment, and all else once more; nothing is judged by that. What learned from a scene never judges it: five folds
of scenes, and every clip is judged by the four others, with the rule as it stands in the product. Prints recall against false
alarms and the balanced accuracy of short clips, for several seeds; `--found` writes the episodes of the first seed for the
referee, `--write` the forest learned from all clips into the package. Needs the optional dependencies `train`.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import pickle
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.analysis.io.openvino_pose import OpenVinoPoser
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.frames import RawFrame
from blickschutz.kernel.scene import Scene
from blickschutz.pipeline.clips import episodes_in, jsonl_lines, scenes_of
from blickschutz.pipeline.offline import FileReader
from blickschutz.situations.io import forests
from blickschutz.situations.kinds import Kind
from blickschutz.situations.rules.forest import Forest, Learned
from blickschutz.situations.settings import SituationSettings
from scripts.samples import SAMPLES, Sample

FOLDS, SEEDS, TREES = 5, 3, 150
# Of a long clip so many windows at most, so that one place is not the whole world.
MOST_WINDOWS = 30
CLIP_POWER = 0.7
# Folds of scenes within what is learned from, and trees of each, that say which moments of a clip are the surest.
INNER, TREES_INNER = 4, 60
ALARMS = (0, 1, 2, 3, 5, 9)


@dataclass(frozen=True)
class Clip:
    """A clip, its scene, and its labels: (kind, start, end) in seconds."""

    name: str
    scene: str
    labels: tuple[tuple[str, float, float], ...]

    def has(self, kind: Kind) -> bool:
        return any(label[0] == kind.value for label in self.labels)


def read_clips(path: Path) -> list[Clip]:
    rows: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["clip"]].append(row)
    return [
        Clip(
            name,
            found[0]["scene"],
            tuple((r["kind"], float(r["start_s"] or 0), float(r["end_s"] or 1e9)) for r in found if r["kind"]),
        )
        for name, found in sorted(rows.items())
    ]


@dataclass(frozen=True)
class Seen:
    """How a clip is shown to the analysis: as it is, or the other way round and begun a little later, so that no look falls on the
    same moment: somebody else does the same, for all that detector and poses know.
    """

    name: str = ""
    mirrored: bool = False
    late_s: float = 0.0

    def frames(self, clip: Path) -> Iterator[RawFrame]:
        first = None
        for frame in FileReader(clip, SystemClock()):
            first = frame.at if first is None else first
            if frame.at - first < self.late_s:
                continue
            planes = (np.ascontiguousarray(plane[:, ::-1]) for plane in (frame.y, frame.u, frame.v)) if self.mirrored else ()
            yield replace(frame, **dict(zip("yuv", planes, strict=False)))

    def labels(self, clip: Clip) -> tuple[tuple[str, float, float], ...]:
        return tuple((kind, start - self.late_s, end - self.late_s) for kind, start, end in clip.labels)


AS_IT_IS = Seen()
# What is learned from beside the clips as they are; nothing is judged by it. Of fights there are enough: they gain nothing by it.
FURTHER = {Kind.PERSON_DOWN: (Seen("mirrored", True, 0.1), Seen("late", False, 0.07), Seen("mirrored-late", True, 0.17))}


def look_at(clips: Sequence[Clip], data: Path, cache: Path | None, shown: Seen = AS_IT_IS) -> dict[str, list[tuple[float, Scene]]]:
    """The scenes of every clip, as a cell sees them."""
    detector, poser, seen = OpenVinoDetector.from_registry("centernet"), OpenVinoPoser.from_registry(), {}
    for clip in clips:
        kept = cache / shown.name / f"{clip.name.replace('/', '__')}.scenes" if cache else None
        if kept is not None and kept.exists():
            seen[clip.name] = pickle.loads(kept.read_bytes())  # own cache of this script
            continue
        seen[clip.name] = list(scenes_of(shown.frames(data / clip.name), detector, lambda _: None, poser))
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(pickle.dumps(seen[clip.name]))
    return seen


@dataclass(frozen=True)
class Recipe:
    """How a kind is learned: depth and least leaf of its trees, how many trees of a random forest go beside them and how deep, and which
    share of a clip's own moments counts, the surest first (in a fight of two seconds not every moment shows one).
    """

    depth: int = 8
    leaf: int = 4
    beside: int = 0
    depth_beside: int = 8
    surest: float = 1.0


# Chosen by folds within what each fold learns from, never by what the folds judge.
RECIPES = {Kind.PHYSICAL_ALTERCATION: Recipe(depth=6, beside=TREES, surest=0.4), Kind.PERSON_DOWN: Recipe(leaf=12)}


def learn(samples: Sequence[Sample], seed: int, recipe: Recipe, scenes: Mapping[str, str]) -> Forest:
    """Extremely randomised trees (Geurts et al. 2006), a random forest beside them (Breiman 2001) where the recipe says so.

    Every clip weighs about the same, and both classes do. `scenes` gives the scene of every clip.
    """
    chance = np.random.default_rng(seed)
    of_clip: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        of_clip[sample.clip].append(sample)
    used: list[Sample] = []
    for name in sorted(of_clip):
        found = of_clip[name]
        chosen = range(len(found)) if len(found) <= MOST_WINDOWS else sorted(chance.choice(len(found), MOST_WINDOWS, replace=False))
        used += [found[index] for index in chosen]
    rows = Rows.of(used)
    if recipe.surest < 1:
        fold = folds_of(sorted({scenes[name] for name in of_clip}), seed + 99, INNER)
        rows = rows.taken(surest(rows, np.array([fold[scenes[sample.clip]] for sample in used]), seed, recipe))
    models = [_randomised(TREES, recipe, seed)]
    if recipe.beside:
        beside = RandomForestClassifier(
            recipe.beside, min_samples_leaf=4, max_features=0.2, max_depth=recipe.depth_beside, random_state=seed
        )
        models.append(beside)
    return as_forest([model.fit(rows.features, rows.truth, sample_weight=rows.weight) for model in models])


@dataclass(frozen=True)
class Rows:
    """What is learned from, one row for each moment: its clip, figures, whether it shows the kind, and its weight."""

    clip: np.ndarray
    features: np.ndarray
    truth: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, used: Sequence[Sample]) -> Rows:
        count = Counter(sample.clip for sample in used)
        truth = np.array([sample.positive for sample in used])
        weight = np.array([count[sample.clip] ** -CLIP_POWER for sample in used])
        for side in (truth, ~truth):
            weight[side] /= weight[side].sum()
        return cls(np.array([sample.clip for sample in used]), np.array([s.features for s in used]), truth, weight * len(used))

    def taken(self, which: np.ndarray) -> Rows:
        """Those rows alone; both classes weigh what they weighed."""
        weight = np.where(which, self.weight, 0.0)
        for side in (self.truth, ~self.truth):
            weight[side] *= self.weight[side].sum() / weight[side].sum()
        return Rows(self.clip[which], self.features[which], self.truth[which], weight[which])


def surest(rows: Rows, fold: np.ndarray, seed: int, recipe: Recipe) -> np.ndarray:
    """All rows without the kind; of a clip's rows with it the share that trees which did not learn from their scene are surest of."""
    sure = np.zeros(len(rows.truth))
    for held in range(INNER):
        own, others = fold == held, fold != held
        if own.any():
            model = _randomised(TREES_INNER, recipe, seed)
            model.fit(rows.features[others], rows.truth[others], sample_weight=rows.weight[others])
            sure[own] = model.predict_proba(rows.features[own])[:, 1]
    kept = ~rows.truth
    for clip in np.unique(rows.clip[rows.truth]):
        places = np.flatnonzero((rows.clip == clip) & rows.truth)
        kept[places[np.argsort(-sure[places], kind="stable")[: math.ceil(recipe.surest * len(places))]]] = True
    return kept


def _randomised(trees: int, recipe: Recipe, seed: int) -> ExtraTreesClassifier:
    return ExtraTreesClassifier(trees, min_samples_leaf=recipe.leaf, max_features=0.3, max_depth=recipe.depth, random_state=seed)


def as_forest(models: Sequence[ExtraTreesClassifier | RandomForestClassifier]) -> Forest:
    """The trees one after the other in one row of nodes."""
    columns: dict[str, list[np.ndarray]] = defaultdict(list)
    roots, offset = [], 0
    trees = [estimator for model in models for estimator in model.estimators_]
    for tree in (estimator.tree_ for estimator in trees):
        leaf, own = tree.children_left < 0, np.arange(tree.node_count)
        share = tree.value[:, 0, :] / tree.value[:, 0, :].sum(axis=1, keepdims=True)
        columns["feature"].append(np.where(leaf, 0, tree.feature))
        columns["threshold"].append(np.where(leaf, 0, tree.threshold))
        columns["left"].append(np.where(leaf, own, tree.children_left) + offset)
        columns["right"].append(np.where(leaf, own, tree.children_right) + offset)
        columns["value"].append(share[:, 1])
        roots.append(offset)
        offset += tree.node_count
    row = {name: np.concatenate(parts) for name, parts in columns.items()}
    depth = max(estimator.get_depth() for estimator in trees)
    places = {name: row[name].astype(np.intp) for name in ("feature", "left", "right")}
    numbers = {name: np.round(row[name], 4).astype(np.float32) for name in ("threshold", "value")}
    return Forest(roots=np.array(roots, np.intp), depth=depth, **places, **numbers)


def write(forest: Forest, path: Path, names: Sequence[str]) -> None:
    numbers = {name: [round(float(v), 4) for v in getattr(forest, name)] for name in ("threshold", "value")}
    places = {name: getattr(forest, name).tolist() for name in ("roots", "feature", "left", "right")}
    path.write_bytes(msgspec.json.encode(forests.ForestFile(features=list(names), depth=forest.depth, **places, **numbers)))


def folds_of(scenes: Sequence[str], seed: int, folds: int = FOLDS) -> Mapping[str, int]:
    """The fold of every scene; `scenes` in order."""
    order = np.random.default_rng(seed).permutation(len(scenes))
    return {scenes[index]: place % folds for place, index in enumerate(order)}


def report(kind: Kind, clips: Sequence[Clip], peaks: Mapping[str, float]) -> str:
    wrong = sorted((peaks[c.name] for c in clips if not c.labels), reverse=True)
    right = np.array([peaks[c.name] for c in clips if c.has(kind)])
    curve = " ".join(f"{n}:{float(np.mean(right > wrong[n])):.2f}@{wrong[n]:.2f}" for n in ALARMS)
    short = [c for c in clips if c.name.startswith("fights/")]
    yes = np.array([peaks[c.name] for c in short if c.has(kind)])
    no = np.array([peaks[c.name] for c in short if not c.has(kind)])
    marks = np.unique(np.concatenate([yes, no]))
    best = max(((np.mean(yes > mark) + np.mean(no <= mark)) / 2, mark) for mark in marks) if len(yes) else (0.0, 0.0)
    return f"balanced accuracy of the short clips {best[0]:.3f} (at {best[1]:.2f}); recall at n alarms on all ordinary footage: {curve}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--kind", type=Kind, choices=list(SAMPLES), required=True)
    parser.add_argument("--cache", type=Path)
    parser.add_argument("--found", type=Path)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    kind, clips = options.kind, read_clips(options.data / "clips.csv")
    seen = look_at(clips, options.data, options.cache)
    samples = {clip.name: SAMPLES[kind](clip.name, seen[clip.name], clip.labels) for clip in clips}
    print(f"{sum(map(len, samples.values()))} windows of {sum(map(bool, samples.values()))} clips")
    for number, shown in enumerate(FURTHER.get(kind, ())):
        again = [clip for clip in clips if clip.has(kind) or (samples[clip.name] and number == 0)]
        scenes = look_at(again, options.data, options.cache, shown)
        for clip in again:
            samples[clip.name] += SAMPLES[kind](clip.name, scenes[clip.name], shown.labels(clip))
    scenes_of_clips, recipe = {clip.name: clip.scene for clip in clips}, RECIPES[kind]
    for seed in range(options.seeds):
        fold, peaks, lines = folds_of(sorted({clip.scene for clip in clips}), seed), {}, []
        for held in range(FOLDS):
            forest = learn([s for clip in clips if fold[clip.scene] != held for s in samples[clip.name]], seed, recipe, scenes_of_clips)
            for clip in (clip for clip in clips if fold[clip.scene] == held):
                episodes, length = episodes_in(seen[clip.name], SituationSettings(), Learned({kind: forest}))
                peaks[clip.name] = max((one.peak for one in episodes if one.kind is kind), default=0.0)
                lines += jsonl_lines(clip.name, episodes, length)
        print(f"seed {seed}: {report(kind, clips, peaks)}")
        worst = sorted(((peaks[c.name], c.name) for c in clips if not c.has(kind)), reverse=True)[:12]
        print("  ", json.dumps([f"{name} {peak:.2f}" for peak, name in worst]))
        if options.found and seed == 0:
            options.found.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    if options.write:
        everything = [sample for found in samples.values() for sample in found]
        write(learn(everything, 0, recipe, scenes_of_clips), Path(forests.__file__).parent / f"{kind.value}.json", forests.LEARNED[kind])


if __name__ == "__main__":
    main()
