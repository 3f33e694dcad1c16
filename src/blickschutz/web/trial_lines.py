"""What a page says of a trial: its steps with what they found, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from blickschutz.ingest.model import Cause, Measured, Step
from blickschutz.pipeline.trials import PictureTold, StepTold
from blickschutz.web.texts import CAUSE_WORDS, DOUBT_WORDS, number, translator
from blickschutz.web.trial_words import CODEC_WORDS, FOUND_WORDS, OFFER_WORDS, STEP_WORDS, TRIAL_TEXTS


def trial_data(language: str) -> dict[str, object]:
    """What the script of the page needs: the steps in their order, and its texts."""
    _ = translator(language)
    steps = [[step.value, _(words)] for step, words in STEP_WORDS.items()]
    return {"steps": steps, "texts": {name: _(text) for name, text in TRIAL_TEXTS.items()}}


def step_said(told: StepTold, language: str) -> dict[str, str]:
    """One step for the page: which, how it went, and what it found or what to do."""
    _ = translator(language)
    words = STEP_WORDS.get(told.step) or OFFER_WORDS.get(told.step, "")
    said = {"step": told.step.value, "name": _(words)}
    if told.cause is None:
        return {**said, "state": "done", "text": _FOUND[told.step](told.measured, language) if told.step in _FOUND else ""}
    # A clock that nobody knows keeps no camera from working; a wrong account is wrong for the stream, too.
    if told.step is Step.CLOCK and told.cause is not Cause.PASSWORD:
        return {**said, "state": "unknown", "text": filled("clock-unknown", language)}
    return {**said, "state": "failed", "text": _(CAUSE_WORDS[told.cause.value])}


def picture_said(told: PictureTold, language: str) -> dict[str, str]:
    """The step of the picture: done, or why there is none."""
    _ = translator(language)
    said = {"step": Step.PICTURE.value, "name": _(STEP_WORDS[Step.PICTURE])}
    if told.data:
        return {**said, "state": "done", "text": ""}
    why = _(DOUBT_WORDS[told.doubt.value]) if told.doubt is not None else ""
    return {**said, "state": "unknown", "text": filled("no-picture", language, why)}


def filled(words: str, language: str, *figures: str) -> str:
    """A sentence of `FOUND_WORDS` with its figures in their order."""
    said = translator(language)(FOUND_WORDS[words])
    for one in figures:
        said = said.replace("{}", one, 1)
    return said


def _stream(found: Measured, language: str) -> str:
    return f"{translator(language)(CODEC_WORDS[found.codec])}, {found.width} × {found.height} px"


def _keyframes(found: Measured, language: str) -> str:
    if not found.key_s:
        return filled("keys-few", language, str(found.keys))
    return filled("keys", language, number(found.key_s, language, 2), number(found.key_most_s, language, 2))


def _rate(found: Measured, language: str) -> str:
    return filled("rate", language, number(found.rate, language), number(found.kbit, language, 0))


def _load(found: Measured, language: str) -> str:
    return filled("load", language, number(found.cores, language, 2), number(found.memory_mb, language, 0))


def _clock(found: Measured, language: str) -> str:
    if abs(found.clock_s) < 1:
        return filled("clock-right", language)
    return filled("clock-ahead" if found.clock_s > 0 else "clock-behind", language, number(abs(found.clock_s), language, 0))


_FOUND: Mapping[Step, Callable[[Measured, str], str]] = {
    Step.STREAM: _stream,
    Step.KEYFRAMES: _keyframes,
    Step.RATE: _rate,
    Step.LOAD: _load,
    Step.CLOCK: _clock,
}
