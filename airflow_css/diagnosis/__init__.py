"""What is wrong with a connection, found step by step. Only the Test button and the doctor import it."""
