"""The command ``airflow-css doctor``: what is wrong with a connection, and what CSS does on one's own account."""
