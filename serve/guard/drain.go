package guard

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// drainRetry is when a client is told to try again: by then another server should have taken over.
const drainRetry = 2 * time.Second

// A Drain counts the requests under way and ends serving without losing one: after Begin new ones are refused, those under way finish,
// and Wait returns when they have. The zero value serves. Its methods may be called by many goroutines at a time.
type Drain struct {
	mu       sync.Mutex
	draining bool
	underWay int
	idle     chan struct{} // closed when none is under way; nil while nobody waits
}

// Begin begins draining; it cannot be undone. A readiness probe should say no from now on.
func (d *Drain) Begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.draining = true
}

// Draining says whether Begin was called.
func (d *Drain) Draining() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.draining
}

// UnderWay is how many requests have entered and not left.
func (d *Drain) UnderWay() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.underWay
}

// Enter lets a request in, unless the server is draining; leave must be called once when it is answered.
func (d *Drain) Enter() (leave func(), ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.draining {
		return nil, false
	}
	d.underWay++
	return d.leave, true
}

func (d *Drain) leave() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.underWay--
	if d.underWay == 0 && d.idle != nil {
		close(d.idle)
		d.idle = nil
	}
}

// Wait returns when no request is under way, or with an error when ctx ends first.
func (d *Drain) Wait(ctx context.Context) error {
	d.mu.Lock()
	if d.underWay == 0 {
		d.mu.Unlock()
		return nil
	}
	if d.idle == nil {
		d.idle = make(chan struct{})
	}
	idle := d.idle
	d.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%d requests are still under way: %w", d.UnderWay(), context.Cause(ctx))
	}
}

// drained counts requests, light ones left out, and refuses new ones while draining.
func (g *guard) drained(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.Light.Match(r) {
			next.ServeHTTP(w, r)
			return
		}
		leave, ok := g.Drain.Enter()
		if !ok {
			g.refuse(w, r, reasonDraining, Refusal{
				Status: http.StatusServiceUnavailable, Code: "draining", Message: "This server is about to end; another should answer soon.", RetryAfter: drainRetry,
			})
			return
		}
		g.Observer.Inflight(1)
		defer func() {
			g.Observer.Inflight(-1)
			leave()
		}()
		next.ServeHTTP(w, r)
	})
}
