"""Downloads, counted a second time by brute force and compared."""
