"""Late events merged into their closed windows, and the windows' documents published anew."""
