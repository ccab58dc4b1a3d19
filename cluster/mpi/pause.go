//go:build mpi

package mpi

import (
	"runtime"
	"time"
)

// patience is how long somebody still waits.
type patience struct {
	limit       time.Duration
	begun, last time.Time
}

// frozen is how long this program must have stood still itself for the others not to be blamed for it.
const frozen = time.Second

func newPatience(limit time.Duration) patience {
	now := time.Now()
	return patience{limit, now, now}
}

// lost says that it is. Who waits asks often.
func (p *patience) lost() bool {
	now := time.Now()
	if still := now.Sub(p.last); still > frozen {
		p.begun = p.begun.Add(still)
	}
	p.last = now
	return now.Sub(p.begun) > p.limit
}

// A pause is what lies between looking and looking again: nothing at first, for most messages come at once, then more and more.
type pause struct {
	patience
	next time.Duration
}

const (
	pauseAfter   = 50 * time.Microsecond
	firstPause   = 20 * time.Microsecond
	longestPause = 2 * time.Millisecond
)

func newPause(limit time.Duration) *pause { return &pause{newPatience(limit), firstPause} }

// wait waits a little, and is false when the time is up.
func (p *pause) wait() bool {
	switch {
	case p.lost():
		return false
	case p.last.Sub(p.begun) < pauseAfter:
		runtime.Gosched()
	default:
		time.Sleep(p.next)
		p.next = min(longestPause, p.next*2)
	}
	return true
}
