"""Backups as Airflow's assets."""
