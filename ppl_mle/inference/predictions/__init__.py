"""What a fit says of each row: predictions, residuals, influence."""
