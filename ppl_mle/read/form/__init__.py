"""From a log-density graph to the predictor form, or a reason why it has none."""
