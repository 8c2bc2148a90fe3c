"""What the panel needs of the browser page: large JavaScript modules, theme and downloads, and its style sheet."""
