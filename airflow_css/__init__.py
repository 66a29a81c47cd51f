"""
Apache Airflow provider for snapshots of Huawei Cloud CSS clusters.

A task takes a backup of an Elasticsearch or OpenSearch cluster before a risky load. The backup is named
after the run, and exists once however often the task is retried. Airflow imports this package for every command
it runs, so importing it loads neither Airflow nor ``requests``: import what you need by its full path, for example
``airflow_css.operators.snapshot``.
"""

from __future__ import annotations

__version__ = "0.1.0"
