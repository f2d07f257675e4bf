"""A gate is a file or a folder of its name here; there is no index to edit."""
