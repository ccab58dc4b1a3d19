package service

import (
	"context"
	"sync"
	"time"
)

// pace knows how long looking at a picture takes, and how many wait for it: a Faster R-CNN takes seconds, so a request that would have to wait for many others is
// refused at once rather than when its time is up.
type pace struct {
	mu      sync.Mutex
	usual   time.Duration // recently; 0 is not known yet
	waiting int           // those at work among them
}

// room takes a place among those who wait, or says that the caller's time will be up before its turn has ended; atOnce are looked at, at once. Who has a place calls done.
func (p *pace) room(ctx context.Context, atOnce int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && p.waiting >= atOnce { // whose turn it is may try
		turns := time.Duration(p.waiting/max(atOnce, 1) + 1)
		if time.Now().Add(turns * p.usual).After(deadline) {
			return &Error{Busy, "busy", "too many pictures wait to be looked at; send it again a little later", nil}
		}
	}
	p.waiting++
	return nil
}

// done gives the place back.
func (p *pace) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting--
}

// took is told how long a look has taken, once it was its turn. The last ones count most.
func (p *pace) took(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.usual == 0 {
		p.usual = d
	}
	p.usual += (d - p.usual) / 8
}
