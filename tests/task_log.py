"""What a task writes into its log, on Airflow 2 (the standard library's logging) and 3 (structlog)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from airflow_css.version_compat import AIRFLOW_V_3_0_PLUS

__all__ = ["TaskLog", "reading_the_log"]

# Airflow gives every operator and every hook a logger below this name.
ROOT = "airflow.task"


class Line(NamedTuple):
    """One line: ``info``, ``warning`` or ``error``, and its text."""

    level: str
    text: str


class TaskLog(list[Line]):
    """The lines of operator and hook, in their order; what Airflow itself logs is left out."""

    @property
    def text(self) -> str:
        """All lines as one text."""
        return "\n".join(line.text for line in self)

    def having(self, words: str, level: str | None = None) -> list[Line]:
        """
        Return the lines that hold these words.

        :param words: A part of the text.
        :param level: Only lines of that level; default all.
        """
        return [line for line in self if words in line.text and level in {None, line.level}]


@contextmanager
def reading_the_log() -> Iterator[TaskLog]:
    """Yield a list that fills with what operators and hooks log meanwhile, unmasked."""
    log = TaskLog()
    with _reading_3(log) if AIRFLOW_V_3_0_PLUS else _reading_2(log):
        yield log


@contextmanager
def _reading_2(log: TaskLog) -> Iterator[None]:
    class Reader(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            ours = record.name.startswith((f"{ROOT}.operators", f"{ROOT}.sensors", f"{ROOT}.hooks"))
            if ours and record.module not in {"base", "baseoperator"}:
                log.append(Line(record.levelname.lower(), record.getMessage()))

    reader, logger = Reader(), logging.getLogger(ROOT)
    logger.addHandler(reader)
    try:
        yield
    finally:
        logger.removeHandler(reader)


@contextmanager
def _reading_3(log: TaskLog) -> Iterator[None]:
    from structlog.testing import capture_logs

    def read(logger: Any, method: str, event: Any) -> Any:
        name = str(event.get("logger_name") or getattr(logger, "name", None) or "")
        if name.startswith((f"{ROOT}.operators", f"{ROOT}.sensors", f"{ROOT}.hooks")):
            log.append(Line("warning" if method == "warn" else method, str(event["event"])))
        return event

    with capture_logs(processors=[read]):
        yield
