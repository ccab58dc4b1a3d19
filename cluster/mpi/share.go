//go:build mpi

package mpi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"slices"
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
	all[0] = mine
	away := map[int]bool{} // the ranks that have not come
	for rank := 1; rank < w.size; rank++ {
		away[rank] = true
	}
	for pause := newPause(w.limit()); len(away) > 0; {
		text, from, ok, err := incoming(-1, up)
		switch {
		case err != nil:
			return nil, err
		case ok:
			all[from] = text
			delete(away, from)
		case !pause.wait():
			return nil, w.missing(maps.Keys(away))
		}
	}
	text := joined(all)
	if len(text) > maxCount {
		return nil, fmt.Errorf("the ranks' messages have %d bytes, want at most %d", len(text), maxCount)
	}
	return all, w.pass(text)
}

// pass tells all what all have said.
func (w *World) pass(text []byte) error {
	var pin runtime.Pinner // C has the address until the text has been sent; if it never is, for ever
	pin.Pin(&text[0])
	under := map[int]sending{}
	for rank := 1; rank < w.size; rank++ {
		var err error
		if under[rank], err = send(text, rank, down); err != nil {
			return err
		}
	}
	for pause := newPause(w.limit()); len(under) > 0; {
		for rank, s := range under {
			there, err := s.arrived()
			if err != nil {
				return err
			}
			if there {
				s.free()
				delete(under, rank)
			}
		}
		if len(under) > 0 && !pause.wait() {
			return w.missing(maps.Keys(under))
		}
	}
	pin.Unpin()
	return nil
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
	under, err := send(mine, 0, up)
	if err != nil {
		return nil, err
	}
	var text []byte
	for pause, come := newPause(w.limit()), false; ; {
		sent, err := under.arrived() // MPI sends only while somebody looks
		if err == nil && !come {
			text, _, come, err = incoming(0, down)
		}
		switch {
		case err != nil:
			return nil, err
		case come && sent:
			under.free()
			pin.Unpin()
			return parted(text, w.size)
		case !pause.wait():
			return nil, w.missing(slices.Values([]int{0}))
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
