package vision

// FileTypes are the endings of the names of pictures that [Decode] reads, in small letters and with their dot. What a file is follows from its content;
// endings only say which files of a directory are meant.
func FileTypes() []string { return []string{".png", ".jpg", ".jpeg"} }
