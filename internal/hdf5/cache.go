package hdf5

import "sync"

// cacheBytes is how much of unfiltered chunks is kept: rows that lie in the same chunks are mostly read one after the
// other.
const cacheBytes = 1 << 25

// A chunkKey says which chunk of which dataset.
type chunkKey struct{ dataset, chunk uint64 }

// A cache keeps the chunks that were unfiltered last.
type cache struct {
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
	if _, ok := c.data[k]; ok || len(data) > cacheBytes {
		return
	}
	if c.data == nil {
		c.data = map[chunkKey][]byte{}
	}
	c.data[k] = data
	c.order = append(c.order, k)
	for c.size += len(data); c.size > cacheBytes; c.order = c.order[1:] {
		c.size -= len(c.data[c.order[0]])
		delete(c.data, c.order[0])
	}
}
