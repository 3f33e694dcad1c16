"""From the sealed file to the folder that is published, and the one that is not."""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import msgspec

from stimmungsbild.collection.folder import fingerprint, write_private
from stimmungsbild.collection.monitor import read_margins
from stimmungsbild.errors import FieldError, MarginsError
from stimmungsbild.evaluation.coding import read_coded
from stimmungsbild.evaluation.model import Opened
from stimmungsbild.evaluation.opening import joined, open_answers, read_sealed
from stimmungsbild.evaluation.room import evaluate
from stimmungsbild.keys.files import read_evaluation, read_holder
from stimmungsbild.keys.model import EvaluationKey, OpenKey
from stimmungsbild.keys.service import open_evaluation
from stimmungsbild.publication.figures import figures, read_figures, sign_figures
from stimmungsbild.publication.model import Figures
from stimmungsbild.publication.opendata import files
from stimmungsbild.publication.press import as_page, as_pdf
from stimmungsbild.publication.report import LANGUAGES, report
from stimmungsbild.publication.views import views
from stimmungsbild.publication.waves import changes
from stimmungsbild.questionnaire.model import Questionnaire, Wave

PUBLIC, INTERNAL, DATA = "public", "internal", "data"
_DISTRICT = "district"


def publish(
    q: Questionnaire,
    earlier: Wave,
    answers: Sequence[Path],
    key: Path,
    holders: Mapping[Path, str],
    margins: Path,
    out: Path,
    today: date,
    texts: Path | None = None,
    before: Path | None = None,
) -> Figures:
    """Open, evaluate, print. `answers`: what left the field, and what the desks for paper sealed. `out` must not hold a report yet.

    `holders`: key file and passphrase of two people. `texts`: what was coded of the open texts.
    `before`: signed figures of an earlier wave.
    """
    if out.exists() and any(out.iterdir()):
        raise FieldError(f"{out} is not empty; a report is printed into an empty folder, so that no old page stays beside a new one")
    evaluation = read_evaluation(key)
    opened_key, opened = open_all(q, answers, evaluation, holders)
    codes, kappa = read_coded(texts) if texts else (None, None)
    people = read_margins(margins)
    register = {name: one for name, one in people.items() if name != _SENT}
    found = evaluate(q, opened, register, _sent(people), opened_key.signing, _drawn(opened_key.signing), codes)
    what = figures(q, earlier, opened, found, today, kappa, simulated=opened.field.demo)
    if before:
        then = read_figures(before.read_bytes())
        what = msgspec.structs.replace(what, before=then.wave, changes=changes(what, then))
    _print(q, what, out / PUBLIC, today)
    signed = sign_figures(what, opened_key, evaluation.verify)
    write_private(out / PUBLIC / "figures.json", signed)
    write_private(out / PUBLIC / "standpunkte.txt", views(q, what, signed).encode())
    log = io.StringIO()
    writer = csv.writer(log)
    writer.writerow(["answer", "item", "what"])
    writer.writerows([one.digest, one.item, one.what.value] for one in found.log)
    writer.writerows([digest, "", "altered: does not open"] for digest in opened.altered)
    (out / INTERNAL).mkdir(mode=0o700)
    write_private(out / INTERNAL / "cleaning.csv", log.getvalue().encode())
    return what


def open_all(q: Questionnaire, answers: Sequence[Path], evaluation: EvaluationKey, holders: Mapping[Path, str]) -> tuple[OpenKey, Opened]:
    """All answers of a field, opened by two people. Raises `SurveyError`."""
    if len(holders) != 2:
        raise FieldError("two holders open an evaluation together; give two key files")
    first, second = ((read_holder(path), passphrase) for path, passphrase in holders.items())
    opened_key = open_evaluation(evaluation, first, second)
    sealed = joined([read_sealed(one.read_bytes()) for one in answers])
    if sealed.field.questionnaire != fingerprint(q):
        raise FieldError("the answers are to another questionnaire; give the workbook that the field had")
    return opened_key, open_answers(sealed, opened_key)


# In the file of margins: how many letters were sent to each district, where the sample was not drawn in equal parts.
_SENT = "letters"


def _sent(people: Mapping[str, Mapping[str, float]]) -> Mapping[str, float] | None:
    sent = people.get(_SENT)
    if sent is not None and _DISTRICT not in people:
        raise MarginsError("letters are counted by district, and the margins have no district")
    return sent


def _drawn(secret: bytes) -> Callable[[int], int]:
    """Groups of the jackknife by chance that follows from the evaluation's secret: who prints a wave again prints the same intervals."""
    numbers = itertools.count()

    def below(n: int) -> int:
        text = next(numbers).to_bytes(8, "big")
        return int.from_bytes(hashlib.blake2b(text, key=secret[:64], digest_size=16, person=b"jackknife").digest(), "big") % n

    return below


def _print(q: Questionnaire, what: Figures, folder: Path, today: date) -> None:
    folder.mkdir(parents=True)
    pages = {language: "index.html" if language == LANGUAGES[0] else f"{language}.html" for language in LANGUAGES}
    for language, page in pages.items():
        made = report(q, what, language)
        others = {one: file for one, file in pages.items() if one != language}
        write_private(folder / page, as_page(made, today, others).encode())
        write_private(folder / f"report-{language}.pdf", as_pdf(made, today))
    (folder / DATA).mkdir()
    for name, data in files(q, what).items():
        write_private(folder / DATA / name, data)


def tally(path: Path) -> dict[str, int]:
    """How often the cleaning log of a report says what."""
    with path.open(encoding="utf-8", newline="") as file:
        return dict(Counter(row["what"] for row in csv.DictReader(file)))
