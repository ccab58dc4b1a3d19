package service

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/vision"
)

func sightOf(floats int) *Sight {
	return &Sight{Regions: vision.Regions{Features: make([]float32, floats), FeatureWidth: 1}}
}

func key(name string) cacheKey { return cacheKey{"m", "1", name} }

// ready makes a look that takes no time.
func ready(s *Sight, err error) func() (looking, error) {
	return func() (looking, error) { return func(context.Context) (*Sight, error) { return s, err }, nil }
}

// TestCacheIsBounded keeps what was asked for last.
func TestCacheIsBounded(t *testing.T) {
	c := newCache(3 * sightOf(1000).bytes())
	get := func(name string) (hit bool) {
		t.Helper()
		_, hit, err := c.get(t.Context(), key(name), true, ready(sightOf(1000), nil))
		if err != nil {
			t.Fatal(err)
		}
		return hit
	}
	for _, step := range []struct {
		name string
		hit  bool
	}{{"a", false}, {"b", false}, {"c", false}, {"a", true}, {"d", false}, {"b", false}, {"a", true}, {"c", false}} {
		if hit := get(step.name); hit != step.hit {
			t.Fatalf("%s: found hit %v, want %v", step.name, hit, step.hit)
		}
	}
	if c.bytes > c.limit || c.recent.Len() != 3 || len(c.entries) != 3 {
		t.Errorf("found %d bytes of %d, %d and %d entries", c.bytes, c.limit, c.recent.Len(), len(c.entries))
	}
	if _, _, err := c.get(t.Context(), key("huge"), true, ready(sightOf(1e6), nil)); err != nil || c.recent.Len() != 3 {
		t.Errorf("one that is larger than the cache: found %v, %d entries", err, c.recent.Len())
	}
	c.forget("m")
	if c.bytes != 0 || len(c.entries) != 0 {
		t.Errorf("forgotten: found %d bytes, %d entries", c.bytes, len(c.entries))
	}
}

// TestOneLooks lets one of many callers look; who leaves does not end it for the others, and the last to leave does.
func TestOneLooks(t *testing.T) {
	c := newCache(1 << 20)
	var looks atomic.Int64
	begun, end := make(chan struct{}), make(chan struct{})
	slow := func() (looking, error) {
		return func(ctx context.Context) (*Sight, error) {
			if looks.Add(1) == 1 {
				close(begun)
			}
			select {
			case <-end:
				return sightOf(1), nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}, nil
	}
	leaving, leave := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() {
		if _, _, err := c.get(leaving, key("a"), true, slow); !errors.Is(err, context.Canceled) {
			t.Errorf("who leaves: found %v", err)
		}
	})
	<-begun
	for range 5 {
		group.Go(func() {
			if _, _, err := c.get(t.Context(), key("a"), false, slow); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(10 * time.Millisecond) // for them to wait
	leave()
	time.Sleep(10 * time.Millisecond)
	close(end)
	group.Wait()
	if n := looks.Load(); n != 1 {
		t.Errorf("found %d looks, want 1", n)
	}

	alone, go1 := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer go1()
	ended := make(chan error, 1)
	_, _, err := c.get(alone, key("b"), true, func() (looking, error) {
		return func(ctx context.Context) (*Sight, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return nil, ctx.Err()
		}, nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("found %v", err)
	}
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the look for which nobody waits: found %v", err)
	}
	if _, hit, err := c.get(t.Context(), key("b"), true, ready(sightOf(1), nil)); err != nil || hit {
		t.Errorf("the next caller: found %v, hit %v, want a look of its own", err, hit)
	}
	if _, _, err := c.get(t.Context(), key("c"), true, ready(nil, errors.New("no"))); err == nil {
		t.Error("a look that fails is kept")
	}
	if _, _, err := c.get(t.Context(), key("c"), true, ready(sightOf(1), nil)); err != nil {
		t.Error("after one that failed:", err)
	}
}

// TestPace turns pictures away that could not be looked at in time.
func TestPace(t *testing.T) {
	var p pace
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	p.took(4 * time.Second)
	for range 2 {
		if err := p.room(soon, 1); err != nil {
			t.Fatal("two of 4 s each fit into 10 s:", err)
		}
	}
	if err := p.room(soon, 1); KindOf(err) != Busy {
		t.Errorf("a third does not: found %v", err)
	}
	if err := p.room(soon, 2); err != nil {
		t.Error("if two are looked at, at once, it does:", err)
	}
	if err := p.room(t.Context(), 1); err != nil {
		t.Error("who has all the time in the world may wait:", err)
	}
	for range 4 {
		p.done()
	}
	if err := p.room(soon, 1); err != nil {
		t.Error("there is room again:", err)
	}
}
