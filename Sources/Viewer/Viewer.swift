// The first file of Viewer replaces this one.
