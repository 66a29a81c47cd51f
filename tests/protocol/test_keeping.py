"""
The keep rules against an outside witness: ``restic forget --dry-run``.

The default run replays what restic 0.14.0 was recorded to say. The heavy run asks restic itself, about many histories.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from airflow_css.protocol.keeping import kept_by
from airflow_css.protocol.models import Snapshot, SnapshotStatus
from airflow_css.protocol.provenance import RunIdentity, make_mark, write_mark
from airflow_css.protocol.retention import plan_retention
from airflow_css.protocol.rules import RetentionRules
from airflow_css.protocol.selection import Ownership, Selection
from tests.protocol.restic import Entry, Repository, Verdicts, find_restic

RECORDED = Path(__file__).parents[1] / "vectors" / "retention" / "restic_0_14_0.json"
VECTORS: list[dict[str, Any]] = json.loads(RECORDED.read_text(encoding="utf-8"))
POLICIES = [(vector, policy) for vector in VECTORS for policy in vector["policies"]]

COUNTING = ("keep_last", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly")
GROUPINGS = ("", "host", "tags", "host,tags")
ENTRIES = {"UTC": 48, "America/New_York": 32}
POLICIES_EACH = 40
SEEN = (0, 14)

# restic looks at the real clock, so what the histories call the future lies far ahead, and their past far back.
NOW = datetime(2025, 6, 1, tzinfo=UTC)
MARK = write_mark(make_mark(RunIdentity("prod", "orders", "backup", "run"), None))
OURS = Selection(Ownership("prod", "orders"))


def _ours(moments: Sequence[datetime], rules: RetentionRules) -> list[tuple[datetime, list[str]]]:
    """Return the names of our rules that keep each moment, newest first."""
    newest_first = sorted(moments, reverse=True)
    kept = kept_by(newest_first, rules.counts, rules.within, zone=rules.zone, now=NOW)
    named = [sorted(reason.partition(" ")[0] for reason in reasons) for reasons in kept]
    return list(zip(newest_first, named, strict=True))


@pytest.mark.parametrize(("vector", "policy"), POLICIES)
def test_what_restic_was_recorded_to_keep_is_kept(vector: dict[str, Any], policy: dict[str, Any]) -> None:
    """Each recorded policy keeps the same snapshots for the same reasons."""
    rules = RetentionRules(**policy["rules"], timezone=vector["zone"])
    recorded = {datetime.fromisoformat(moment): reasons for moment, reasons in policy["kept"].items()}
    assert dict(_ours(list(recorded), rules)) == recorded


def test_the_recorded_policies_decide_something() -> None:
    """Among the recorded verdicts every rule keeps something, every vector lets something go, and a clock changes."""
    reasons = [reasons for _, policy in POLICIES for reasons in policy["kept"].values()]
    assert {reason for found in reasons for reason in found} == {*COUNTING, "keep_within"}
    assert all([] in policy["kept"].values() for _, policy in POLICIES)
    assert {vector["zone"] for vector in VECTORS} == set(ENTRIES)


def _wall_clock(chance: random.Random, count: int) -> Iterator[str]:
    """Yield moments with close neighbours, twins, ends of weeks, months and years, and hours in which clocks change."""
    edges = [
        *(datetime(2019 + year, 12, 28) + timedelta(days=day, hours=12) for year in range(4) for day in range(9)),  # noqa: DTZ001 - as a clock on a wall shows it
        *(datetime(2024, month, 1) - timedelta(hours=hour) for month in (2, 3, 4) for hour in (0, 1, 24)),  # noqa: DTZ001 - as above
        *(datetime(2024, month, day, hour, 30) for month, day in ((3, 10), (11, 3)) for hour in range(4)),  # noqa: DTZ001 - as above
    ]
    moment = datetime(2024, 12, 31, 23, 59)  # noqa: DTZ001 - as above
    for _ in range(count):
        if chance.random() < 0.4:
            yield f"{chance.choice(edges):%Y-%m-%d %H:%M:%S}"
            continue
        yield f"{moment:%Y-%m-%d %H:%M:%S}"
        moment -= chance.choice([timedelta(), *(timedelta(hours=hours) for hours in (0.2, 3, 11, 24, 60, 400, 3000))])


def _entries(chance: random.Random, count: int) -> Iterator[Entry]:
    for when in [*_wall_clock(chance, count - 1), "2090-02-03 04:05:06"]:
        yield Entry(when, f"host{chance.randrange(3)}", f"tag{chance.randrange(3)}")


def _policy(chance: random.Random) -> dict[str, Any]:
    chosen = chance.sample([*COUNTING, "keep_within"], chance.choice([1, 1, 2, 3]))
    rules: dict[str, Any] = {rule: chance.randint(1, 6) for rule in chosen}
    if "keep_within" in rules:
        number = chance.choice([1, 2, 5, 13, 40])
        rules["keep_within"] = chance.choice(
            [f"{number}y", f"{number}m", f"{number}d", f"{number}h", f"1y{number}m3d2h"]
        )
    return rules


def _check(theirs: Verdicts, rules: RetentionRules, *, oldest_is_kept: bool) -> None:
    """Two twins cannot be told apart, so what is compared is how often each moment is kept for which reasons."""
    ours = _ours([moment for moment, _ in theirs.values()], rules)
    expected = sorted(theirs.values(), reverse=True)
    if oldest_is_kept:
        # Later versions keep the oldest one as well while a count lasts. Nothing else differs.
        oldest = expected[-1][0]
        ours = [entry for entry in ours if entry[0] > oldest]
        expected = [entry for entry in expected if entry[0] > oldest]
    assert _counted(ours) == _counted(expected), rules


def _counted(entries: Sequence[tuple[datetime, list[str]]]) -> Counter[tuple[datetime, str]]:
    return Counter((moment, " ".join(reasons)) for moment, reasons in entries)


def _check_plan(theirs: Verdicts, rules: RetentionRules) -> None:
    """Compare what a plan lets go with what restic forgets."""
    listed = [
        Snapshot(key, status=SnapshotStatus.COMPLETED, description=MARK, started_at=moment)
        for key, (moment, _) in theirs.items()
    ]
    going = Counter(snapshot.began_at for snapshot in plan_retention(listed, rules, OURS, now=NOW).to_delete)
    forgotten = Counter(moment for moment, reasons in theirs.values() if not reasons)
    if all(moment <= NOW for moment, _ in theirs.values()):
        assert going == forgotten, rules
    # A date in the future makes a plan more careful, never less.
    assert going <= forgotten, rules


@pytest.mark.heavy
@pytest.mark.parametrize("zone", ENTRIES)
def test_restic_itself_keeps_the_same(tmp_path: Path, zone: str) -> None:
    """On generated histories restic keeps what we keep, for the same reasons, and a plan lets the rest go."""
    repository = Repository(find_restic(), tmp_path, zone)
    chance = random.Random(f"a history in {zone}")  # noqa: S311 - cases are drawn, no secret
    repository.fill(_entries(chance, ENTRIES[zone]))
    is_later = repository.version > SEEN
    compared, gone, offsets = 0, 0, set()
    for _ in range(POLICIES_EACH):
        policy = _policy(chance)
        rules = RetentionRules(**policy, timezone=zone)
        for theirs in repository.forget(policy, chance.choice(GROUPINGS)):
            _check(theirs, rules, oldest_is_kept=is_later)
            compared += len(theirs)
            gone += sum(not reasons for _, reasons in theirs.values())
            if not is_later:
                _check_plan(theirs, rules)
            offsets |= {moment.utcoffset() for moment, _ in theirs.values()}
    assert compared == ENTRIES[zone] * POLICIES_EACH >= 1_000
    assert gone >= compared / 10
    # Without its data of time zones restic would fall back to UTC without a word.
    assert len(offsets) == (1 if zone == "UTC" else 2)


@pytest.mark.heavy
@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: str(vector["zone"]))
def test_restic_itself_says_what_was_recorded(tmp_path: Path, vector: dict[str, Any]) -> None:
    """The recorded verdicts are those of a real restic, so that a vector cannot have been adapted to our code."""
    repository = Repository(find_restic(), tmp_path, vector["zone"])
    if repository.version > SEEN:
        pytest.skip("later versions of restic keep the oldest one as well while a count lasts")
    moments = vector["policies"][0]["kept"]
    zone = ZoneInfo(vector["zone"])
    walls = [datetime.fromisoformat(moment).astimezone(zone) for moment in moments]
    repository.fill(Entry(f"{wall:%Y-%m-%d %H:%M:%S}") for wall in walls)
    for policy in vector["policies"]:
        (theirs,) = repository.forget(policy["rules"], "")
        assert {moment.isoformat(): reasons for moment, reasons in theirs.values()} == policy["kept"]
