"""The demo with Airflow's web page: real processes on loopback, in a home that goes away again."""
