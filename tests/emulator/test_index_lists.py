"""Which indices an index list means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.emulator.index_lists import select_indices

PRESENT = {"orders-1": 3, "orders-2": 2, "customers": 1, ".kibana": 1}


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ("", list(PRESENT)),
        ("*", list(PRESENT)),
        ("_all", list(PRESENT)),
        ("orders-*", ["orders-1", "orders-2"]),
        ("customers,orders-1", ["orders-1", "customers"]),
        ("*,-orders-*", ["customers", ".kibana"]),
        ("-orders-*,*", list(PRESENT)),
        ("orders-[12]", []),
        ("nothing-*", []),
        ("missing,customers", ["customers"]),
    ],
)
def test_an_index_list_means_these_indices(wanted: str, chosen: list[str]) -> None:
    """Names, patterns and exclusions choose indices in the cluster's order, each with its shards."""
    assert select_indices(wanted, PRESENT) == {name: PRESENT[name] for name in chosen}


@given(
    st.lists(st.sampled_from(["*", "a*", "-a*", "ab", "-ab", "b", "zz"]), max_size=5),
    st.sets(st.text("ab", min_size=1)),
)
def test_only_what_is_present_is_chosen_and_the_last_word_counts(items: list[str], names: set[str]) -> None:
    """Whatever is asked for, the choice is part of the cluster, and repeating the last item changes nothing."""
    present = dict.fromkeys(sorted(names), 1)
    wanted = ",".join(items)
    chosen = select_indices(wanted, present)
    assert chosen.items() <= present.items()
    assert select_indices(",".join([*items, *items[-1:]]), present) == chosen
