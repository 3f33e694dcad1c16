"""Learn the weights of the rule `physical_altercation` from labelled clips.

    .venv/bin/python -m scripts.train_altercation DATA [--cache FILE]

DATA holds `events.csv` (clip, kind, start_s, end_s) and the clips. A clip counts as positive when it carries the
label `physical_altercation`, and as negative when it lies in `fights/` without one. What is learned is a logistic
regression over two figures that a person can check (see `altercation_features`), so there are three numbers and
no network. Prints the figures per fold of a five-fold cross-validation and the weights from all clips.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

from blickschutz.analysis.io.openvino_detector import OpenVinoDetector
from blickschutz.kernel.clock import SystemClock
from blickschutz.kernel.situation import Kind
from blickschutz.pipeline.clips import scenes_in
from blickschutz.situations.model import RuleSettings
from blickschutz.situations.rules.contact import LEAST_ENCOUNTERS, WINDOW_S, altercation_features, altercation_window

FOLDS, RIDGE, STEPS, RATE = 5, 0.02, 4000, 0.3
RULES = RuleSettings()


def windows(clip: Path, detector: OpenVinoDetector) -> list[tuple[float, float]]:
    """The features of every window that the rule would judge in this clip."""
    scenes = [scene for _, scene in scenes_in(clip, detector, SystemClock(), lambda n: None) if scene.width]
    found = []
    for index, now in enumerate(scenes):
        part = [scene for scene in scenes[: index + 1] if scene.at >= now.at - WINDOW_S]
        met = altercation_window(part, RULES.altercation_height)
        if len(met) >= LEAST_ENCOUNTERS and now.at - part[0].at >= RULES.altercation_s:
            found.append(altercation_features(met))
    return found


def fit(features: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Ridge logistic regression by gradient descent on standardised features; classes weigh the same. Returns bias and weights."""
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-9
    x = np.column_stack([np.ones(len(features)), (features - mean) / deviation])
    weights = np.zeros(x.shape[1])
    balance = np.where(labels, 0.5 / labels.mean(), 0.5 / (1 - labels.mean()))
    for _ in range(STEPS):
        error = balance * (1 / (1 + np.exp(-x @ weights)) - labels)
        gradient = x.T @ error / len(x) + RIDGE * np.r_[0, weights[1:]]
        weights -= RATE * gradient
    own = weights[1:] / deviation
    return np.r_[weights[0] - (own * mean).sum(), own]


def most(clip_windows: list[tuple[float, float]], weights: np.ndarray) -> float:
    """The greatest value of a clip: the rule fires when one window is over its threshold."""
    return max((float(weights[0] + np.dot(weights[1:], window)) for window in clip_windows), default=-np.inf)


def strongest(clip_windows: list[tuple[float, float]]) -> tuple[float, float] | None:
    """The window that stands for its clip in training: the one with the widest spread and the liveliest limbs."""
    return max(clip_windows, key=lambda window: window[0] + window[1], default=None)


def balanced_accuracy(values: np.ndarray, labels: np.ndarray) -> float:
    return float(((values[labels] > 0).mean() + (values[~labels] <= 0).mean()) / 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--cache", type=Path)
    options = parser.parse_args()
    with (options.data / "events.csv").open(newline="") as rows:
        labels = {
            row["clip"]: row["kind"] == Kind.PHYSICAL_ALTERCATION for row in csv.DictReader(rows) if row["clip"].startswith("fights/")
        }
    if options.cache and options.cache.exists():
        seen = json.loads(options.cache.read_text())
    else:
        detector = OpenVinoDetector.from_registry("centernet")
        seen = {clip: windows(options.data / clip, detector) for clip in labels}
        if options.cache:
            options.cache.write_text(json.dumps(seen))
    clips = np.array(sorted(labels))
    truth = np.array([labels[clip] for clip in clips])
    scores = []
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(clips))
        values = np.zeros(len(clips))
        folds = []
        for fold in range(FOLDS):
            held = order[fold::FOLDS]
            weights = learn([seen[clip] for clip in np.delete(clips, held)], np.delete(truth, held))
            values[held] = [most(seen[clip], weights) for clip in clips[held]]
            folds.append(balanced_accuracy(values[held], truth[held]))
        scores.append(balanced_accuracy(values, truth))
        print(f"seed {seed}: balanced accuracy {scores[-1]:.3f}, folds {' '.join(f'{value:.3f}' for value in folds)}")
    print(f"mean over seeds {np.mean(scores):.3f}")
    weights = learn([seen[clip] for clip in clips], truth)
    values = np.array([most(seen[clip], weights) for clip in clips])
    print(f"all clips: balanced accuracy {balanced_accuracy(values, truth):.3f}")
    print("bias={:.3f}, spread={:.3f}, limbs={:.3f}".format(*weights))


def learn(clip_windows: list[list[tuple[float, float]]], labels: np.ndarray) -> np.ndarray:
    pairs = [(window, label) for found, label in zip(clip_windows, labels, strict=True) if (window := strongest(found)) is not None]
    return fit(np.array([window for window, _ in pairs]), np.array([label for _, label in pairs]))


if __name__ == "__main__":
    main()
