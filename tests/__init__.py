"""Tests of the provider; the folders mirror ``airflow_css``."""
