"""The URI of a backup: one way to write it, and what is read out of it."""

from __future__ import annotations

import json
import string
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_css.assets.uri import BackupUri, event_extra, read_uri, sanitize_uri
from airflow_css.protocol.errors import CssUsageError
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.names import fold_prefix

CLUSTER = "4f3deec3-efa8-4598-bf91-560aad1377a3"
TEXTS = st.text(string.ascii_letters + string.digits + "-_ .", max_size=30)


def _has_a_legal_beginning(text: str) -> bool:
    try:
        fold_prefix(text)
    except CssUsageError:
        return False
    return True


def _sanitized(text: str) -> str:
    return sanitize_uri(urlsplit(text)).geturl()


@given(TEXTS.filter(_has_a_legal_beginning))
def test_however_it_is_written_it_comes_to_one_uri(text: str) -> None:
    """Sanitizing twice changes nothing more, and what is read back is the folded beginning."""
    once = _sanitized(f"css://{CLUSTER}/{text.strip()}")
    assert _sanitized(once) == once
    assert read_uri(SimpleNamespace(uri=once)) == BackupUri(CLUSTER, fold_prefix(text.strip()))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("css://search-prod/orders-", "a cluster id is a UUID"),
        ("css:///orders-", "a cluster id is a UUID"),
        (f"css://{CLUSTER}/9orders", "starts with a lower-case letter"),
        (f"css://{CLUSTER}/{'a' * 65}", "at most 64 characters"),
        (f"css://{CLUSTER}/orders-?x=1", "nothing behind a ?"),
        (f"css://key@{CLUSTER}/orders-", "a cluster id is a UUID"),
    ],
)
def test_what_names_no_backup_is_refused(text: str, rule: str) -> None:
    """A URI without a cluster's id, or with what no name begins with, is refused with the rule."""
    with pytest.raises(CssUsageError, match=rule.replace("?", r"\?")):
        _sanitized(text)


@pytest.mark.parametrize("text", ["s3://bucket/key", "", "orders", "file:///tmp/x"])
def test_an_asset_of_others_is_none_of_ours(text: str) -> None:
    """Assets of other schemes, and what has no URI at all, are left alone."""
    assert read_uri(SimpleNamespace(uri=text)) is None
    assert read_uri(object()) is None


def test_an_event_says_which_backup_in_plain_json() -> None:
    """The extra has the names of the task's XComs, and passes through JSON unchanged."""
    snapshot = Snapshot("id-1", "orders-1", SnapshotStatus.COMPLETED, "COMPLETED", indices=("orders-2026",))
    extra = event_extra(CLUSTER, snapshot)
    assert json.loads(json.dumps(extra)) == extra
    assert {key: extra[key] for key in ("backup_id", "snapshot_name", "cluster_id")} == {
        "backup_id": "id-1",
        "snapshot_name": "orders-1",
        "cluster_id": CLUSTER,
    }
    assert extra["snapshot"] == snapshot.as_json()
