"""The predictor form in NumPy: designs, row densities with their derivatives, and sums over row blocks."""
