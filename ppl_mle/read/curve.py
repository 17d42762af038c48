"""The mean of the response along its one predictor, for drawing."""
