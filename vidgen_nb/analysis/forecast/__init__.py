"""When a run will be done: what is known of it so far, played to its end many times."""
