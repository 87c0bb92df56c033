"""Values written for people."""

from datetime import UTC, datetime

import pytest

from reports.wording import drawable, for_people, in_utc, site_date, site_time, utc_time


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("≤ 0.50 {EU}/mL", "≤ 0.50 EU/mL"),
        ("1.2E+11 {particles}/mL", "1.2 × 10¹¹ particles/mL"),
        ("≥ 2.0E+9 {particles}/ug", "≥ 2.0 × 10⁹ particles/µg"),
        ("12.0 ug/mL", "12.0 µg/mL"),
        ("250 – 350 mosm/kg", "250 – 350 mosmol/kg"),
        ("2 Cel – 8 Cel", "2 °C – 8 °C"),
        ("6.5 – 7.8 [pH]", "6.5 – 7.8"),
        ("≤ 10 [CFU]/(100.mL)", "≤ 10 CFU/100 mL"),
        ("0.61 1", "0.61"),
        ("-14.2 mV", "−14.2 mV"),
        ("1.0E-3 %", "0.0010 %"),
        ("96 {vial}", "96 vials"),
        ("1 {vial}", "1 vial"),
        ("No growth", "No growth"),
        ("SOP-QC-041 v3", "SOP-QC-041 v3"),
        ("2026-11-20", "2026-11-20"),
        ("Present in 2 of 3", "Present in 2 of 3"),
    ],
)
def test_stored_figures_are_written_for_people(stored: str, shown: str) -> None:
    assert for_people(stored) == shown


def test_german_units_have_german_words() -> None:
    assert for_people("1.2E+11 {particles}/mL", "de") == "1.2 × 10¹¹ Partikel/mL"


def test_letters_without_a_glyph_become_their_equals() -> None:
    assert drawable("Gro\u0308ße\u2009a\u2011b") == "Größe\u202fa-b"


def test_a_moment_without_zone_is_utc_and_the_site_has_its_own_clock() -> None:
    moment = datetime(2026, 7, 1, 22, 30, 5)  # noqa: DTZ001
    assert in_utc(moment) == datetime(2026, 7, 1, 22, 30, 5, tzinfo=UTC)
    assert utc_time(moment) == "2026-07-01 22:30:05 UTC"
    assert site_time(moment, "Europe/Berlin") == "2026-07-02 00:30:05 +02:00 (Europe/Berlin)"
    assert site_date(moment, "Europe/Berlin") == "2026-07-02"
