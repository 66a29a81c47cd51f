"""Snapshots and questions about their freshness, of every kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from airflow_css.protocol.freshness import KINDS, SnapshotFresh
from airflow_css.protocol.models import Snapshot, SnapshotStatus

__all__ = ["NOW", "snapshots", "wanted"]

NOW = datetime(2026, 11, 23, 3, tzinfo=UTC)
MARK = "[af1 6754af 4852a827 4ba28873 0953c081 fd891501 0]"
DAMAGED = MARK.replace(" 0]", " 0 hurt]")

snapshots = st.builds(
    Snapshot,
    id=st.uuids().map(str),
    name=st.sampled_from(["orders-1", "orders-2", "logs-1"]),
    status=st.sampled_from(SnapshotStatus),
    description=st.sampled_from(
        ["", MARK, "[af9 later]", MARK.replace("4852a827", "00000000"), MARK.replace(" 0]", " 0 hurt]")]
    ),
    total_shards=st.sampled_from([None, 0, 3]),
    failed_shards=st.sampled_from([None, 0, 1]),
    is_automatic=st.booleans(),
    bucket=st.sampled_from(["", "old", "new"]),
    started_at=st.none() | st.integers(-1000, 100_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
)
wanted = st.builds(
    SnapshotFresh,
    max_age=st.floats(1, 100_000),
    name_prefix=st.sampled_from(["", "orders-", "none"]),
    scope=st.sampled_from([None, "package", "deployment", "dag"]),
    owner=st.sampled_from(["6754af", "4852a827"]),
    made_by=st.sampled_from([None, *KINDS]),
    bucket=st.sampled_from(["", "new"]),
)
