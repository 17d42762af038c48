"""Results as tables, figures, DataTrees and documents."""
