"""The mathematics of the course, measured with the project's own losses and families."""
