"""The police's figures: what fits, what is reckoned from it, and what is printed; against R's own `glm`."""

from __future__ import annotations

import math
import random
import re
import shutil
import subprocess
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blickschutz.compliance.reports.crime import COLUMNS, Role, Unit, read_rows
from blickschutz.compliance.reports.rates import Cell, change, ratio
from blickschutz.compliance.reports.situation import crime_situation
from blickschutz.compliance.reports.suppression import HIDDEN, Suppressor
from blickschutz.kernel.errors import SettingsError

HEAD = ",".join(COLUMNS)
GOOD = f"""{HEAD}
Raub,Vorplatz,watched,before,Markt,2024-11-25,2024-12-23,days,29,8,40
Raub,Vorplatz,watched,after,Markt,2025-11-24,2025-12-22,days,,4,44
"""
LAW = f"""{HEAD}
Diebstahl,Rathaus,watched,before,,2025-01-01,2025-06-30,days,,60,1
Diebstahl,Rathaus,watched,after,,2026-01-01,2026-06-30,days,,60,9
Diebstahl,Altenhof,comparison,before,,2025-01-01,2025-06-30,days,,60,7
Diebstahl,Altenhof,comparison,after,,2026-01-01,2026-01-31,days,,10,8
"""
REPORT = (date(2026, 1, 1), date(2026, 12, 31))


def line(**more):
    values = {
        "kind": "Raub",
        "place": "Platz",
        "role": "watched",
        "period": "after",
        "event": "",
        "from": "2025-01-01",
        "to": "2025-01-31",
        "unit": "days",
        "exposure": "",
        "offences": "3",
        "identity_checks": "1",
    }
    return (",".join({**values, **more}[name] for name in COLUMNS) + "\n").encode()


