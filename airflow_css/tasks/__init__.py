"""What operators and sensors share: how a task of a DAG reads its parameters, waits, and tells of failures."""
