"""One gate a file: the file is the gate's name, and there is no index to edit."""
