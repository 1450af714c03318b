"""What the station sends, in its order: the queue (pure), and the file that it survives a power cut in."""
