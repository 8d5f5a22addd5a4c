"""What SQLite has to be made to do, and what it does when something is in the way."""
