"""How CSS is reached: endpoints, keys, signatures and the calls themselves."""
