"""The tasks of a DAG."""
