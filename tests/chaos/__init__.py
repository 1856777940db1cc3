"""A run full of faults and kills, its history, and what judges it."""
