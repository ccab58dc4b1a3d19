package train

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
)

// A Reducer connects the ranks of one training: programs that each compute some parts of every step, on one machine or on many. Every rank
// calls the same methods in the same order; each waits until all have come, or until the reducer loses patience, which is an error on each
// rank that is still there. After an error it is of no more use. Package cluster/mpi has one.
//
// nil stands for a world of one rank.
type Reducer interface {
	// Rank is which of the ranks this is, from 0. Rank 0 alone writes.
	Rank() int
	// Size is how many ranks there are.
	Size() int
	// Sum puts the sums over all ranks in the place of values, to the bit the same on each.
	Sum(values []float32) error
	// Share gives each rank what every rank has to say, in their order. It waits without keeping a core busy.
	Share(mine []byte) ([][]byte, error)
	// Exchange gives rank r the r-th of so many equal pieces of send; the r-th piece of receive comes from rank r.
	Exchange(send, receive []byte) error
}

// alone is the world of one rank.
type alone struct{}

func (alone) Rank() int                           { return 0 }
func (alone) Size() int                           { return 1 }
func (alone) Sum([]float32) error                 { return nil }
func (alone) Share(mine []byte) ([][]byte, error) { return [][]byte{mine}, nil }
func (alone) Exchange(send, receive []byte) error { copy(receive, send); return nil }

// orAlone is the world of one for nil.
func orAlone(r Reducer) Reducer {
	if r == nil {
		return alone{}
	}
	return r
}

// A RankError is what went wrong on another rank.
type RankError struct {
	Rank int
	Host string
	Text string
	// Stopped says that it was told to stop, as by a signal; then it is context.Canceled's kind.
	Stopped bool
}

func (e *RankError) Error() string { return fmt.Sprintf("rank %d (on %s): %s", e.Rank, e.Host, e.Text) }

// Is implements what errors.Is asks.
func (e *RankError) Is(target error) bool { return e.Stopped && target == context.Canceled }

// agreedError is an error that all ranks know of.
type agreedError struct{ error }

func (e agreedError) Unwrap() error { return e.error }

// Agreed says whether an error is known to all ranks, so that one of them need speak of it.
func Agreed(err error) bool { return errors.As(err, new(agreedError)) }

// lostError is that the other ranks cannot be reached any more.
type lostError struct{ error }

func (e lostError) Unwrap() error { return e.error }

// told is what a rank tells the others.
type told struct {
	Value []byte // gob
	Error *RankError
}

// Confer tells all ranks what each has found, or what kept it from finding it: then the error is the same on all of them ([Agreed]), so that
// they end together. A rank that has failed may tell so whatever it is that the others confer about. Errors come before the wish to stop,
// and lower ranks before higher ones. encoding/gob must be able to carry a T.
func Confer[T any](r Reducer, mine T, failed error) ([]T, error) {
	if r == nil || r.Size() == 1 || Agreed(failed) || errors.As(failed, new(lostError)) {
		return []T{mine}, failed
	}
	texts, err := shared(r, mine, failed)
	if err != nil {
		return nil, lostError{errors.Join(failed, err)}
	}
	messages := make([]told, len(texts))
	var first error
	for rank, text := range texts {
		if err := decode(text, &messages[rank]); err != nil {
			return nil, lostError{unreadable(rank, err)}
		}
		if e := messages[rank].Error; e != nil && (first == nil || stopping(first) && !e.Stopped) {
			if first = e; rank == r.Rank() {
				first = failed
			}
		}
	}
	if first != nil { // what others have told may be about something else
		return nil, agreedError{first}
	}
	values := make([]T, len(texts))
	for rank, m := range messages {
		if err := decode(m.Value, &values[rank]); err != nil {
			return nil, lostError{unreadable(rank, err)}
		}
	}
	return values, nil
}

func unreadable(rank int, err error) error {
	return fmt.Errorf("what rank %d says cannot be read: %w: are all ranks the same program?", rank, err)
}

// shared shares a message.
func shared(r Reducer, value any, failed error) ([][]byte, error) {
	var message told
	if failed != nil {
		host, _ := os.Hostname() // a name for people; none will do
		message.Error = &RankError{Rank: r.Rank(), Host: host, Text: failed.Error(), Stopped: stopping(failed)}
	} else {
		var err error
		if message.Value, err = encode(value); err != nil {
			return nil, err
		}
	}
	text, err := encode(message)
	if err != nil {
		return nil, err
	}
	return r.Share(text)
}

func encode(value any) ([]byte, error) {
	var text bytes.Buffer
	err := gob.NewEncoder(&text).Encode(value)
	return text.Bytes(), err
}

func decode(text []byte, to any) error { return gob.NewDecoder(bytes.NewReader(text)).Decode(to) }

// stopping says whether an error is but the wish to stop.
func stopping(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Agree has all ranks end together where one of them must.
func Agree(r Reducer, failed error) error {
	_, err := Confer(r, true, failed)
	return err
}
