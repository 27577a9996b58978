"""What other rules would do to the customers of a warehouse, computed on a copy by the models themselves."""
