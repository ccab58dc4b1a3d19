package vision

// A Threaded extractor says how many processors looking at one picture keeps busy. One that does not say so keeps all of them busy, and pictures are given
// to it one at a time.
type Threaded interface {
	// Threads is 1 or more.
	Threads() int
}
