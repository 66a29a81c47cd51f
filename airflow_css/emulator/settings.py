"""
The bodies that set up snapshots, read and checked: where they go, and when they are made by themselves.

Source: CSS API reference, "Modifying Basic Configurations of a Cluster Snapshot", "Configuring the Automatic Snapshot
Creation Policy" and "Enabling Automatic Snapshot Creation", 2025-12-01.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from airflow_css.emulator.bodies import Body, check_indices, read_body, wrong
from airflow_css.emulator.clusters import PolicyEntry
from airflow_css.emulator.exchange import css_refusal

__all__ = ["PolicyOrder", "SettingOrder", "read_opening", "read_policy", "read_setting"]

FREQUENCIES = ("HOUR", "DAY", "SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
MOST_KEPT = 90
LONGEST_PATH = 512
_FULL_HOUR = re.compile(r"([01]\d|2[0-3]):00 GMT[+-](0\d|1[0-4]):[0-5]\d")
_PREFIX = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SPEED = re.compile(r"-1|0|[0-9]{1,4}(b|[kmgtp]b?)", re.IGNORECASE)
_BAD_PATH = re.compile(r"[\\:*?\"<>|'{}]|^[/.]|\.$|/{3}|\.{3}")


@dataclass(frozen=True)
class PolicyOrder:
    """
    What is asked of the policy for automatic snapshots.

    :param enabled: Whether it is to be on.
    :param prefix: What names begin with.
    :param period: When they are due.
    :param keep: How many are kept.
    :param frequency: How often.
    :param indices: The index list.
    :param delete_automatic: Whether those that it has made go when it is turned off.
    """

    enabled: bool
    prefix: str = "snapshot"
    period: str = "00:00 GMT+08:00"
    keep: int = 7
    frequency: str = "DAY"
    indices: str = "*"
    delete_automatic: bool = False

    def applied_to(self, policy: PolicyEntry) -> PolicyEntry:
        """
        Return the policy as it is afterwards; what is turned off remembers when it was due.

        :param policy: The policy before.
        """
        if not self.enabled:
            return replace(policy, enabled=False)
        return replace(
            policy,
            enabled=True,
            prefix=self.prefix,
            period=self.period,
            keep=self.keep,
            frequency=self.frequency,
            indices=self.indices,
        )


@dataclass(frozen=True)
class SettingOrder:
    """
    What is asked of the settings of all snapshots.

    :param bucket: Where they go.
    :param agency: In whose name the service uses the bucket.
    :param base_path: Where in the bucket; empty for no change.
    :param snapshot_speed: The highest rate of making them; empty for no change.
    :param restore_speed: The highest rate of restoring; empty for no change.
    :param policy: What is asked of the policy.
    """

    bucket: str
    agency: str
    base_path: str
    snapshot_speed: str
    restore_speed: str
    policy: PolicyOrder

    def applied_to(self, policy: PolicyEntry) -> PolicyEntry:
        """
        Return settings and policy as they are afterwards.

        :param policy: Both before.
        """
        after = replace(
            policy,
            bucket=self.bucket,
            agency=self.agency,
            base_path=self.base_path or policy.base_path,
            snapshot_speed=self.snapshot_speed or policy.snapshot_speed,
            restore_speed=self.restore_speed or policy.restore_speed,
        )
        return self.policy.applied_to(after)


def read_policy(body: bytes) -> PolicyOrder:
    """
    Return what is asked of the policy.

    :param body: The bytes sent.
    :raises Refusal: if it breaks a rule; the detail names the field.
    """
    fields = read_body(body)
    fields.needed("enable")
    return _policy(fields)


def read_opening(body: bytes) -> PolicyOrder:
    """
    Return what is asked of the policy by the call that only turns it on.

    Assumed: the period may be left out; two definitions of the call differ.

    :param body: The bytes sent.
    :raises Refusal: if it breaks a rule; the detail names the field.
    """
    return _turned_on(read_body(body), period_needed=False)


def read_setting(body: bytes) -> SettingOrder:
    """
    Return what is asked of the settings.

    Source: as above: the policy is turned off unless ``enable`` says otherwise. Assumed: the path may be left out;
    pages differ.

    :param body: The bytes sent.
    :raises Refusal: if it breaks a rule; the detail names the field.
    """
    fields = read_body(body)
    agency, base_path = fields.needed("agency"), fields.text("base_path", "basePath")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", agency):
        raise wrong("agency has only letters, digits, - and _")
    if len(base_path) > LONGEST_PATH or _BAD_PATH.search(base_path):
        raise wrong("base_path has at most 512 characters, none of \\:*?\"<>|'{}, and no / or . where it must not be")
    return SettingOrder(
        bucket=fields.needed("bucket"),
        agency=agency,
        base_path=base_path,
        snapshot_speed=_speed(fields, "max_snapshot_bytes_per_seconds", "maxSnapshotBytesPerSeconds"),
        restore_speed=_speed(fields, "max_restore_bytes_per_seconds", "maxRestoreBytesPerSeconds"),
        policy=_policy(fields),
    )


def _speed(fields: Body, *names: str) -> str:
    """Return a rate. Source: as above; the example sends the number 0 where the table says text, so both are read."""
    speed = fields.text_or_number(*names)
    if speed and not _SPEED.fullmatch(speed):
        raise wrong(f"{names[0]} is a number from 0 to 9999 with a unit such as MB, or 0, or -1")
    return speed


def _policy(fields: Body) -> PolicyOrder:
    if fields.flag_in_words("enable"):
        return _turned_on(fields, period_needed=True)
    return PolicyOrder(enabled=False, delete_automatic=bool(fields.flag_in_words("delete_auto", "deleteAuto")))


def _turned_on(fields: Body, *, period_needed: bool) -> PolicyOrder:
    usual = PolicyOrder(enabled=True)
    prefix, keep = fields.needed("prefix"), fields.number("keepday")
    frequency = fields.text("frequency") or usual.frequency
    period = fields.text("period")
    if not _PREFIX.fullmatch(prefix):
        raise wrong("prefix has 1 to 32 characters: a lower-case letter, then lower-case letters, digits, - and _")
    if keep is None or not 1 <= keep <= MOST_KEPT:
        raise css_refusal("CSS.3011", f"keepday is a number from 1 to {MOST_KEPT}")
    if frequency not in FREQUENCIES:
        raise wrong(f"frequency is one of {', '.join(FREQUENCIES)}")
    if not period and period_needed and frequency != "HOUR":
        raise wrong("period is missing")
    if period and not _FULL_HOUR.fullmatch(period):
        raise wrong("period is a full hour and a zone, for example 16:00 GMT+08:00")
    indices = check_indices(fields.text("indices")) or usual.indices
    return PolicyOrder(
        enabled=True,
        prefix=prefix,
        period=period or usual.period,
        keep=keep,
        frequency=frequency,
        indices=indices,
    )
