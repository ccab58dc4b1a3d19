package service

import "time"

// An Observer hears of what happens inside, for metrics. Its methods are called by many goroutines, and must not block.
type Observer interface {
	// Stage is how long a part of a request took: decode, regions, explain, embed and the like; of a Faster R-CNN every stage of it.
	Stage(stage string, took time.Duration)
	// Queued is how long a question waited for its forward pass.
	Queued(model string, waited time.Duration)
	// Batch is a forward pass for so many questions.
	Batch(model string, questions int, took time.Duration)
	// CacheLookup is a picture whose regions were there already, or not.
	CacheLookup(hit bool)
	// CacheEvicted is regions that made room for others.
	CacheEvicted()
	// CacheSize is what the cache holds now.
	CacheSize(pictures int, bytes int64)
	// Loaded is a model that is served from now on, or why it could not be loaded anew.
	Loaded(model, version string, took time.Duration, err error)
}

// nobody listens.
type nobody struct{}

func (nobody) Stage(string, time.Duration)                 {}
func (nobody) Queued(string, time.Duration)                {}
func (nobody) Batch(string, int, time.Duration)            {}
func (nobody) CacheLookup(bool)                            {}
func (nobody) CacheEvicted()                               {}
func (nobody) CacheSize(int, int64)                        {}
func (nobody) Loaded(string, string, time.Duration, error) {}
