// The first file of Canvas replaces this one.
