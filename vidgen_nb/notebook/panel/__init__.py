"""What is seen in Jupyter."""
