"""The how-to for assets: what it says of an event is what the code writes."""

from __future__ import annotations

import re

from airflow_css.assets.uri import event_extra
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from tests.docs.markdown import page

HOW_TO = page("docs/how-to/assets.md")


def test_the_keys_are_those_of_the_event() -> None:
    """Each key of the extra has one line, in the order of the extra."""
    extra = event_extra("cluster", Snapshot("id", "name", SnapshotStatus.COMPLETED, "COMPLETED"))
    assert [re.findall(r"`(\w+)`", row[0])[0] for row in HOW_TO.table("key")] == list(extra)
