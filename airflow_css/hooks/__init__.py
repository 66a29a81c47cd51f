"""The door between an Airflow connection and the client."""
