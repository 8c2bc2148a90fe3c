"""What happens to an attempt from its submit to its end."""
