"""The requirements, a file for each subject; each file has its own in `REQUIREMENTS`, in the order of the table."""
