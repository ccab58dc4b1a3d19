//go:build mpi

package mpi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"time"
)

// Share implements train.Reducer: everything goes to rank 0, and from there to all. Those who wait look now and then and sleep in between, where
// MPI's own ways of waiting would keep a core busy: a rank that is slower, or writes a checkpoint, needs it more.
func (w *World) Share(mine []byte) ([][]byte, error) {
	all := [][]byte{mine}
	if w.broken == nil && w.size > 1 {
		w.broken = w.thread.do(func() (err error) {
			if w.rank == 0 {
				all, err = w.collect(mine)
			} else {
				all, err = w.report(mine)
			}
			return err
		}, 0) // it looks at the time itself
	}
	return all, w.broken
}

// collect is rank 0's side.
func (w *World) collect(mine []byte) ([][]byte, error) {
	all := make([][]byte, w.size)
	come := make([]bool, w.size)
	all[0], come[0] = mine, true
	still := func() (ranks []int) {
		for rank, there := range come {
			if !there {
				ranks = append(ranks, rank)
			}
		}
		return ranks
	}
	pause := newPause(w.limit())
	for left := w.size - 1; left > 0; {
		text, from, ok, err := arrived(-1, up)
		switch {
		case err != nil:
			return nil, err
		case ok:
			all[from], come[from] = text, true
			left--
		case !pause.wait():
			return nil, w.missing(still())
		}
	}
	text := joined(all)
	if len(text) > maxCount {
		return nil, fmt.Errorf("the ranks' messages have %d bytes, want at most %d", len(text), maxCount)
	}
	var pin runtime.Pinner
	pin.Pin(&text[0])
	under := newSends(w.size - 1)
	for rank := 1; rank < w.size; rank++ {
		if err := under.begin(text, rank, down); err != nil {
			return nil, err
		}
	}
	for pause := newPause(w.limit()); ; {
		if done, err := under.done(); err != nil || done {
			under.free()
			pin.Unpin()
			return all, err
		}
		if !pause.wait() { // what is under way stays where it is
			return nil, fmt.Errorf("a rank did not take what the others said for %v", w.limit())
		}
	}
}

// report is every other rank's side.
func (w *World) report(mine []byte) ([][]byte, error) {
	if len(mine) > maxCount {
		return nil, fmt.Errorf("found a message of %d bytes, want at most %d", len(mine), maxCount)
	}
	var pin runtime.Pinner
	if len(mine) > 0 {
		pin.Pin(&mine[0])
	}
	under := newSends(1)
	if err := under.begin(mine, 0, up); err != nil {
		return nil, err
	}
	var text []byte
	for pause, come := newPause(w.limit()), false; ; {
		sent, err := under.done() // MPI sends only while somebody looks
		if err == nil && !come {
			text, _, come, err = arrived(0, down)
		}
		switch {
		case err != nil:
			return nil, err
		case come && sent:
			under.free()
			pin.Unpin()
			return parted(text, w.size)
		case !pause.wait():
			return nil, w.missing([]int{0})
		}
	}
}

// joined puts messages one behind the other, each after its length.
func joined(all [][]byte) []byte {
	var text []byte
	for _, message := range all {
		text = binary.AppendUvarint(text, uint64(len(message)))
		text = append(text, message...)
	}
	return text
}

// parted takes them apart.
func parted(text []byte, count int) ([][]byte, error) {
	all := make([][]byte, count)
	left := bytes.NewBuffer(text)
	for i := range all {
		n, err := binary.ReadUvarint(left)
		if err != nil || n > uint64(left.Len()) {
			return nil, fmt.Errorf("what rank 0 passes on, %d bytes for %d ranks, cannot be read: are all ranks the same program?", len(text), count)
		}
		all[i] = left.Next(int(n))
	}
	return all, nil
}

// A pause is what lies between looking and looking again: nothing at first, for most messages come at once, then more and more.
type pause struct {
	begun, last time.Time
	limit       time.Duration
	next        time.Duration
}

const (
	pauseAfter = 50 * time.Microsecond
	firstPause = 20 * time.Microsecond
	longest    = 2 * time.Millisecond
	// frozen is how long this program must have stood still itself for the others not to be blamed for it.
	frozen = time.Second
)

func newPause(limit time.Duration) *pause {
	now := time.Now()
	return &pause{begun: now, last: now, limit: limit, next: firstPause}
}

// wait waits a little, and is false when the time is up.
func (p *pause) wait() bool {
	now := time.Now()
	if still := now.Sub(p.last); still > frozen {
		p.begun = p.begun.Add(still)
	}
	p.last = now
	switch waited := now.Sub(p.begun); {
	case waited > p.limit:
		return false
	case waited < pauseAfter:
		runtime.Gosched()
	default:
		time.Sleep(p.next)
		p.next = min(longest, p.next*2)
	}
	return true
}
