"""The links from a task in the web interface to the console."""
