"""One pytest session: what a test asks for, what it leaves."""
