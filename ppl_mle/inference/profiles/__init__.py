"""Profile likelihood: the log-density maximized over everything else while one quantity is held."""
