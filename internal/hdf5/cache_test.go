package hdf5

import "testing"

// A cache keeps the newest chunks up to its limit, and none that is larger.
func TestCache(t *testing.T) {
	c := cache{limit: 100}
	at := func(n uint64) chunkKey { return chunkKey{1, n} }
	for n := range uint64(10) {
		c.put(at(n), make([]byte, 30))
		c.put(at(n), make([]byte, 30)) // a second reader's
		c.put(at(100+n), make([]byte, 101))
	}
	for n := range uint64(110) {
		if want := n >= 7 && n < 10; (c.get(at(n)) != nil) != want {
			t.Errorf("chunk %d is there: %t", n, !want)
		}
	}
	if c.size != 90 || len(c.order) != 3 || c.get(chunkKey{2, 9}) != nil {
		t.Errorf("%d bytes of %d chunks", c.size, len(c.order))
	}
}

// Filtered chunks are unfiltered once where rows are read one after the other.
func TestCacheOfRows(t *testing.T) {
	d := dataset(t, parse(t, "cut_1.h5"), "cut_all")
	floats(t, d, 0, 1)
	before := len(d.file.decoded.order)
	floats(t, d, 1, 2) // of the same chunks
	if after := len(d.file.decoded.order); before != 4 || after != before {
		t.Errorf("%d chunks, then %d, want 4", before, after)
	}
}