class TestFile:
    def test_rows_are_read_with_comma_semicolon_mark_and_german_words(self):
        rows = read_rows(GOOD.encode(), "a.csv")
        assert [(row.offences, row.exposure, row.unit, row.role) for row in rows] == [
            (8, 29.0, Unit.DAYS, Role.WATCHED),
            (4, 29.0, Unit.DAYS, Role.WATCHED),
        ]
        assert read_rows(b"\xef\xbb\xbf" + GOOD.replace(",", ";").encode(), "a.csv") == rows
        german = GOOD.replace("watched", "beobachtet").replace("before", "vorher").replace("after", "nachher").replace("days", "Tage")
        assert read_rows(german.encode(), "a.csv") == rows
        assert read_rows(GOOD.replace(",", "\t").encode(), "a.csv") == rows
        as_an_office_writes = re.sub(r"(\d{4})-(\d\d)-(\d\d)", r"\3.\2.\1", GOOD)
        assert read_rows(as_an_office_writes.encode(), "a.csv") == rows

    @pytest.mark.parametrize(
        ("text", "at", "word"),
        [
            (b"", 1, "Spalten"),
            (b"kind;place;from;to;offences;identity_checks\n", 1, "role"),
            (GOOD.encode() + b"Raub,Vorplatz,2025-01-01\n", 4, "Felder"),
            (GOOD.encode() + line(offences="-3"), 4, "Anzahl"),
            (GOOD.encode() + line(offences="3.5"), 4, "Anzahl"),
            (f"{HEAD}\n".encode(), 1, "keine Zeile"),
            (f"{HEAD}\n,,,,,,,,,,\n".encode(), 1, "keine Zeile"),
            (b"PK\x03\x04" + bytes(4000), 1, "Arbeitsmappe"),
            (GOOD.encode("utf-16"), 1, "UTF-8"),
            (GOOD.encode() + line(kind="Ra\x00ub"), 1, "Arbeitsmappe"),
            (GOOD.encode() + line(kind="Ra\u202eub"), 4, "nicht sieht"),
            (GOOD.encode() + line(kind='"Raub'), 1, "lesen lässt"),
            (GOOD.encode() + line(kind="x" * 200_000), 1, "lesen lässt"),
            (GOOD.encode() + line(offences="1e3"), 4, "Anzahl"),
            (GOOD.encode() + line(offences="1_000"), 4, "Anzahl"),
            (GOOD.encode() + line(offences="٣"), 4, "Anzahl"),
            (GOOD.encode() + line(offences="9" * 400), 4, "Anzahl"),
            (GOOD.encode() + line(unit="visitors", exposure="nan"), 4, "Anzahl"),
            (GOOD.encode() + line(**{"from": "31.2.2025"}), 4, "Tag"),
            (GOOD.encode() + line(**{"from": "1.1.25"}), 4, "Tag"),
            (GOOD.encode() + line(**{"from": "2025-02-01"}), 4, "bevor"),
            (GOOD.encode() + line(kind=""), 4, "leer"),
            (GOOD.encode() + line(role="other"), 4, "watched"),
            (GOOD.encode() + line(period="now"), 4, "before"),
            (GOOD.encode() + line(unit="weeks"), 4, "opening_days"),
            (GOOD.encode() + line(exposure="30"), 4, "31"),
            (GOOD.encode() + line(unit="opening_days", exposure="32"), 4, "31"),
            (GOOD.encode() + line(unit="visitors", exposure="0"), 4, "größer"),
            (GOOD.encode() + line(kind="Körperverletzung").decode().encode("latin-1"), 4, "UTF-8"),
            (GOOD.encode() + line(kind="Körperverletzung".encode().decode("cp1252")), 4, "doppelt"),
            (f"{HEAD}\n".encode() + line() + line(**{"from": "2025-01-31", "to": "2025-02-03"}), 3, "Zeile 2"),
            (f"{HEAD}\n".encode() + line() + line(kind="Diebstahl", role="comparison"), 3, "Rolle"),
            (f"{HEAD}\n".encode() + line() + line(place="Hof", unit="visitors", exposure="9"), 3, "Bezugsgröße"),
            (f"{HEAD}\n".encode() + line() + line(place="Hof", period="before"), 3, "Zeile 2"),
            (f"{HEAD}\n".encode() + line(), 2, "Berichts"),
            (f"{HEAD}\n".encode() + line(period="before", **{"from": "2019-01-01", "to": "2019-06-30"}), 2, "4 Jahre"),
        ],
    )
    def test_what_is_wrong_is_named_by_line(self, text, at, word):
        with pytest.raises(SettingsError, match=rf"zahlen\.csv:{at}: .*{word}"):
            read_rows(text, "zahlen.csv", "de", REPORT)

    def test_every_problem_is_named_at_once_and_in_english(self):
        with pytest.raises(SettingsError, match=r":4: kind and place[\s\S]*:5: 'y' is no count"):
            read_rows(GOOD.encode() + line(place="") + line(offences="y"), "a.csv", "en")


class TestRatio:
    @given(st.integers(0, 500), st.integers(0, 500), st.floats(1, 400), st.floats(1, 400))
    def test_the_interval_holds_the_ratio_and_turns_around(self, after, before, days_after, days_before):
        found = ratio(after, days_after, before, days_before)
        assert 0 <= found.low <= found.high
        if after and before:
            assert found.low <= found.value <= found.high
            back = ratio(before, days_before, after, days_after)
            assert back.value == pytest.approx(1 / found.value)
            assert back.low == pytest.approx(1 / found.high)

    @given(st.integers(1, 200), st.integers(1, 200))
    def test_more_of_the_same_makes_it_narrower(self, after, before):
        few, many = ratio(after, 30, before, 30), ratio(10 * after, 300, 10 * before, 300)
        assert many.high / many.low < few.high / few.low

    def test_nothing_counted_says_nothing(self):
        found = ratio(0, 30, 0, 30)
        assert math.isnan(found.value)
        assert (found.low, found.high) == (0.0, math.inf)
        assert ratio(3, 30, 0, 30).value == math.inf


