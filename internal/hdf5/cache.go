package hdf5

import "sync"

// How much of unfiltered chunks is kept: as much as the file has bytes, within these limits. Rows that lie in the same
// chunks are mostly read one after the other, and some writers' chunks are thin but hundreds of rows tall, so that all
// chunks of those rows are wanted at a time.
const (
	minCache = 1 << 25
	maxCache = 1 << 30
)

// A chunkKey says which chunk of which dataset.
type chunkKey struct{ dataset, chunk uint64 }

// A cache keeps the chunks that were unfiltered last.
type cache struct {
	limit int
	lock  sync.Mutex
	data  map[chunkKey][]byte
	order []chunkKey // oldest first
	size  int
}

func (c *cache) get(k chunkKey) []byte {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.data[k]
}

func (c *cache) put(k chunkKey, data []byte) {
	c.lock.Lock()
	defer c.lock.Unlock()
	if _, ok := c.data[k]; ok || len(data) > c.limit {
		return
	}
	if c.data == nil {
		c.data = map[chunkKey][]byte{}
	}
	c.data[k] = data
	c.order = append(c.order, k)
	for c.size += len(data); c.size > c.limit; c.order = c.order[1:] {
		c.size -= len(c.data[c.order[0]])
		delete(c.data, c.order[0])
	}
}
