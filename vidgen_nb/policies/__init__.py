"""What follows a 429, and who may submit when: the policies that come with the package, and their registry."""
