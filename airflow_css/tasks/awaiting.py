"""Waiting in the worker for a condition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from airflow_css.client.clock import chance
from airflow_css.hooks.css import CssHook
from airflow_css.protocol.conditions import Wait
from airflow_css.tasks.looks import PatientLooks
from airflow_css.triggers.log import Log
from airflow_css.triggers.looking import Kind, LookKey
from airflow_css.triggers.progress import tell_news

__all__ = ["await_in_worker"]


def await_in_worker(hook: CssHook, cluster_id: str, wait: Wait, log: Log) -> Mapping[str, Any]:
    """
    Return what was found when the condition was met.

    :param hook: Brings client and clock.
    :param cluster_id: The cluster to look at.
    :param wait: The wait.
    :param log: Where the progress is told.
    :raises CssWaitTimeoutError: if it was not met in time.
    :raises CssError: if waiting on is pointless.
    """
    looks = PatientLooks(hook, log)
    key = LookKey(Kind(wait.condition.looks_at), hook.css_conn_id, cluster_id)
    while True:
        seen = looks.ask(key.ask)
        now = hook.clock.now()
        if seen is not None:
            found = wait.condition.see(seen, now)
            if found is not None:
                return found
            tell_news(wait, log)
        wait.refuse_late(now)
        hook.clock.sleep(wait.delay(now, chance()))
