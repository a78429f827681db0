"""The independent recount: what the windows must be, found from the raw topic without the job."""
