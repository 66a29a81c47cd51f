"""Freshness: the newest good snapshot among those asked for decides, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.freshness import CLOCKS_DIFFER, KINDS, SCOPES, SnapshotFresh, check_word
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from tests.protocol.freshness_cases import NOW, snapshots, wanted


@given(wanted, st.lists(snapshots, max_size=6))
def test_what_is_found_is_good_new_enough_and_asked_for(condition: SnapshotFresh, listed: list[Snapshot]) -> None:
    """Met exactly when such a snapshot is listed, and then with the newest of them."""
    found = condition.see(tuple(listed), NOW)
    fit = [
        s for s in condition.reachable(tuple(listed)) if s.is_good and s.began_at and s.began_at - NOW <= CLOCKS_DIFFER
    ]
    fresh = [s for s in fit if s.began_at and (NOW - s.began_at).total_seconds() <= condition.max_age]
    assert (found is not None) == bool(fresh)
    if found is not None:
        (chosen,) = [s for s in listed if s.id == found["id"]]
        assert chosen.began_at == max(s.began_at for s in fresh if s.began_at)
        assert chosen.name.startswith(condition.name_prefix)
        assert condition.made_by in {None, "automatic" if chosen.is_automatic else "manual"}
        assert condition.scope is None or chosen.mark is not None
        assert 0 <= found["age_seconds"] <= condition.max_age + 0.001


@pytest.mark.parametrize(("ahead", "is_met"), [(299, True), (300, True), (301, False), (86_400, False)])
def test_what_starts_in_the_future_is_not_fresh(ahead: int, is_met: bool) -> None:  # noqa: FBT001 - a table's column
    """Beyond the five minutes by which clocks may differ it does not count, and an older good one does."""
    began = NOW + timedelta(seconds=ahead)
    future = Snapshot("id-1", "future", SnapshotStatus.COMPLETED, "COMPLETED", total_shards=1, started_at=began)
    condition = SnapshotFresh(3600)
    assert (condition.see((future,), NOW) is not None) is is_met
    assert ("which starts in the future" in condition.state()) is not is_met
    older = Snapshot("id-2", "older", SnapshotStatus.COMPLETED, "COMPLETED", total_shards=1, started_at=NOW)
    found = condition.see((future, older), NOW)
    assert found is not None
    assert found["id"] == ("id-1" if is_met else "id-2")


@pytest.mark.parametrize(("word", "legal"), [("package", SCOPES), ("manual", KINDS), (None, SCOPES)])
def test_a_legal_word_is_taken(word: Any, legal: tuple[str, ...]) -> None:
    """It comes back as it is."""
    assert check_word("scope", word, legal) == word


@pytest.mark.parametrize("word", ["", "Package", "mine", 1, True, ["dag"]])
def test_another_word_is_refused_with_the_legal_ones(word: Any) -> None:
    """The message names all of them."""
    with pytest.raises(CssUsageError, match="package, deployment, dag"):
        check_word("scope", word, SCOPES)
