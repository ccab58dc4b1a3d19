package oip

import (
	"sync"
	"time"
)

// counts are how many inferences there were, by the model's name.
type counts struct {
	mu sync.Mutex
	of map[string]*count
}

// count is Triton's statistics of one model, as far as the protocol's door can see: what happens behind it is in the server's own metrics.
type count struct {
	success, failure         int64 // requests
	successTime, failureTime time.Duration
	inferences               int64 // examples in requests that succeeded
	last                     time.Time
}

// add counts a request; its answer is nil if it failed.
func (c *counts) add(model string, answer *response, took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]*count{}
	}
	n := c.of[model]
	if n == nil {
		n = &count{}
		c.of[model] = n
	}
	if answer == nil {
		n.failure++
		n.failureTime += took
		return
	}
	n.success++
	n.successTime += took
	n.inferences += int64(answer.outputs[0].Shape[0])
	n.last = time.Now()
}

// get is a copy of a model's count.
func (c *counts) get(model string) count {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := c.of[model]; n != nil {
		return *n
	}
	return count{}
}
