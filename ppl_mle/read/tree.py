"""The model's data as ArviZ groups."""
