"""What all charts draw with: palette, text, shapes, axes and layout."""
