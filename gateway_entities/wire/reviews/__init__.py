"""Comparisons of schemas as a check of a pull request: what fails it, what is ignored, and its form for other programs."""
