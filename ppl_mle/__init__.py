"""Maximum likelihood, MAP and posterior from one declared PyMC model."""
