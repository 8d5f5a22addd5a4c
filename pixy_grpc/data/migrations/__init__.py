"""Numbered SQL, a folder for each dialect, one statement a file, safe to run again."""
