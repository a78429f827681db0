"""How the reader wants it: language, numbers, time zone, and what the page's address says of the view."""
