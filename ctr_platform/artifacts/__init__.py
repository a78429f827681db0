"""The Java side's ingredients: listed as data, fetched by coordinates, verified, compiled."""
