"""What the threads of a process share, made once for each key: bounded, and begun anew by a forked process."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Shared", "shared_by_process"]

K = TypeVar("K")
V = TypeVar("V")


class Shared(Generic[K, V]):
    """
    Values by their keys; the one that was not asked for the longest goes first.

    :param most: How many are kept, 1 or more.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: OrderedDict[K, V] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, key: K) -> V | None:
        """
        Return the value of a key, ``None`` when there is none.

        :param key: The key.
        """
        with self._lock:
            return self._values.get(key)

    def get(self, key: K, make: Callable[[], V]) -> V:
        """
        Return the value of a key, made now if there is none.

        :param key: The key.
        :param make: Makes it, quickly: everybody else waits.
        """
        with self._lock:
            value = self._values.pop(key) if key in self._values else make()
            self._values[key] = value
            while len(self._values) > self._most:
                self._values.popitem(last=False)
            return value

    def forget(self) -> None:
        """Drop every value."""
        self._lock = threading.Lock()
        self._values.clear()


def shared_by_process(most: int) -> Shared[Any, Any]:
    """
    Return what the whole process shares. Call it once, at the top of a module.

    A forked process begins with none: another thread of its parent may have held the lock, or a lock inside a value.

    :param most: How many values are kept, 1 or more.
    """
    shared: Shared[Any, Any] = Shared(most)
    os.register_at_fork(after_in_child=shared.forget)
    return shared
