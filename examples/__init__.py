"""Examples for those who carry on."""
