package model

import (
	"container/list"
	"sync"

	"github.com/gomlx/gomlx/ml/model"
)

// maxGraphs bounds the compiled graphs that a model keeps. A served model meets a few dozen shapes;
// beyond that the least recently used graph goes.
const maxGraphs = 128

// graphCache keeps compiled graphs by signature. A graph is compiled once however many callers
// want it at the same moment, and freed when it is evicted and its last user is done.
type graphCache struct {
	mu      sync.Mutex
	entries map[string]*list.Element // of *compiledGraph
	recent  *list.List               // most recently used first
	compile sync.Mutex               // GoMLX's store is not safe for two graphs built at once
}

// compiledGraph is a graph and the record that names its outputs.
type compiledGraph struct {
	exec   *model.Exec
	record any // a record[Out]

	cache *graphCache
	key   string
	once  sync.Once
	err   error
	users int  // guarded by cache.mu
	gone  bool // evicted; guarded by cache.mu
}

func newGraphCache() *graphCache {
	return &graphCache{entries: map[string]*list.Element{}, recent: list.New()}
}

// get returns the graph of that signature, compiling it if it is new. The caller releases it.
func (c *graphCache) get(key string, compile func(*compiledGraph) error) (*compiledGraph, error) {
	c.mu.Lock()
	element, ok := c.entries[key]
	if ok {
		c.recent.MoveToFront(element)
	} else {
		element = c.recent.PushFront(&compiledGraph{cache: c, key: key})
		c.entries[key] = element
	}
	g := element.Value.(*compiledGraph)
	g.users++
	for c.recent.Len() > maxGraphs {
		c.evict(c.recent.Back())
	}
	c.mu.Unlock()

	g.once.Do(func() {
		c.compile.Lock()
		defer c.compile.Unlock()
		g.err = compile(g)
	})
	if g.err != nil {
		c.mu.Lock()
		if current, ok := c.entries[key]; ok && current.Value == g {
			c.evict(current) // let the next caller try again
		}
		c.mu.Unlock()
		g.release()
		return nil, g.err
	}
	return g, nil
}

// release ends one use.
func (g *compiledGraph) release() {
	g.cache.mu.Lock()
	g.users--
	free := g.gone && g.users == 0
	g.cache.mu.Unlock()
	if free {
		g.free()
	}
}

// evict forgets a graph; mu is held.
func (c *graphCache) evict(element *list.Element) {
	g := c.recent.Remove(element).(*compiledGraph)
	delete(c.entries, g.key)
	g.gone = true
	if g.users == 0 {
		g.free()
	}
}

func (g *compiledGraph) free() {
	if g.exec != nil {
		g.exec.Finalize()
	}
}

// clear forgets every graph.
func (c *graphCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.recent.Len() > 0 {
		c.evict(c.recent.Back())
	}
}

// len is the number of graphs kept.
func (c *graphCache) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.recent.Len()
}
