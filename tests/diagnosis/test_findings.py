"""How findings are shown: aligned, wrapped between words, complete."""

from __future__ import annotations

from airflow_css.diagnosis.findings import Finding, Report, Verdict

LONG = Finding("signature", Verdict.FAILED, "word " * 60, "do " * 60, "wrong-secret", ("- one", "+ other"))
SHORT = Finding("keys", Verdict.OK, "from the connection")


def test_lines_are_aligned_and_no_longer_than_a_screen() -> None:
    """The text begins in one column, the remedy behind an arrow, and details follow as they are."""
    lines = Report((SHORT, LONG)).lines()
    column = lines[0].index("from")
    assert lines[0] == "ok           keys                 from the connection"
    assert max(map(len, lines)) <= 120
    assert all(not line[:column].strip() for line in lines[2:])
    assert [line[column:] for line in lines[-2:]] == ["- one", "+ other"]
    assert sum("-> do" in line for line in lines) == 1


def test_an_address_is_never_broken() -> None:
    """What must be copied stays in one piece, however long it is."""
    address = "https://" + "a-" * 80 + "b"
    lines = Finding("endpoint", Verdict.OK, f"{address} answers").lines()
    assert any(address in line for line in lines)


def test_a_report_counts_what_failed() -> None:
    """JSON has everything, with the number of failures first."""
    report = Report((SHORT, LONG)).as_json()
    assert report["failed"] == 1
    assert report["findings"][1]["cause"] == "wrong-secret"
    assert report["findings"][0]["remedy"] == ""
