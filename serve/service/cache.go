package service

import (
	"container/list"
	"context"
	"sync"
)

// cacheKey is a picture as one load of a model's detector saw it.
type cacheKey struct{ model, version, sha256 string }

// cache keeps sights, those that were asked for last, within a number of bytes; and lets one caller look where many want to.
type cache struct {
	limit int64

	mu      sync.Mutex
	entries map[cacheKey]*list.Element // of *kept
	recent  *list.List                 // the one that was asked for last comes first
	bytes   int64
	flights map[cacheKey]*flight

	hits, misses, evictions uint64
}

// CacheStats are what a cache has done so far, and holds now.
type CacheStats struct {
	Hits, Misses, Evictions uint64 // of pictures; a picture that is being looked at for another request is a hit
	Pictures                int
	Bytes, MaxBytes         int64
}

func (c *cache) stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return CacheStats{c.hits, c.misses, c.evictions, c.recent.Len(), c.bytes, c.limit}
}

// kept is what the cache holds of one picture.
type kept struct {
	key   cacheKey
	sight *Sight
	bytes int64
}

// looking finds the regions of one picture.
type looking func(context.Context) (*Sight, error)

// flight is a look under way.
type flight struct {
	done    chan struct{} // closed when sight and err are there
	sight   *Sight
	err     error
	waiting int // guarded by cache.mu
	cancel  context.CancelFunc
}

func newCache(limit int64) *cache {
	return &cache{limit: limit, entries: map[cacheKey]*list.Element{}, recent: list.New(), flights: map[cacheKey]*flight{}}
}

// get finds what is kept or under way; else, if the caller has the picture, it looks: begin is called once, here, and what it gives, if that is no error, once, in another
// goroutine. A look goes on as long as anyone waits for it.
func (c *cache) get(ctx context.Context, key cacheKey, have bool, begin func() (looking, error)) (sight *Sight, hit bool, err error) {
	c.mu.Lock()
	if e, ok := c.entries[key]; ok {
		c.recent.MoveToFront(e)
		c.hits++
		c.mu.Unlock()
		return e.Value.(*kept).sight, true, nil
	}
	f, under := c.flights[key]
	if !under && !have {
		c.misses++
		c.mu.Unlock()
		return nil, false, &Error{NotFound, "picture_unknown", "this server does not remember a picture of that hash: send the picture itself", nil}
	}
	if !under {
		look, err := begin()
		if err != nil {
			c.mu.Unlock()
			return nil, false, err
		}
		while, cancel := context.WithCancel(context.WithoutCancel(ctx))
		f = &flight{done: make(chan struct{}), cancel: cancel}
		c.flights[key] = f
		go c.fly(while, key, f, look)
	}
	f.waiting++
	if under {
		c.hits++
	} else {
		c.misses++
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.sight, under, f.err
	case <-ctx.Done():
		c.mu.Lock()
		f.waiting--
		if f.waiting == 0 {
			f.cancel()
			if c.flights[key] == f {
				delete(c.flights, key) // the next caller looks anew
			}
		}
		c.mu.Unlock()
		return nil, false, ctx.Err()
	}
}

// fly looks, and keeps what was seen.
func (c *cache) fly(ctx context.Context, key cacheKey, f *flight, look looking) {
	defer f.cancel()
	f.sight, f.err = look(ctx)
	c.mu.Lock()
	if c.flights[key] == f {
		delete(c.flights, key)
	}
	if f.err == nil {
		c.keep(key, f.sight)
	}
	c.mu.Unlock()
	close(f.done)
}

// keep adds a sight and makes room for it; mu is held.
func (c *cache) keep(key cacheKey, sight *Sight) {
	n := sight.bytes()
	if _, there := c.entries[key]; there || n > c.limit {
		return
	}
	c.entries[key] = c.recent.PushFront(&kept{key, sight, n})
	c.bytes += n
	for c.bytes > c.limit {
		c.drop(c.recent.Back())
		c.evictions++
	}
}

// drop takes an entry out; mu is held.
func (c *cache) drop(e *list.Element) {
	k := c.recent.Remove(e).(*kept)
	delete(c.entries, k.key)
	c.bytes -= k.bytes
}

// forget drops what earlier loads of a model saw.
func (c *cache) forget(model string) {
	c.dropIf(func(k cacheKey) bool { return k.model == model })
}

func (c *cache) clear() { c.dropIf(func(cacheKey) bool { return true }) }

func (c *cache) dropIf(which func(cacheKey) bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.recent.Front(); e != nil; {
		next := e.Next()
		if which(e.Value.(*kept).key) {
			c.drop(e)
		}
		e = next
	}
}

// bytes is about what a sight takes in memory.
func (v *Sight) bytes() int64 {
	const own = 1 << 10 // the struct, its key, list and map entries
	return own + int64(4*(len(v.Regions.Features)+len(v.Regions.Boxes))+16*(len(v.Regions.Objects)+len(v.Regions.Attributes)))
}
