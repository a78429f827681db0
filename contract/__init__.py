"""The ground floor: settings, errors, names, outcomes and time rules. Imports nothing of the other rooms."""
