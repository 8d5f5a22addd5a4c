"""Side-by-side measurements, each against something in the same run."""
