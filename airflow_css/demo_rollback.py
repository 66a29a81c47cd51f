"""
The demo of a rollback, as the user sees it: a load breaks, the data comes back, and the run is red.

What the index holds is read from the emulator itself: before the load, while the restore waits, and after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from airflow_css.demo import Demo, play, say, say_table
from airflow_css.emulator import CssEmulator

__all__ = ["find_fault", "run_demo_rollback"]

Documents = Mapping[str, Mapping[str, Any]]

VERDICT = "protected.verdict"
INDEX = "orders-2026-11"
ORDERS: Documents = {"1": {"customer": "ada", "cents": 1250}, "2": {"customer": "grace", "cents": 990}}


def run_demo_rollback(*, keep: bool = False, slow: bool = False) -> int:
    """
    Run the example whose load breaks, and tell what happens; return 0 only when the data came back and the run is red.

    :param keep: Whether to keep the throw-away Airflow home.
    :param slow: Whether the snapshot takes two minutes.
    """
    return play(_RollbackDemo, keep=keep, slow=slow)


class _RollbackDemo(Demo):
    dag_file = "checkpoint_rolls_back.py"
    shows = "a load that breaks, and the way back"

    def __init__(self, home: Path, emulator: CssEmulator) -> None:
        super().__init__(home, emulator)
        self._orders = emulator.index(INDEX)
        # Until the damage was shown: a restore closes the index.
        self._held = emulator.faults.hold("restore_snapshot")
        self._damage: Documents = {}
        self._verdict = ""

    def run(self) -> int:
        self._orders.write(ORDERS)
        return super().run()

    def _introduce(self) -> None:
        super()._introduce()
        say(f"Before the load, the index {INDEX} holds:")
        say_table(ORDERS)
        say("")

    def _look(self) -> None:
        if self._held.is_reached and not self._held.is_released:
            self._damage = self._orders.documents()
            say("\nThe load has left this behind; everything that writes has ended, so it is restored now:")
            say_table(self._damage)
            say("")
            self._held.release()

    def _tell(self, event: dict[str, Any]) -> None:
        super()._tell(event)
        if event.get("failed") == VERDICT:
            self._verdict = event["error"]
        elif "failed" in event:
            say(f"            {event['error']}")

    def _complaint(self) -> str:
        now = self._orders.documents()
        return find_fault(self._damage, now, str(self._outcome.get("state")), self._verdict)

    def _show_result(self) -> None:
        say(f"\nAfter the rollback, the index {INDEX} holds what it held before:")
        say_table(self._orders.documents())
        say("\nThe verdict, by which the run failed:")
        say(f"  {self._verdict}")
        say("\nThe run is red, as it should be: the load did not happen, and whoever waits for it does not go on.")
        self._finish()
        say(_NEXT.format(dag=self._example))


def find_fault(damaged: Documents, now: Documents, state: str, verdict: str) -> str:
    """
    Return what did not go as it should; empty when the load broke, the data came back, and the run says so.

    :param damaged: What the index held before it was restored.
    :param now: What it holds at the end.
    :param state: How the run ended.
    :param verdict: Why the verdict failed; empty when it did not.
    """
    if damaged in ({}, ORDERS):
        return "The load did not break."
    if now != ORDERS:
        return "The data did not come back."
    if state != "failed" or "Rolled back" not in verdict:
        return "The run does not say that it was rolled back."
    return ""


_NEXT = """
To protect a load of your own, put it inside:
  with css_checkpoint("protected", indices=["<index>"], in_place=True, consent="overwrite"):
The whole DAG: {dag}"""