def square(watched, comparison, exposure=(30.0,) * 4):
    pairs = ((place, after) for place in ("a", "b") for after in (False, True))
    counts = (*watched, *comparison)
    return [Cell(place, place == "a", after, count, much) for (place, after), count, much in zip(pairs, counts, exposure, strict=True)]


class TestChange:
    @given(st.lists(st.integers(1, 400), min_size=4, max_size=4), st.lists(st.floats(1, 1e6), min_size=4, max_size=4))
    def test_of_one_place_each_it_is_the_ratio_of_the_two_ratios_of_rates(self, counts, exposure):
        """Woolf (1955): logarithms, and the sum of the inverse counts."""
        found = change(square(counts[:2], counts[2:], tuple(exposure)))
        rates = [count / much for count, much in zip(counts, exposure, strict=True)]
        assert found.ratio.value == pytest.approx((rates[1] / rates[0]) / (rates[3] / rates[2]), rel=1e-6)
        spread = 1.959963984540054 * math.sqrt(sum(1 / count for count in counts))
        assert found.ratio.high / found.ratio.value == pytest.approx(math.exp(spread), rel=1e-6)
        assert found.ratio.low * found.ratio.high == pytest.approx(found.ratio.value**2, rel=1e-6)

    def test_it_settles_where_only_rounding_is_left(self):
        """Four cells, four parameters, exposures of very different size."""
        exposure = (834202.9289570719, 899358.099089087, 1.1, 39009.21845791508)
        found = change(square((134, 186), (399, 275), exposure))
        assert found.ratio.value == pytest.approx((186 / exposure[1]) / (134 / exposure[0]) / (275 / exposure[3] / (399 / exposure[2])))

    @pytest.mark.parametrize("counts", [(0, 4, 5, 6), (3, 0, 5, 6), (3, 4, 0, 6), (3, 4, 5, 0)])
    def test_a_sum_of_nought_says_nothing(self, counts):
        assert change(square(counts[:2], counts[2:])) is None

    def test_places_of_which_each_has_one_period_say_nothing(self):
        cells = [Cell("a", True, False, 5, 1), Cell("b", True, True, 5, 1), Cell("c", False, False, 5, 1), Cell("d", False, True, 5, 1)]
        assert change(cells) is None

    def test_counts_that_vary_more_than_chance_are_said(self):
        cells = [Cell("a", True, after, count, 10) for after in (False, True) for count in (5, 60, 20)]
        cells += [Cell("b", False, after, count, 10) for after in (False, True) for count in (20, 21, 19)]
        assert change(cells).dispersion > 5


def tables(count):
    """Random tables of the shape that the police gives: places with a role, periods, counts from few to many."""
    rng = random.Random(20260101)
    while count:
        rows = []
        for place in range(rng.randint(2, 6)):
            level = math.exp(rng.uniform(0, 6))
            for after in (False, True):
                for _ in range(rng.randint(1, 3)):
                    exposure = rng.choice([rng.randint(5, 366), rng.randint(1000, 900_000)])
                    rows.append(Cell(f"p{place}", place % 2 == 0, after, round(level * rng.uniform(0.3, 2)), float(exposure)))
        if change(rows) is not None:
            count -= 1
            yield rows


SCRIPT = """
d <- read.csv(file("stdin"), colClasses = c(place = "character"))
for (one in split(d, d$table)) {
  fit <- glm(offences ~ place + after + after:watched + offset(log(exposure)), data = one, family = poisson,
             control = glm.control(epsilon = 1e-14, maxit = 200))
  b <- coef(fit)["after:watched"]; v <- vcov(fit)["after:watched", "after:watched"]
  z <- qnorm(0.975)
  cat(sprintf("%d %.15g %.15g %.15g\\n", one$table[1], exp(b), exp(b - z * sqrt(v)), exp(b + z * sqrt(v))))
}
"""


