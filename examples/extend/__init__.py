"""A check, an alert and an operation of your own."""
