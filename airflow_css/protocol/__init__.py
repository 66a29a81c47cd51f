"""
The ground: what CSS says, as data and pure functions.

Rule 1: nothing here imports anything but the standard library and its neighbours in this folder.
Rule 2: nothing here reads a clock, a file, a socket or the environment. Whoever needs the time brings it.
"""