def test_two_hundred_random_tables_are_as_r_has_them():
    if shutil.which("Rscript") is None:
        pytest.skip("Rscript is not installed (Debian: r-base-core)")
    known = list(tables(200))
    lines = ["table,place,watched,after,offences,exposure"]
    lines += [
        f"{index},{one.place},{int(one.watched)},{int(one.after)},{one.offences},{one.exposure!r}"
        for index, rows in enumerate(known)
        # Places where nothing was counted send R's estimates to minus infinity, and tell of no change.
        for one in rows
        if any(other.offences for other in rows if other.place == one.place)
    ]
    done = subprocess.run(["Rscript", "-e", SCRIPT], input="\n".join(lines), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    theirs = {int(row[0]): [float(value) for value in row[1:]] for row in map(str.split, done.stdout.splitlines())}
    assert len(theirs) == 200
    for index, rows in enumerate(known):
        ours = change(rows).ratio
        assert [ours.value, ours.low, ours.high] == pytest.approx(theirs[index], rel=1e-6), index


def texts(rows, *, public=False):
    section = crime_situation(rows, Suppressor(public=public))
    return [" | ".join(cells) for part in section.parts for cells, _ in getattr(part, "rows", ())] + [
        part.text for part in section.parts if hasattr(part, "text")
    ]


class TestPrinted:
    def test_equal_rates_are_equal_whatever_the_lengths_of_the_periods(self):
        """Sixty in 181 days after sixty in 181, and ten in 31 days after sixty in 181: it printed 0.17."""
        said = texts(read_rows(LAW.encode(), "a.csv", "de", REPORT))
        assert (
            "Diebstahl: Rathaus (beobachtet) | 60 in 181 Tagen | 60 in 181 Tagen | 0,33 je Tag | 0,33 je Tag | 1,00 (0,70 bis 1,43) | 1 → 9"
            in said
        )
        assert any(
            text.startswith("Diebstahl: Altenhof (Vergleich) | 60 in 181 Tagen | 10 in 31 Tagen | 0,33 je Tag | 0,32") for text in said
        )
        assert any(
            "das 1,03-Fache der im Vergleichsraum (95 %: 0,48 bis 2,20). Ein Unterschied ist damit nicht belegt." in text for text in said
        )

    def test_no_cause_is_claimed_and_identity_checks_stand_beside(self):
        for public in (False, True):
            said = texts(read_rows(LAW.encode(), "a.csv"), public=public)
            assert any("Sie belegen nicht, dass die Kameras sie verursacht haben" in text for text in said)
        assert any(text.endswith("| 7 → 8") for text in said)

    def test_an_event_needs_three_years_and_a_comparison_its_area(self):
        said = texts(read_rows(GOOD.encode(), "a.csv"))
        assert "OFFEN: Raub (Markt): Zahlen eines Vergleichsraums" in said
        assert "OFFEN: Raub (Markt): Zahlen aus mindestens 3 Jahren (2 liegen vor)" in said
        third = line(kind="Raub", place="Vorplatz", period="before", event="Markt", **{"from": "2023-11-27", "to": "2023-12-22"})
        assert not any("3 Jahren" in text for text in texts(read_rows(GOOD.encode() + third, "a.csv")))

    def test_in_public_small_counts_and_what_would_tell_them_are_hidden(self):
        said = texts(read_rows(GOOD.encode(), "a.csv"), public=True)
        assert f"Raub (Markt): Vorplatz (beobachtet) | {HIDDEN} | {HIDDEN} | {HIDDEN} | {HIDDEN} | {HIDDEN} | 40 → 44" in said
        small = LAW.replace(",10,8", ",4,8")
        assert "Diebstahl: Der Vergleich ist nicht veröffentlicht; die Anzahlen sind zu klein." in texts(
            read_rows(small.encode(), "a.csv"), public=True
        )

    def test_nothing_given_is_open(self):
        assert texts([]) == ["OFFEN: Zahlen der Polizei für den Zeitraum und einen Vergleichsraum"]
