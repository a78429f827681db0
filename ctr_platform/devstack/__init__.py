"""The embedded stack: every service as a supervised process of this user, bound to loopback."""
